"""Live transcripts over a WebSocket: `GET /v2/sessions/{session_id}/stream/ws`.

The key comes as `Authorization: Bearer`, as the query's `token`, or in the first message `{"type":"auth","token":…}`.
The gateway sends `connected` with `last_seq`, one `entry` message for each entry, and `end` when the session is over;
`{"type":"ping"}` is answered with `pong`. `since` in the query says where to begin; left out, at the present end.
Every handshake is accepted: of one that is refused a browser tells its page nothing, of a close code it does.
"""

import json
import logging
from contextlib import suppress
from typing import Annotated

import anyio
from pydantic import Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from cerver_core.api import Caller
from cerver_core.errors import CerverError, Forbidden, InvalidInput, NotFound, RateLimited, Unauthorized, Unavailable
from cerver_core.gateway.call import NO_KEY, Serving
from cerver_core.gateway.dispatch import admit, bearer, identify
from cerver_core.gateway.live import Shown, Tail
from cerver_core.gateway.reading import invalid
from cerver_core.gateway.unexpected import expected_only
from cerver_core.wire.model import MAX_SEQ, Request

__all__ = ["CLOSE_CODES", "STREAM_PATH", "stream"]

_log = logging.getLogger(__name__)

STREAM_PATH = "/v2/sessions/{session_id}/stream/ws"

CLOSE_CODES = {
    "bad": 4400,
    "unauthorized": 4401,
    "forbidden": 4403,
    "not_found": 4404,
    "too_often": 4429,
    "stopping": 1012,
    "broke": 1011,
}
"""Why a socket was closed: 4000 plus the HTTP status where there is one, else RFC 6455's own code. Our choice."""

_AUTH_S = 10


class WatchSession(Request):
    """The query of a socket."""

    token: Annotated[str, Field(max_length=500)] | None = None
    since: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None


async def stream(socket: WebSocket) -> None:
    """Serve one socket."""
    await socket.accept()
    try:
        with expected_only(f"a socket of {socket.url.path}"):
            await _serve(socket)
    except WebSocketDisconnect:
        return
    except CerverError as error:
        await _close(socket, _code(error), error.message)


async def _serve(socket: WebSocket) -> None:
    serving: Serving = socket.app.state.serving
    asked = _query(socket)
    token = bearer(socket.scope) or asked.token
    if token is None:
        token = await _first_message(socket)
    caller = await identify(serving, socket.scope, token)
    admit(caller, "read", socket.headers.get("origin"))
    with serving.rates.stream(caller.key_id):
        failure = await _tell(socket, serving, caller, asked, token)
    if failure is not None:
        raise failure
    await _close(socket, 1000, "the session is over")


async def _tell(
    socket: WebSocket, serving: Serving, caller: Caller, asked: WatchSession, token: str
) -> CerverError | None:
    session_id: str = socket.path_params["session_id"]
    cerver = serving.host.cerver(caller)
    async with serving.live.tail(caller.account_id, cerver, session_id, asked.since) as tail:
        await socket.send_text(json.dumps({"type": "connected", "session_id": session_id, "last_seq": tail.seq}))
        return await _talk(socket, serving, tail, token)


def _query(socket: WebSocket) -> WatchSession:
    try:
        return WatchSession.model_validate({key: value for key, value in socket.query_params.items() if value})
    except ValidationError as error:
        raise invalid(error, WatchSession) from None


async def _first_message(socket: WebSocket) -> str:
    with anyio.move_on_after(_AUTH_S):
        told = _read(await socket.receive_text())
        token = told.get("token")
        if told.get("type") == "auth" and isinstance(token, str):
            return token
    raise Unauthorized(NO_KEY + ', or as the first message {"type":"auth","token":"<key>"}')


async def _talk(socket: WebSocket, serving: Serving, tail: Tail, token: str) -> CerverError | None:
    """Send and listen until the session is over, the caller leaves, or something breaks."""
    failure: CerverError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_listen, socket, tasks.cancel_scope)
        try:
            with expected_only("sending to a socket"):
                await _send(socket, serving, tail, token)
        except CerverError as error:
            failure = error
        tasks.cancel_scope.cancel()
    return failure


async def _send(socket: WebSocket, serving: Serving, tail: Tail, token: str) -> None:
    limits = serving.limits
    checked = anyio.current_time()
    with suppress(WebSocketDisconnect):
        while (shown := await tail.next(limits.heartbeat_s)) is not None:
            for one in shown:
                with anyio.move_on_after(limits.send_s) as limit:
                    await socket.send_text(_message(one))
                if limit.cancelled_caught:
                    raise Unavailable(f"the caller took nothing for {limits.send_s:g} s")
            if anyio.current_time() - checked >= limits.heartbeat_s:
                await serving.host.authenticate(token)
                checked = anyio.current_time()
        await socket.send_text('{"type":"end"}')


async def _listen(socket: WebSocket, scope: anyio.CancelScope) -> None:
    try:
        while True:
            told = _read(await socket.receive_text())
            if told.get("type") == "ping":
                await socket.send_text('{"type":"pong"}')
    except (WebSocketDisconnect, InvalidInput, KeyError):
        scope.cancel()


def _read(text: str) -> dict[str, object]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("a message of a socket must be a JSON object") from error
    if not isinstance(told, dict):
        raise InvalidInput("a message of a socket must be a JSON object")
    return {str(key): value for key, value in told.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]


def _message(shown: Shown) -> str:
    return f'{{"type":"entry","entry":{shown.text.decode()}}}'


def _code(error: CerverError) -> int:
    kinds = ((Unauthorized, "unauthorized"), (Forbidden, "forbidden"), (NotFound, "not_found"), (InvalidInput, "bad"))
    for kind, word in (*kinds, (RateLimited, "too_often"), (Unavailable, "stopping")):
        if isinstance(error, kind):
            return CLOSE_CODES[word]
    return CLOSE_CODES["broke"]


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # the other side was quicker
        await socket.close(code, reason.encode()[:120].decode("utf-8", "ignore"))
