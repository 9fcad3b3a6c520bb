"""What a p69 server answers, in both generations, read with care; pure.

The older generation runs `code` as the prompt of a coding agent and tells `success`, `action` and `execution_runtime`;
the newer one has a shell and tells `duration_ms`. Both tell `stdout`, `stderr` and `exit_code`, 124 after a timeout.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.encoded import Text
from cerver_core.providers.http import CloudHttp

__all__ = ["RunReply", "run_events", "run_reply"]

_LONGEST_EVENT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunReply:
    """What a run came to."""

    stdout: str
    stderr: str
    exit_code: int


def run_reply(http: CloudHttp, answer: Mapping[str, JsonValue]) -> RunReply:
    """Read the reply to a run of either generation."""
    code = answer.get("exit_code")
    if not isinstance(code, int) or isinstance(code, bool):
        raise http.broken("answered a run without an exit code")
    out, err = answer.get("stdout"), answer.get("stderr")
    return RunReply(out if isinstance(out, str) else "", err if isinstance(err, str) else "", code)


async def run_events(http: CloudHttp, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Text]:
    """Give what a streamed run writes, until it tells its end.

    Events are `connected`, `output` with `stream` and `data`, then `exit` or `paused`; `error` is a failure.

    Raises:
        ProviderUnavailable: the stream broke off, or the server says that it failed.
    """
    held = b""
    async for piece in pieces:
        *events, held = (held + piece.replace(b"\r\n", b"\n")).split(b"\n\n")
        if len(held) > _LONGEST_EVENT:
            raise http.broken("sent an event without an end")
        for event in events:
            told = _data(http, event)
            kind = told.get("type")
            if kind in ("exit", "paused"):
                return
            if kind == "error":
                raise ProviderUnavailable(f"p69 could not run the command: {told.get('error')}", provider="p69")
            data = told.get("data")
            if kind == "output" and isinstance(data, str):
                yield ("stderr" if told.get("stream") == "stderr" else "stdout"), data.encode()
    raise ProviderUnavailable(
        "the stream of output from p69 broke off; the command may go on", provider=http.vendor.name
    )


def _data(http: CloudHttp, event: bytes) -> dict[str, object]:
    lines = [line.removeprefix(b"data:").removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    if not lines:
        return {}
    try:
        value: object = json.loads(b"\n".join(lines))
    except ValueError as error:
        raise http.broken("sent an event that is not JSON") from error
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
