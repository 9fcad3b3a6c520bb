"""The one HTTP map: every operation of the contract with its method, path, models, status and errors.

Routes, the client and the OpenAPI document are read from it. A path parameter stands in braces. The first path is the
one that is served and asked; `aliases` are older spellings that are served as well. `Unauthorized`, `RateLimited`,
`InvalidInput` and `Unavailable` can answer every operation and are not repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cerver_core.errors import (
    CerverError,
    ComputeNotFound,
    EntryConflict,
    FileMissing,
    Forbidden,
    IsolationUnavailable,
    NoComputeAvailable,
    PathEscapesWorkspace,
    PaymentRequired,
    ProviderUnavailable,
    RuntimeMissing,
    SecretError,
    SequenceConflict,
    SessionNotFound,
    SessionStateConflict,
    TooLarge,
)
from cerver_core.wire import computes, http, redactions, routing, search, sessions, transcripts
from cerver_core.wire.model import Reply, Request

__all__ = ["BINARY", "EVENTS", "JSON", "OPERATIONS", "TAR", "Operation"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

JSON = "application/json"
EVENTS = "text/event-stream"
"""Server-sent events: `event:` is the event's `type` (or `entry`), `data:` its JSON on one line, `id:` an entry's seq.

A comment line comes at least every 15 seconds. A failure is `event: error` with a problem body. A transcript closes
with `event: end`.
"""
BINARY = "application/octet-stream"
TAR = "application/x-tar"
"""A folder: an uncompressed pax archive with names relative to the folder.

One that is downloaded carries its `FolderReport` as JSON in the archive's own pax header `CERVER.report`.
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation over HTTP.

    `query` is sent in the URL, `body` as JSON unless `body_media` says otherwise; a body with a media and no model is
    bytes. `reply` is the model of the answer; with several, each is one kind of event of a stream.
    """

    name: str
    method: Method
    path: str
    summary: str
    query: type[Request] | None = None
    body: type[Request] | None = None
    body_media: str | None = None
    reply: tuple[type[Reply], ...] = ()
    reply_media: str | None = JSON
    status: int = 200
    errors: tuple[type[CerverError], ...] = ()
    aliases: tuple[str, ...] = ()
    is_open: bool = False
    """Answers without a key."""
    is_admin: bool = False
    """Asks for the scope `admin`: keys, vaults, credentials of providers."""
    shows_secret: bool = False
    """The answer holds a secret that is shown once, and is therefore never kept."""

    @property
    def scope(self) -> Literal["read", "write", "admin"]:
        """Tell which right a key must have."""
        if self.is_admin:
            return "admin"
        return "read" if self.method == "GET" else "write"

    @property
    def streams(self) -> bool:
        """Tell whether the answer comes as server-sent events."""
        return self.reply_media == EVENTS


_SESSION = "/v2/sessions/{session_id}"
_OLD_SESSION = "/gateway/sessions/{session_id}"
_PLACEMENT = (NoComputeAvailable, IsolationUnavailable, ComputeNotFound)
_STATE = (SessionNotFound, SessionStateConflict)
_EXEC = (*_STATE, RuntimeMissing, SecretError, PathEscapesWorkspace, ProviderUnavailable)
_FILES = (*_STATE, PathEscapesWorkspace, FileMissing)

_SESSIONS = (
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
        _SESSION,
        "Read one session; with any parameter, also that part of its transcript.",
        query=transcripts.ReadTranscript,
        reply=(http.SessionRead,),
        errors=(SessionNotFound,),
        aliases=(_OLD_SESSION,),
    ),
    Operation(
        "sessions.update",
        "PATCH",
        _SESSION,
        "Merge metadata key by key; a null removes the key.",
        body=sessions.UpdateSession,
        body_media=JSON,
        reply=(sessions.SessionRecord,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "sessions.terminate",
        "DELETE",
        _SESSION,
        "End a session for good; its record and transcript stay readable.",
        query=http.TerminateSession,
        reply=(sessions.SessionEnvelope,),
        errors=(SessionNotFound,),
        aliases=(_OLD_SESSION,),
    ),
    Operation(
        "sessions.pause",
        "POST",
        f"{_SESSION}/pause",
        "Free the compute; the workspace and the transcript stay.",
        reply=(sessions.SessionEnvelope,),
        errors=_STATE,
    ),
    Operation(
        "sessions.resume",
        "POST",
        f"{_SESSION}/resume",
        "Make a paused or stale session ready again under the same id.",
        reply=(sessions.SessionEnvelope,),
        errors=(*_STATE, ProviderUnavailable),
    ),
    Operation(
        "sessions.spawn",
        "POST",
        f"{_SESSION}/spawn",
        "Open a child session.",
        body=sessions.SpawnSession,
        body_media=JSON,
        reply=(sessions.SessionEnvelope,),
        status=201,
        errors=(*_STATE, *_PLACEMENT),
    ),
    Operation(
        "sessions.attach",
        "POST",
        f"{_SESSION}/compute",
        "Put another compute, or none, under a session.",
        body=sessions.AttachCompute,
        body_media=JSON,
        reply=(sessions.SessionEnvelope,),
        errors=(*_STATE, *_PLACEMENT),
    ),
    Operation(
        "sessions.metrics",
        "GET",
        f"{_SESSION}/metrics",
        "Read a session's metrics.",
        reply=(sessions.SessionMetrics,),
        errors=(SessionNotFound,),
        aliases=(f"{_OLD_SESSION}/metrics",),
    ),
)

_TRANSCRIPTS = (
    Operation(
        "transcripts.append",
        "POST",
        f"{_SESSION}/transcript",
        "Append entries, all or none.",
        body=transcripts.AppendEntries,
        body_media=JSON,
        reply=(transcripts.AppendReply,),
        errors=(*_STATE, SequenceConflict, EntryConflict, TooLarge),
    ),
    Operation(
        "transcripts.search",
        "GET",
        "/v2/search",
        "Find sessions by what stands in their transcripts, the best first.",
        query=search.SearchTranscripts,
        reply=(search.SearchPage,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.redact",
        "POST",
        "/v2/redactions",
        "Replace given texts and recognised credentials in stored transcripts.",
        body=redactions.RedactTranscripts,
        body_media=JSON,
        reply=(redactions.RedactReport,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.follow",
        "GET",
        f"{_SESSION}/transcript/stream",
        "Follow a transcript as it grows, until the session ends.",
        query=http.FollowTranscript,
        reply=(transcripts.Entry,),
        reply_media=EVENTS,
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.export",
        "GET",
        f"{_SESSION}/export",
        "Export a transcript as text, markdown or JSON lines, a page at a time.",
        query=transcripts.ExportTranscript,
        reply=(transcripts.ExportPage,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.import",
        "POST",
        "/v2/sessions/import",
        "Make a session from a JSON-lines export.",
        body=http.ImportTranscript,
        body_media=JSON,
        reply=(transcripts.ImportReply,),
        status=201,
        errors=(TooLarge,),
    ),
)

_COMPUTES = (
    Operation(
        "computes.list",
        "GET",
        "/v2/computes",
        "List the computes this caller can use.",
        reply=(computes.ComputeList,),
    ),
    Operation(
        "computes.exec",
        "POST",
        f"{_SESSION}/run",
        "Run code in a session's sandbox and wait for it.",
        body=computes.ExecRequest,
        body_media=JSON,
        reply=(http.RunReply,),
        errors=_EXEC,
        aliases=(f"{_OLD_SESSION}/run",),
    ),
    Operation(
        "computes.exec_stream",
        "POST",
        f"{_SESSION}/run/stream",
        "Run code and stream its output; closing the connection ends it.",
        body=computes.ExecRequest,
        body_media=JSON,
        reply=(computes.ExecStarted, computes.ExecOutput, computes.ExecFinished),
        reply_media=EVENTS,
        errors=_EXEC,
        aliases=(f"{_OLD_SESSION}/run/stream",),
    ),
    Operation(
        "computes.install",
        "POST",
        f"{_SESSION}/install",
        "Install packages into a session's workspace.",
        body=computes.InstallRequest,
        body_media=JSON,
        reply=(computes.ExecResult,),
        errors=_EXEC,
    ),
)

_FILE_OPERATIONS = (
    Operation(
        "files.list",
        "GET",
        f"{_SESSION}/files",
        "List a folder of the workspace.",
        query=http.ListFolder,
        reply=(computes.FileList,),
        errors=_FILES,
    ),
    Operation(
        "files.read",
        "GET",
        f"{_SESSION}/files/content",
        "Read one file.",
        query=http.ReadFile,
        reply_media=BINARY,
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.write",
        "PUT",
        f"{_SESSION}/files/content",
        "Write one file whole, making parents.",
        query=http.FilePath,
        body_media=BINARY,
        reply_media=None,
        status=204,
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.upload",
        "PUT",
        f"{_SESSION}/files/folder",
        "Copy a folder into the workspace.",
        query=http.FolderPath,
        body_media=TAR,
        reply=(computes.FolderReport,),
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.download",
        "GET",
        f"{_SESSION}/files/folder",
        "Copy a folder out of the workspace.",
        query=http.FolderPath,
        reply_media=TAR,
        errors=_FILES,
    ),
)

_ROUTING = (
    Operation(
        "routing.recommend",
        "POST",
        "/gateway/recommend",
        "Advise where work should run; having nothing to recommend is an answer.",
        body=routing.RecommendRequest,
        body_media=JSON,
        reply=(routing.Recommendation,),
        aliases=("/v2/recommend",),
    ),
)

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for operation in (*_SESSIONS, *_TRANSCRIPTS, *_COMPUTES, *_FILE_OPERATIONS, *_ROUTING)
}
"""Every operation by its name, in the order in which the document shows them."""
