"""A home of its own for every test, and the installed command on a raw pipe."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.redaction import KnownSecrets
from cerver_mcp.server import build

COMMAND = Path(sys.executable).with_name("cerver-mcp")
WAIT_S = 60.0
HELLO: Mapping[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "0"},
}
MODERN: Mapping[str, Any] = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
    }
}


class Pipe:
    """A server process on a raw pipe; every wait is bounded."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path) -> None:
        self._stderr = cwd / "stderr.txt"
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(env),
                cwd=cwd,
            )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def send(self, line: bytes | Mapping[str, Any]) -> None:
        """Write one line."""
        assert self.process.stdin
        data = line if isinstance(line, bytes) else json.dumps(line).encode()
        self.process.stdin.write(data + b"\n")
        self.process.stdin.flush()

    def ask(self, request_id: str | int, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and give the next message."""
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": dict(params or {})})
        return self.next()

    def handshake(self) -> dict[str, Any]:
        """Do the handshake of 2025."""
        reply = self.ask("hello", "initialize", HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return reply

    def next(self) -> dict[str, Any]:
        """Give the next message."""
        return json.loads(self.next_line())

    def next_line(self) -> bytes:
        """Give the next line as it was written; empty at the end."""
        return self._lines.get(timeout=WAIT_S)

    def has_line(self) -> bool:
        """Tell whether a line is waiting."""
        return not self._lines.empty()

    def stderr(self) -> str:
        """Give what was written to stderr so far."""
        return self._stderr.read_text("utf-8", "replace")

    def close_stdin(self) -> None:
        """Leave, as a client does."""
        assert self.process.stdin
        self.process.stdin.close()

    def kill(self) -> None:
        """End the process, whatever it does, and close the pipes."""
        self.process.kill()
        self.process.wait(WAIT_S)
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._reader.join(WAIT_S)
        self.process.stdout.close()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment with nothing but a path and a home."""
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


@pytest.fixture
def start(tmp_path: Path, environ: dict[str, str]) -> Generator[Callable[..., Pipe]]:
    """Give what starts a server on a raw pipe; it is killed afterwards."""
    started: list[Pipe] = []

    def begin(command: Sequence[str | Path] = (COMMAND,), **extra: str) -> Pipe:
        pipe = Pipe(command, {**environ, **extra}, tmp_path)
        started.append(pipe)
        return pipe

    yield begin
    for pipe in started:
        pipe.kill()


@pytest.fixture
def stdio(environ: dict[str, str]) -> StdioServerParameters:
    """Give how the official client starts the installed command."""
    env = {**environ, "CERVER_HOME": environ["HOME"] + "/data", "TEST_API_KEY": "sk-test-0123456789"}
    return StdioServerParameters(command=str(COMMAND), args=[], env=env)


@pytest.fixture
def client(environ: dict[str, str]) -> Callable[..., Any]:
    """Give what opens an official client on a server in this process, over an engine in a home of its own."""

    @asynccontextmanager
    async def open_client(mode: str = "auto") -> AsyncGenerator[Client]:
        settings = Settings.from_environ({**environ, "CERVER_ISOLATION": "process"})
        known = KnownSecrets()
        server = build(partial(connect, settings, known=known), known)
        async with Client(server, mode=mode) as opened:  # pyright: ignore[reportArgumentType]
            yield opened

    return open_client
