"""The toolbox inside of a Daytona sandbox: programs in sessions of their own, and files; knows nothing of lifetimes.

A command is run in a session, which is a shell in the sandbox, and followed over the WebSocket of its log. The log
marks what came on which stream by three bytes in front of each piece, and carries lines: output goes encoded.
"""

import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core.errors import CerverError, FileMissing, NotFound
from cerver_core.providers.base import Output
from cerver_core.providers.encoded import Text, decoded, encoded_argv
from cerver_core.providers.http import CloudHttp
from cerver_core.providers.shell.link import Ended, Program
from cerver_core.providers.sockets import Sockets

__all__ = ["Marked", "Toolbox"]

_MARKS: Mapping[bytes, str] = {b"\x01\x01\x01": "stdout", b"\x02\x02\x02": "stderr"}
_BLOCK_BYTES = 256 * 1024
_MOVE_LIMIT_S = 900.0
_FORGET_S = 10.0


class Toolbox:
    """Asks the toolbox at an address, which is a sandbox's own."""

    def __init__(self, http: CloudHttp, sockets: Sockets) -> None:
        self._http = http
        self._sockets = sockets

    @asynccontextmanager
    async def run(self, url: str, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        """Run a program, encoded, and give what it writes; its session is removed afterwards."""
        session = f"cerver-{uuid4().hex}"
        await self._http.json("POST", f"{url}/process/session", body={"sessionId": session})
        try:
            asked: dict[str, JsonValue] = {"command": _line(program), "runAsync": True, "suppressInputEcho": True}
            begun = await self._http.json("POST", f"{url}/process/session/{session}/exec", body=asked)
            command = begun.get("cmdId")
            if not isinstance(command, str):
                raise self._http.broken("started a command without saying which")
            logs = f"{url}/process/session/{session}/command/{quote(command, safe='')}/logs"
            async with (
                self._sockets.messages(logs, {"follow": "true"}) as messages,
                aclosing(decoded(Marked().pieces(messages), self._http.vendor.name)) as events,
            ):
                yield events
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_FORGET_S):
                await self._forget(f"{url}/process/session/{session}")

    async def put(self, url: str, path: str, content: bytes | Path) -> None:
        """Write one file: an upload of several parts, of which the first says where it goes."""
        boundary = uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files[0].path"\r\n\r\n{path}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="files[0].file"; filename="file"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = len(content) if isinstance(content, bytes) else (await anyio.Path(content).stat()).st_size
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        await self._http.whole(
            "POST",
            f"{url}/files/bulk-upload",
            content=_parts(head, content, tail),
            headers=headers,
            timeout_s=_MOVE_LIMIT_S,
        )

    def get(self, url: str, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read one file."""
        return self._got(url, path)

    @asynccontextmanager
    async def _got(self, url: str, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        opened = self._http.stream("GET", f"{url}/files/download", query={"path": path}, silence_s=_MOVE_LIMIT_S)
        try:
            pieces = await opened.__aenter__()
        except NotFound as error:
            raise FileMissing(f"{path!r} does not exist in the sandbox") from error
        try:
            yield pieces
        finally:
            await opened.__aexit__(None, None, None)

    async def _forget(self, url: str) -> None:
        try:
            await self._http.whole("DELETE", url)
        except CerverError:
            return


class Marked:
    """Takes a log apart by its marks; one object for each log."""

    def __init__(self) -> None:
        self._stream = ""
        self._held = b""

    async def pieces(self, messages: AsyncIterator[bytes]) -> AsyncGenerator[Text]:
        """Give what was written on which stream."""
        async for message in messages:
            for text in self.take(message):
                yield text
        if self._held and self._stream:
            yield ("stdout" if self._stream == "stdout" else "stderr"), self._held

    def take(self, message: bytes) -> list[Text]:
        """Take some bytes; two that may begin a mark are held back."""
        data, found = self._held + message, list[Text]()
        while True:
            places = [(place, mark) for mark in _MARKS if (place := data.find(mark)) >= 0]
            if not places:
                break
            place, mark = min(places)
            self._keep(found, data[:place])
            self._stream = _MARKS[mark]
            data = data[place + len(mark) :]
        held = next((n for n in (2, 1) if data[-n:] and data[-n:] in (b"\x01" * n, b"\x02" * n)), 0)
        self._held = data[len(data) - held :]
        self._keep(found, data[: len(data) - held])
        return found

    def _keep(self, found: list[Text], data: bytes) -> None:
        if data and self._stream:
            found.append(("stdout" if self._stream == "stdout" else "stderr", data))


def _line(program: Program) -> str:
    """Give the shell line: variables in front of the program, so that they stand in no process's arguments."""
    named = {name: value for name, value in program.env.items() if name.isidentifier() and name.isascii()}
    others = [f"{name}={value}" for name, value in program.env.items() if name not in named]
    argv = (*(("env", *others) if others else ()), *encoded_argv(program.argv))
    return " ".join((*(f"{name}={shlex.quote(value)}" for name, value in named.items()), shlex.join(argv)))


async def _parts(head: bytes, content: bytes | Path, tail: bytes) -> AsyncGenerator[bytes]:
    yield head
    if isinstance(content, bytes):
        yield content
    else:
        async with await anyio.open_file(content, "rb") as file:
            while block := await file.read(_BLOCK_BYTES):
                yield block
    yield tail
