"""The daemon inside a sandbox of E2B (envd): programs over Connect with JSON, files over REST."""

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core.errors import CerverError, FileMissing, NotFound, ProviderUnavailable
from cerver_core.providers.base import Output, SandboxRef
from cerver_core.providers.e2b.connect import frame, messages
from cerver_core.providers.http import CloudHttp
from cerver_core.providers.shell.link import Ended, Program

__all__ = ["Daemon", "Reached"]

_START = "/process.Process/Start"
_KEEPALIVE_S = 50
_SILENCE_S = 120.0
"""The daemon sends a sign of life every `_KEEPALIVE_S` seconds; after more than two that are missing it is dead."""

_FILE_S = 300.0
_BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the daemon of one sandbox is, and what each request to it carries."""

    url: str
    headers: Mapping[str, str]


class Daemon:
    """Asks the daemons of all sandboxes.

    `reach` says how, so that it will do for so many seconds at least; `forget` is told that it did not.
    """

    def __init__(
        self,
        http: CloudHttp,
        reach: Callable[[SandboxRef, float], Awaitable[Reached]],
        forget: Callable[[SandboxRef], object],
    ) -> None:
        self._http = http
        self._reach = reach
        self._forget = forget

    @asynccontextmanager
    async def run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        """Run a program; leaving early lets it go on."""
        at = await self._reach(ref, program.timeout_s)
        process: JsonValue = {"cmd": program.argv[0], "args": list(program.argv[1:]), "envs": dict(program.env)}
        headers = {
            **at.headers,
            "Content-Type": "application/connect+json",
            "Connect-Protocol-Version": "1",
            "Connect-Timeout-Ms": str(int(program.timeout_s * 1000)),
            "Keepalive-Ping-Interval": str(_KEEPALIVE_S),
        }
        content = frame({"process": process, "stdin": False})
        opened = self._http.stream("POST", at.url + _START, content=content, headers=headers, silence_s=_SILENCE_S)
        try:
            async with opened as pieces, aclosing(self._events(pieces)) as events:
                yield events
        except ProviderUnavailable as error:
            raise self._gone_or(error, ref) from error

    async def _events(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Output | Ended]:
        code: int | None = None
        async with aclosing(messages(self._http, pieces, f"POST {_START}")) as told:
            async for message in told:
                event = message.get("event") if isinstance(message, dict) else None
                if not isinstance(event, dict):
                    continue
                data, end = event.get("data"), event.get("end")
                if isinstance(data, dict):
                    for output in self._outputs(data):
                        yield output
                if isinstance(end, dict):
                    # Proto3 leaves a zero out.
                    given = end.get("exitCode", 0)
                    code = given if isinstance(given, int) else None
                    code = None if code is not None and code < 0 else code
        yield Ended(code)

    def _outputs(self, data: Mapping[str, JsonValue]) -> list[Output]:
        found: list[Output] = []
        for stream in ("stdout", "stderr"):
            text = data.get(stream)
            if isinstance(text, str):
                try:
                    found.append(Output(stream, base64.b64decode(text)))
                except binascii.Error as error:
                    raise self._http.broken("sent output that is not base64") from error
        return found

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file."""
        at = await self._reach(ref, _FILE_S)
        boundary = uuid4().hex
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            await self._http.whole(
                "POST", f"{at.url}/files", query={"path": path}, content=_multipart(boundary, content),
                headers={**at.headers, **kind}, timeout_s=_FILE_S,
            )  # fmt: skip
        except ProviderUnavailable as error:
            raise self._gone_or(error, ref) from error

    def _gone_or(self, error: ProviderUnavailable, ref: SandboxRef) -> CerverError:
        """Tell a sandbox that is not there: the vendor's edge answers 502 for it (SDK 2.63.0, `envd/api.py`)."""
        self._forget(ref)
        if error.detail.get("status") == 502:
            return NotFound(
                f"sandbox {ref.sandbox_id} is not running at e2b: it ended, or was paused ({error.message})",
                **error.detail,
            )
        return error

    @asynccontextmanager
    async def get(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Read a file."""
        at = await self._reach(ref, _FILE_S)
        try:
            async with self._http.stream(
                "GET", f"{at.url}/files", query={"path": path}, headers=at.headers, silence_s=_SILENCE_S
            ) as pieces:
                yield pieces
        except NotFound as error:
            if isinstance(error, FileMissing):
                raise
            raise FileMissing(f"{path} does not exist in the sandbox") from error
        except ProviderUnavailable as error:
            raise self._gone_or(error, ref) from error


async def _multipart(boundary: str, content: bytes | Path) -> AsyncGenerator[bytes]:
    yield (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    if isinstance(content, bytes):
        for begin in range(0, len(content), _BLOCK_BYTES):
            yield content[begin : begin + _BLOCK_BYTES]
    else:
        async with await anyio.open_file(content, "rb") as file:
            while block := await file.read(_BLOCK_BYTES):
                yield block
    yield f"\r\n--{boundary}--\r\n".encode()
