"""The operations of sessions."""

from cerver_core.errors import (
    ComputeNotFound,
    Forbidden,
    IsolationUnavailable,
    NoComputeAvailable,
    PaymentRequired,
    ProviderUnavailable,
    SessionNotFound,
)
from cerver_core.wire import http, sessions, transcripts
from cerver_core.wire.operations.operation import JSON, OLD_SESSION, SESSION, STATE, Operation

__all__ = ["SESSIONS"]

_PLACEMENT = (NoComputeAvailable, IsolationUnavailable, ComputeNotFound)

SESSIONS = (
    Operation(
        "sessions.create",
        "POST",
        "/v2/sessions",
        "Open a session.",
        body=sessions.CreateSession,
        body_media=JSON,
        reply=(sessions.SessionEnvelope,),
        status=201,
        errors=(*_PLACEMENT, SessionNotFound, PaymentRequired, Forbidden),
        aliases=("/gateway/sessions",),
    ),
    Operation(
        "sessions.list",
        "GET",
        "/v2/sessions",
        "List sessions, newest activity first.",
        query=http.FindSessions,
        reply=(sessions.SessionPage,),
    ),
    Operation(
        "sessions.get",
        "GET",
        SESSION,
        "Read one session; with any parameter, also that part of its transcript.",
        query=transcripts.ReadTranscript,
        reply=(http.SessionRead,),
        errors=(SessionNotFound,),
        aliases=(OLD_SESSION,),
    ),
    Operation(
        "sessions.update",
        "PATCH",
        SESSION,
        "Merge metadata key by key; a null removes the key.",
        body=sessions.UpdateSession,
        body_media=JSON,
        reply=(sessions.SessionRecord,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "sessions.terminate",
        "DELETE",
        SESSION,
        "End a session for good; its record and transcript stay readable.",
        query=http.TerminateSession,
        reply=(sessions.SessionEnvelope,),
        errors=(SessionNotFound,),
        aliases=(OLD_SESSION,),
    ),
    Operation(
        "sessions.pause",
        "POST",
        f"{SESSION}/pause",
        "Free the compute; the workspace and the transcript stay.",
        reply=(sessions.SessionEnvelope,),
        errors=STATE,
    ),
    Operation(
        "sessions.resume",
        "POST",
        f"{SESSION}/resume",
        "Make a paused or stale session ready again under the same id.",
        reply=(sessions.SessionEnvelope,),
        errors=(*STATE, ProviderUnavailable),
    ),
    Operation(
        "sessions.spawn",
        "POST",
        f"{SESSION}/spawn",
        "Open a child session.",
        body=sessions.SpawnSession,
        body_media=JSON,
        reply=(sessions.SessionEnvelope,),
        status=201,
        errors=(*STATE, *_PLACEMENT),
    ),
    Operation(
        "sessions.attach",
        "POST",
        f"{SESSION}/compute",
        "Put another compute, or none, under a session.",
        body=sessions.AttachCompute,
        body_media=JSON,
        reply=(sessions.SessionEnvelope,),
        errors=(*STATE, *_PLACEMENT),
    ),
    Operation(
        "sessions.metrics",
        "GET",
        f"{SESSION}/metrics",
        "Read a session's metrics.",
        reply=(sessions.SessionMetrics,),
        errors=(SessionNotFound,),
        aliases=(f"{OLD_SESSION}/metrics",),
    ),
)
