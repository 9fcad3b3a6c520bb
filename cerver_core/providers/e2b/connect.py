"""The Connect protocol with JSON, as far as E2B's daemon needs it: frames of a stream, and the errors at its end; pure.

A frame is one byte of flags, the length in four bytes, and JSON; flag 2 marks the last one
(connectrpc.com/docs/protocol).
"""

import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from pydantic import JsonValue

from cerver_core.errors import CerverError
from cerver_core.providers.http import CloudHttp

__all__ = ["ENDS", "frame", "messages"]

ENDS = ("deadline_exceeded", "canceled", "aborted")
"""Codes with which a stream ends because its process was ended."""

_HEAD = struct.Struct(">BI")
_COMPRESSED, _LAST = 1, 2
_MOST_FRAME_BYTES = 16 * 1024 * 1024
_STATUS = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "already_exists": 409,
    "failed_precondition": 409,
    "resource_exhausted": 429,
    "unavailable": 503,
    "internal": 500,
}


def frame(message: JsonValue) -> bytes:
    """Write one message."""
    content = json.dumps(message).encode()
    return _HEAD.pack(0, len(content)) + content


async def messages(
    http: CloudHttp, pieces: AsyncIterator[bytes], asked: str
) -> AsyncGenerator[dict[str, JsonValue] | str]:
    """Read the messages of a stream; at the last the code of an error in `ENDS`, if it is one.

    Raises:
        ProviderUnavailable: the stream stopped without its last frame.
        CerverError: what the last frame tells.
    """
    held = bytearray()
    async with aclosing(_frames(http, pieces, held)) as frames:
        async for flags, content in frames:
            message = http.object(content, asked)
            if not flags & _LAST:
                yield message
                continue
            error = message.get("error")
            if isinstance(error, dict):
                code = str(error.get("code", "unknown"))
                if code not in ENDS:
                    raise _told(http, asked, error)
                yield code
            # To the end of the body, so that the connection can be used again.
            async for _ in frames:
                continue
            return
    raise http.problem(503, asked, message="the stream stopped in the middle; what was asked may go on")


async def _frames(http: CloudHttp, pieces: AsyncIterator[bytes], held: bytearray) -> AsyncGenerator[tuple[int, bytes]]:
    async for piece in pieces:
        held += piece
        while len(held) >= _HEAD.size:
            flags, size = _HEAD.unpack_from(held)
            if flags & _COMPRESSED or size > _MOST_FRAME_BYTES:
                raise http.broken("sent a frame that nobody asked for")
            if len(held) < _HEAD.size + size:
                break
            content = bytes(held[_HEAD.size : _HEAD.size + size])
            del held[: _HEAD.size + size]
            yield flags, content


def _told(http: CloudHttp, asked: str, error: dict[str, JsonValue]) -> CerverError:
    code, message = str(error.get("code", "unknown")), error.get("message")
    return http.problem(_STATUS.get(code, 400), asked, code=code, message=cast("str", message) if message else "")
