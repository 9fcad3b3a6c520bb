"""Commands and files of one running session of a Vercel sandbox: NDJSON that is taken up again when it breaks, tar.gz.

The wire carries text: bytes that are none come as U+FFFD, as in the vendor's own client. The log of a command is told
from its beginning on every connection, so a broken one is taken up by leaving out what has been given; the command
itself is never run twice.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import IO, cast

import anyio
import anyio.to_thread
from pydantic import JsonValue

from cerver_core.errors import DeadlineExceeded, FileMissing, NotFound, ProviderUnavailable, RateLimited
from cerver_core.providers.base import Output
from cerver_core.providers.encoded import Text
from cerver_core.providers.http import CloudHttp
from cerver_core.providers.shell.link import Ended, Program

__all__ = ["Commands"]

_SILENCE_S = 24 * 3600.0
"""A command may say nothing for as long as it likes: who follows it keeps the deadline."""

_FILE_S = 300.0
_PAUSES_S = (0.2, 0.4)
"""How long to wait before taking up a broken log again (SDK 0.10.0, `log_stream.py`)."""

_CLOSED = "sandbox_stream_closed"
_LONGEST_LINE = 8 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024

Record = Mapping[str, JsonValue]


class Commands:
    """Asks about sessions by their path, `/v2/sandboxes/sessions/<id>`."""

    def __init__(self, http: CloudHttp, query: Mapping[str, str]) -> None:
        self._http = http
        self._query = query

    @asynccontextmanager
    async def run(self, session: str, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        """Run a program; leaving early lets it go on."""
        body: dict[str, JsonValue] = {
            "command": program.argv[0],
            "args": list(program.argv[1:]),
            "env": dict(program.env),
            "sudo": False,
            "wait": True,
            "logs": True,
            "timeout": int(program.timeout_s * 1000),
        }
        opened = self._http.stream(
            "POST", f"{session}/cmd", query={**self._query, "wait": "true", "logs": "true"},
            content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, silence_s=_SILENCE_S,
        )  # fmt: skip
        async with opened as pieces:
            run = _Followed(self._http, self._query, session, pieces)
            async with aclosing(run.events()) as events:
                yield events

    async def put(self, session: str, path: str, content: bytes | Path) -> None:
        """Write a file."""
        from cerver_core.providers.vercel.packing import pack  # noqa: PLC0415 - loads with the first file that is sent

        with await anyio.to_thread.run_sync(pack, path, content) as packed:
            await self._http.whole(
                "POST", f"{session}/fs/write", query=self._query, content=_blocks(packed), timeout_s=_FILE_S,
                headers={"Content-Type": "application/gzip", "X-Cwd": "/"},
            )  # fmt: skip

    @asynccontextmanager
    async def get(self, session: str, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Read a file."""
        try:
            async with self._http.stream(
                "POST", f"{session}/fs/read", query=self._query, content=json.dumps({"path": path}).encode(),
                headers={"Content-Type": "application/json"}, silence_s=_FILE_S,
            ) as pieces:  # fmt: skip
                yield pieces
        except NotFound as error:
            if isinstance(error, FileMissing):
                raise
            raise FileMissing(f"{path} does not exist in the sandbox") from error


class _Followed:
    """One command: its output, from as many connections as it takes, and its end."""

    def __init__(self, http: CloudHttp, query: Mapping[str, str], session: str, pieces: AsyncIterator[bytes]) -> None:
        self._http = http
        self._query = query
        self._session = session
        self._first = pieces
        self._command_id = ""
        self._code: int | None = None
        self._is_final = False
        self._given = {"stdout": 0, "stderr": 0}

    async def events(self) -> AsyncGenerator[Output | Ended]:
        """Give the output as bytes of the text that came."""
        async with aclosing(self.pieces()) as pieces:
            async for stream, text in pieces:
                yield Output(stream, text)
        yield Ended(self._code)

    async def pieces(self) -> AsyncGenerator[Text]:
        """Give every piece of text once."""
        pauses = list(_PAUSES_S)
        source = self._told(self._first, dict.fromkeys(self._given, 0))
        while True:
            before = sum(self._given.values())
            try:
                async with aclosing(source) as texts:
                    async for text in texts:
                        yield text
                if self._is_final or await self._has_ended():
                    return
            except (ProviderUnavailable, DeadlineExceeded, RateLimited):
                if not self._command_id:
                    raise
                if sum(self._given.values()) > before:
                    pauses = list(_PAUSES_S)
                if not pauses:
                    raise
            await anyio.sleep(pauses.pop(0) if pauses else _PAUSES_S[-1])
            source = self._log()

    async def _log(self) -> AsyncGenerator[Text]:
        url = f"{self._session}/cmd/{self._command_id}/logs"
        async with (
            self._http.stream("GET", url, query=self._query, silence_s=_SILENCE_S) as pieces,
            aclosing(self._told(pieces, dict(self._given))) as texts,
        ):
            async for text in texts:
                yield text

    async def _has_ended(self) -> bool:
        """Ask how the command ended, after its log has."""
        told = await self._http.json(
            "GET", f"{self._session}/cmd/{self._command_id}", query={**self._query, "wait": "false"}
        )
        self._take_command(told)
        return self._is_final

    async def _told(self, pieces: AsyncIterator[bytes], seen: dict[str, int]) -> AsyncGenerator[Text]:
        """Read the records of one connection; of each stream so many characters were given before."""
        async with aclosing(_records(self._http, pieces)) as records:
            async for record in records:
                stream, data = record.get("stream"), record.get("data")
                if "command" in record:
                    self._take_command(record)
                elif stream in ("stdout", "stderr") and isinstance(data, str):
                    skipped = min(seen[stream], len(data))
                    seen[stream] -= skipped
                    if skipped < len(data):
                        self._given[stream] += len(data) - skipped
                        yield ("stdout" if stream == "stdout" else "stderr"), data[skipped:].encode(errors="replace")
                elif stream == "error" and isinstance(data, dict):
                    self._fail(data)

    def _take_command(self, record: Record) -> None:
        command = record.get("command")
        if not isinstance(command, dict) or not isinstance(command.get("id"), str):
            raise self._http.broken("told of a command without its id")
        self._command_id = cast("str", command["id"])
        code = command.get("exitCode")
        if isinstance(code, int):
            self._code, self._is_final = code, True

    def _fail(self, data: Record) -> None:
        code, message = str(data.get("code", "")), str(data.get("message", ""))
        status = 503 if code == _CLOSED else 410
        raise self._http.problem(status, "the output of a command", code=code, message=message)


async def _records(http: CloudHttp, pieces: AsyncIterator[bytes]) -> AsyncGenerator[Record]:
    held = b""
    async for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield http.object(line, "the output of a command")
        if len(held) > _LONGEST_LINE:
            raise http.broken("sent a record that is too long")
    if held.strip():
        raise http.problem(503, "the output of a command", message="the stream stopped in the middle of a record")


async def _blocks(file: IO[bytes]) -> AsyncGenerator[bytes]:
    while block := await anyio.to_thread.run_sync(file.read, _BLOCK_BYTES):
        yield block
