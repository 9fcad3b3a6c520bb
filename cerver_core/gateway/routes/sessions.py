"""Sessions, over HTTP."""

from collections.abc import Mapping

from starlette.responses import Response

from cerver_core.errors import AmbiguousReference, NotSupported, SessionNotFound
from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.gateway.routes.reads import bounded, in_pieces
from cerver_core.wire.http import FindSessions, TerminateSession
from cerver_core.wire.sessions import (
    AttachCompute,
    CreateSession,
    ListSessions,
    SessionPage,
    SpawnSession,
    UpdateSession,
)
from cerver_core.wire.transcripts import ReadTranscript
from cerver_core.wire.turns import ReportStatus, RunLlm, SendInput, SwitchTool

__all__ = ["HANDLERS"]


async def _create(call: Call) -> Answer:
    return await call.cerver.sessions.create(call.body(CreateSession))


async def _list(call: Call) -> Answer:
    query = call.query(FindSessions)
    if query.reference is not None:
        return await _found(call, query.reference)
    return await call.cerver.sessions.list(ListSessions.model_validate(query.model_dump(exclude={"reference"})))


async def _found(call: Call, reference: str) -> SessionPage:
    sessions = call.cerver.sessions
    try:
        ids = [await sessions.resolve(reference)]
    except SessionNotFound:
        ids = []
    except AmbiguousReference as error:
        candidates = error.detail.get("candidates")
        ids = [str(one) for one in candidates] if isinstance(candidates, list) else []
    return SessionPage(sessions=tuple([await sessions.get(one) for one in ids]))


async def _get(call: Call) -> Answer:
    query = call.query(ReadTranscript)
    if not query.model_fields_set or (query.model_fields_set == {"full"} and not query.full):
        return await call.cerver.sessions.get(call.session_id)
    asks_for_all = (query.full or query.since is not None) and not query.model_fields_set & {"limit", "max_bytes"}
    read: Response = await (in_pieces if asks_for_all and query.max_tokens is None else bounded)(call, query)
    return read


async def _update(call: Call) -> Answer:
    return await call.cerver.sessions.update(call.session_id, call.body(UpdateSession))


async def _terminate(call: Call) -> Answer:
    query = call.query(TerminateSession)
    return await call.cerver.sessions.terminate(call.session_id, delete_workspace=query.delete_workspace)


async def _pause(call: Call) -> Answer:
    return await call.cerver.sessions.pause(call.session_id)


async def _resume(call: Call) -> Answer:
    return await call.cerver.sessions.resume(call.session_id)


async def _spawn(call: Call) -> Answer:
    return await call.cerver.sessions.spawn(call.session_id, call.body(SpawnSession))


async def _attach(call: Call) -> Answer:
    return await call.cerver.sessions.attach(call.session_id, call.body(AttachCompute))


async def _input(call: Call) -> Answer:
    return await call.cerver.sessions.input(call.session_id, call.body(SendInput))


async def _report_status(call: Call) -> Answer:
    return await call.cerver.sessions.report_status(call.session_id, call.body(ReportStatus))


async def _switch_tool(call: Call) -> Answer:
    return await call.cerver.sessions.switch_tool(call.session_id, call.body(SwitchTool))


async def _close(call: Call) -> Answer:
    return await call.cerver.sessions.terminate(call.session_id)


async def _run_llm(call: Call) -> Answer:
    call.body(RunLlm)
    await call.cerver.sessions.get(call.session_id)
    raise NotSupported("this gateway drives no models itself: run a harness in the session, or ask the model's own API")


async def _metrics(call: Call) -> Answer:
    return await call.cerver.sessions.metrics(call.session_id)


HANDLERS: Mapping[str, Handler] = {
    "sessions.create": _create,
    "sessions.list": _list,
    "sessions.get": _get,
    "sessions.update": _update,
    "sessions.terminate": _terminate,
    "sessions.pause": _pause,
    "sessions.resume": _resume,
    "sessions.spawn": _spawn,
    "sessions.attach": _attach,
    "sessions.close": _close,
    "sessions.input": _input,
    "sessions.report_status": _report_status,
    "sessions.switch_tool": _switch_tool,
    "sessions.run_llm": _run_llm,
    "sessions.metrics": _metrics,
}
