"""Read the server-sent events by which the bridge tells what a program writes; the wire of one call, no more."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

from cerver_core.errors import NotFound
from cerver_core.providers.encoded import Text
from cerver_core.providers.http import CloudHttp

__all__ = ["output_events"]

_LONGEST_EVENT = 8 * 1024 * 1024


async def output_events(http: CloudHttp, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Text]:
    """Give what was written on which stream, until the event that tells the end.

    Raises:
        ProviderUnavailable: the stream broke off, or the bridge says that it failed.
        NotFound: the container went away.
    """
    held = b""
    async for piece in pieces:
        *events, held = (held + piece.replace(b"\r\n", b"\n")).split(b"\n\n")
        if len(held) > _LONGEST_EVENT:
            raise http.broken("sent an event without an end")
        for event in events:
            name, data = _fields(event)
            if name == "exit":
                return
            if name == "error":
                raise _failure(http, data)
            if name in {"stdout", "stderr"}:
                yield ("stdout" if name == "stdout" else "stderr"), _bytes(http, data)
    raise http.problem(502, "POST exec", message="the stream of output broke off; the command may go on")


def _fields(event: bytes) -> tuple[str, bytes]:
    name, data = "message", list[bytes]()
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name = value.decode(errors="replace")
        elif field == b"data":
            data.append(value)
    return name, b"\n".join(data)


def _bytes(http: CloudHttp, data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except Base64Error as error:
        raise http.broken("sent output that is not base64") from error


def _failure(http: CloudHttp, data: bytes) -> Exception:
    try:
        value: object = json.loads(data)
    except ValueError:
        value = None
    told = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    code, message = str(told.get("code", "")), str(told.get("error", ""))
    if "not found" in message.lower() and "container" in message.lower():
        return NotFound(f"cloudflare's container is gone: {message}", provider=http.vendor.name)
    return http.problem(502, "POST exec", code=code, message=message)
