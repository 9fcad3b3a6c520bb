"""The tools about sessions: list, create, spawn, end, metrics."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from cerver_core.render import sessions as render
from cerver_core.wire.sessions import (
    CreateSession,
    ListSessions,
    SessionEnvelope,
    SessionType,
    SpawnSession,
    public_status,
)
from cerver_mcp.tools.base import Args, Call, Record, SessionRef, Tool, hints, record_schema

__all__ = ["CREATE", "END", "LIST", "METRICS", "SPAWN", "opened"]

MAX_ROWS = 100

_STATUS = WithJsonSchema({"type": "string", "enum": ["running", "idle", "ended"]})
_OBJECT = WithJsonSchema({"type": "object"})


class ListArgs(Args):
    """Which sessions."""

    status: Annotated[str | None, _STATUS] = None
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 20
    cursor: Annotated[str | None, Field(max_length=200)] = None
    project: str | None = None


class CreateArgs(Args):
    """What to open."""

    session_name: str | None = None
    task: Annotated[str, Field(description="The first entry")] = ""
    session_type: SessionType = "general"
    harness: str | None = None
    compute: Annotated[
        str | dict[str, JsonValue] | None,
        WithJsonSchema({"type": "string"}),
        Field(description="Provider or compute id, or none"),
    ] = None
    requirements: Annotated[
        dict[str, JsonValue] | None,
        _OBJECT,
        Field(description="runtime, timeout_minutes, network, isolation, persistence_level"),
    ] = None
    policy: Annotated[
        dict[str, JsonValue] | None,
        _OBJECT,
        Field(description="mode, pinned_provider"),
    ] = None
    metadata: Annotated[dict[str, JsonValue] | None, _OBJECT] = None


class SpawnArgs(Args):
    """Whose child, and what for."""

    parent_session_id: SessionRef
    task: str
    session_name: str | None = None
    target_compute_id: str | None = None


class EndArgs(Args):
    """What to do with which session."""

    session_id: SessionRef
    action: Literal["pause", "resume", "terminate"]


class MetricsArgs(Args):
    """Which session."""

    session_id: SessionRef


def opened(envelope: SessionEnvelope) -> Record:
    """Write what a caller needs of an envelope; the whole report stays with the session."""
    isolation = envelope.isolation
    kept = envelope.workspace_kept_until
    facts: Record = {
        "session_id": envelope.session_id,
        "session_name": envelope.session_name,
        "status": public_status(envelope.status),
        "state": envelope.status,
        "provider": envelope.provider,
        "compute_id": envelope.compute_id,
        "harness": envelope.harness,
        "parent_session_id": envelope.parent_session_id,
        "isolation_level": isolation.level if isolation else None,
        "weaker_than_asked": True if isolation and isolation.weaker_than_asked else None,
        "workspace_kept_until": kept.isoformat() if isinstance(kept, datetime) else kept,
        "chosen_because": envelope.routing.primary_reason if envelope.routing else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


async def _list(call: Call, args: ListArgs) -> str:
    given = args.model_dump(exclude_unset=True, exclude_none=True)
    request = ListSessions.model_validate(given)
    cerver = await call.cerver()
    page = await cerver.sessions.list(request)
    return render.rows(page, now=datetime.now(UTC), request=request)


async def _create(call: Call, args: CreateArgs) -> Record:
    request = CreateSession.model_validate(_create_body(args))
    cerver = await call.cerver()
    return opened(await cerver.sessions.create(request))


def _create_body(args: CreateArgs) -> dict[str, Any]:
    body = args.model_dump(exclude_unset=True, exclude_none=True, exclude={"compute", "metadata"})
    body["metadata"] = {"source": "mcp", **(args.metadata or {})}
    if "compute" in args.model_fields_set:
        body["compute"] = _compute(args.compute)
    return body


def _compute(choice: str | dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    if choice is None or choice == "none":
        return None
    if isinstance(choice, str):
        return {"compute_id" if choice.startswith("comp_") else "provider": choice}
    return choice


async def _spawn(call: Call, args: SpawnArgs) -> Record:
    given = args.model_dump(exclude={"parent_session_id"}, exclude_none=True)
    request = SpawnSession.model_validate({**given, "metadata": {"source": "mcp"}})
    cerver = await call.cerver()
    parent = await call.session(args.parent_session_id)
    return opened(await cerver.sessions.spawn(parent, request))


async def _end(call: Call, args: EndArgs) -> Record:
    sessions = (await call.cerver()).sessions
    session_id = await call.session(args.session_id)
    actions = {"pause": sessions.pause, "resume": sessions.resume, "terminate": sessions.terminate}
    return opened(await actions[args.action](session_id))


async def _metrics(call: Call, args: MetricsArgs) -> Record:
    sessions = (await call.cerver()).sessions
    answer = await sessions.metrics(await call.session(args.session_id))
    return {
        "session_id": answer.session_id,
        "status": public_status(answer.status),
        "state": answer.status,
        "provider": answer.provider,
        **answer.metrics.model_dump(mode="json"),
    }


_OPENED = record_schema()

LIST = Tool(
    name="cerver_session_list",
    about="List sessions, the memory this user's agents share, newest first.",
    args=ListArgs,
    run=_list,
    annotations=hints(reads=True),
    always_load=True,
)
CREATE = Tool(
    name="cerver_session_create",
    about="Open a session: a transcript and, unless compute is none, a sandbox.",
    args=CreateArgs,
    run=_create,
    annotations=hints(),
    output=_OPENED,
)
SPAWN = Tool(
    name="cerver_spawn",
    about="Open a child session for part of the work.",
    args=SpawnArgs,
    run=_spawn,
    annotations=hints(),
    output=_OPENED,
)
END = Tool(
    name="cerver_session_end",
    about="Pause (files stay), resume, or terminate for good; transcripts stay.",
    args=EndArgs,
    run=_end,
    annotations=hints(destroys=True, repeatable=True),
    output=_OPENED,
)
METRICS = Tool(
    name="cerver_session_metrics",
    about="Counts, latencies and cost of a session.",
    args=MetricsArgs,
    run=_metrics,
    annotations=hints(reads=True),
    output=record_schema(),
)
