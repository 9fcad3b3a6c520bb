"""The `Idempotency-Key` header: a repeated call gets the first one's answer and does nothing more.

After draft-ietf-httpapi-idempotency-key-header-07 (2025-10-15): another body under the same key is 422, a first call
that is still being done 409. Keys are apart per account and operation and are kept for a day.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256

import anyio
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from cerver_core.api.replies import KeptReply, Replies
from cerver_core.errors import Conflict, InvalidInput
from cerver_core.wire.operations import Operation

__all__ = ["LONGEST_KEY", "MAX_KEPT_BYTES", "once"]

LONGEST_KEY = 255
MAX_KEPT_BYTES = 1024 * 1024
"""A larger answer is not kept: its repeat is told that the work was done. Our choice."""

_SESSION = "x-cerver-session-id"
_KEPT_HEADERS = frozenset({"content-type", "location", _SESSION})
_TRY_AGAIN = frozenset({401, 429})
_CLEAN_UP_LIMIT_S = 5


async def once(
    operation: Operation, key: str, request: bytes, replies: Replies, do: Callable[[], Awaitable[Response]]
) -> Response:
    """Do the call unless it was done under this key before; else answer as then, with `Idempotency-Replayed: true`.

    What a stream did counts as done when it begins: one that is refused before, or breaks, frees its key.
    `request` is all that makes the call what it is: its path, query and body.

    Raises:
        InvalidInput: the key is empty, too long, or not printable ASCII.
        IdempotencyMismatch, IdempotencyInProgress: see `Replies.claim`.
        Conflict: it was done, and its answer was not kept.
    """
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput(f"Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters")
    kept = await replies.claim(operation.name, key, sha256(request).hexdigest())
    if kept is not None:
        return _replayed(kept, operation)
    try:
        response = await do()
    except BaseException:
        await _released(replies, operation, key)
        raise
    if operation.streams:
        return _Begun(response, operation, key, replies)
    if response.status_code >= 500 or response.status_code in _TRY_AGAIN:
        await _released(replies, operation, key)
    else:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
            await replies.keep(operation.name, key, _kept(response, operation))
    return response


class _Begun(Response):
    """A stream whose key is settled as its head is sent: only then is it known whether anything ran."""

    def __init__(self, stream: Response, operation: Operation, key: str, replies: Replies) -> None:
        self._stream = stream
        self._operation = operation
        self._key = key
        self._replies = replies
        self.background = None
        self.status_code = stream.status_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and settle the key."""
        is_kept = False

        async def settled(message: Message) -> None:
            nonlocal is_kept
            if message["type"] == "http.response.start" and message["status"] == self._operation.status:
                headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
                headers = {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
                with anyio.CancelScope(shield=True), anyio.fail_after(_CLEAN_UP_LIMIT_S):
                    await self._replies.keep(
                        self._operation.name, self._key, KeptReply(message["status"], None, headers)
                    )
                is_kept = True
            await send(message)

        try:
            await self._stream(scope, receive, settled)
        finally:
            if not is_kept:
                await _released(self._replies, self._operation, self._key)


async def _released(replies: Replies, operation: Operation, key: str) -> None:
    with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
        await replies.release(operation.name, key)


def _kept(response: Response, operation: Operation) -> KeptReply:
    body = None if operation.shows_secret else bytes(response.body)
    if body is not None and len(body) > MAX_KEPT_BYTES:
        body = None
    headers = {name: value for name, value in response.headers.items() if name in _KEPT_HEADERS}
    return KeptReply(response.status_code, body, headers)


def _replayed(kept: KeptReply, operation: Operation) -> Response:
    session_id = kept.headers.get(_SESSION)
    if kept.body is None and session_id is not None:
        raise Conflict(
            f"{operation.name} was begun before under this Idempotency-Key, and no stream is kept: what ran and what "
            f"came of it stands in the transcript, GET /v2/sessions/{session_id}?full=1",
            status=kept.status,
            session_id=session_id,
        )
    if kept.body is None:
        raise Conflict(
            f"{operation.name} was done before under this Idempotency-Key, with status {kept.status}; its answer is "
            "not kept (a stream, a secret that is shown once, or too large): read what it made",
            status=kept.status,
        )
    return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})
