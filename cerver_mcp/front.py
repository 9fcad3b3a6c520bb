"""The `cerver-mcp` command: answers the handshake and the lists at once, while the server loads behind it.

Clients drop a server that needs more than about a second, and the SDK alone takes most of one. So this module, with
the standard library only, answers from `snapshot.json` (what the SDK's own server answered when it was built) and
then hands the pipe over: messages it did not answer are passed on, the handshake is replayed, and the second reply
to it is dropped. Everything else is `cerver_mcp.server`'s.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
import threading
from collections.abc import Callable, Sequence

from cerver_mcp.handover import Handover
from cerver_mcp.lines import Json, LineBuffer, Oversized, parse, result_line
from cerver_mcp.preflight import problem_with
from cerver_mcp.watchdog import Watchdog, leave

__all__ = ["Front", "main"]

_META = "io.modelcontextprotocol/"
_CHUNK_BYTES = 1 << 16
_LOADING_SWITCH_S = 0.0005


class Front:
    """Answers what can be answered without the server, and keeps the rest for it, in order."""

    def __init__(self, snapshot: dict[str, Json]) -> None:
        self._snapshot = snapshot
        self._version: str | None = None
        self._handshake: list[bytes] = []
        self._waiting: list[bytes] = []
        self.already_answered: str | int | None = None

    @property
    def lines(self) -> Sequence[bytes]:
        """The messages that the server must see, the handshake first."""
        return [*self._handshake, *self._waiting]

    def take(self, line: bytes | Oversized) -> bytes | None:
        """Take one line; give the reply, or nothing when there is none or the server shall give it."""
        message, refusal = parse(line)
        if message is None or isinstance(line, Oversized):
            return refusal
        request_id = message.get("id")
        if message.get("method") == "notifications/initialized" and self._version:
            self._handshake.append(line)
            return None
        if isinstance(request_id, str | int) and not isinstance(request_id, bool):
            reply = self._reply(message, request_id, line)
            if reply is not None:
                return reply
        self._waiting.append(line)
        return None

    def _reply(self, message: dict[str, Json], request_id: str | int, line: bytes) -> bytes | None:
        method, params = message.get("method"), message.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            return None
        if method == "initialize":
            return self._initialize(params, request_id, line)
        if params.keys() - {"_meta"}:
            return None
        meta = params.get("_meta", {})
        if not isinstance(meta, dict):
            return None
        if _META + "protocolVersion" in meta:
            modern = isinstance(meta.get(_META + "clientCapabilities"), dict) and not self._version
            version = meta[_META + "protocolVersion"] if modern else None
        else:
            version = self._version
        result = self._known(version, method)
        return None if result is None else result_line(request_id, result)

    def _initialize(self, params: dict[str, Json], request_id: str | int, line: bytes) -> bytes | None:
        if self._version or self._waiting or not _is_handshake(params):
            return None
        version = params["protocolVersion"]
        if self._known(version, "initialize") is None:
            version = self._snapshot["latest_handshake"]
        self._version = str(version)
        self._handshake.append(line)
        self.already_answered = request_id
        return result_line(request_id, self._known(version, "initialize"))

    def _known(self, version: Json, method: str) -> Json:
        replies = self._snapshot["replies"]
        of_version = replies.get(version) if isinstance(version, str) and isinstance(replies, dict) else None
        index = of_version.get(method) if isinstance(of_version, dict) else None
        results = self._snapshot["results"]
        return results[index] if isinstance(index, int) and isinstance(results, list) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve MCP over stdin and stdout until the client leaves. Gives 2 for a setting that cannot work."""
    try:
        read_fd, write_fd = _divert()
    except OSError:
        sys.stderr.write(f"cerver-mcp: stdin, stdout and stderr must be open\n{_USAGE}\n")
        return 2
    watchdog = Watchdog()
    watchdog.start()
    words = sys.argv[1:] if arguments is None else arguments
    problem = _USAGE if words else problem_with(os.environ)
    if problem:
        sys.stderr.write(f"cerver-mcp: {problem}\n")
        return 2
    if os.isatty(read_fd):
        sys.stderr.write(f"cerver-mcp: waiting for an MCP client on stdin; {_USAGE}\n")
    handover, serve = _answer_while_loading(read_fd, write_fd)
    leave(serve(handover, watchdog))
    return 0


_USAGE = """it takes no arguments; it speaks MCP over stdin and stdout. Settings come from the environment.
Add it to an agent, for instance: claude mcp add cerver -- uvx cerver-mcp"""


def _divert() -> tuple[int, int]:
    """Keep the wire to ourselves: 0 reads nothing and 1 goes to stderr from here on, for us and for our children."""
    read_fd, write_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return read_fd, write_fd


class _Loading:
    """Imports the server in a thread; the end of `done` becomes readable when it is there, or when it failed."""

    def __init__(self) -> None:
        self.done, self._signal = os.pipe()
        self.serve: Callable[[Handover, Watchdog], int] | None = None
        self._failure = ""
        threading.Thread(target=self._load, name="cerver-load", daemon=True).start()

    def result(self) -> Callable[[Handover, Watchdog], int]:
        """Give what was loaded; without it the process ends, with the reason on stderr."""
        if self.serve is None:
            sys.stderr.write(f"cerver-mcp: the server cannot be loaded; reinstall it\n{self._failure}")
            leave(1)
            raise SystemExit(1)
        return self.serve

    def _load(self) -> None:
        gc.disable()
        try:
            self.serve = _import_server()
        except BaseException:  # noqa: BLE001 - an edge: the main thread reports it and ends
            import traceback  # noqa: PLC0415 - costs milliseconds that only a failure is worth

            self._failure = traceback.format_exc()
        gc.freeze()
        gc.enable()
        os.write(self._signal, b"!")


def _import_server() -> Callable[[Handover, Watchdog], int]:
    """Import the server with the SDK's hundreds of models left unbuilt until each is used: an eighth of the time."""
    from pydantic import BaseModel, ConfigDict  # noqa: PLC0415 - this is what the front covers for

    usual = BaseModel.model_config
    BaseModel.model_config = ConfigDict(defer_build=True)
    try:
        from cerver_mcp.server import serve  # noqa: PLC0415 - as above
    finally:
        BaseModel.model_config = usual
    return serve


def _answer_while_loading(read_fd: int, write_fd: int) -> tuple[Handover, Callable[[Handover, Watchdog], int]]:
    front = Front(_snapshot())
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_LOADING_SWITCH_S)
    loading = _Loading()
    buffer = LineBuffer()
    while True:
        ready, _, _ = select.select([read_fd, loading.done], [], [])
        if read_fd in ready:
            _serve_chunk(front, buffer, read_fd, write_fd)
        elif ready:
            break
    sys.setswitchinterval(interval)
    handover = Handover(read_fd, write_fd, front.lines, buffer.rest(), front.already_answered)
    return handover, loading.result()


def _snapshot() -> dict[str, Json]:
    # Not pathlib: importing it would cost a tenth of the time to the first answer.
    with open(os.path.join(os.path.dirname(__file__), "snapshot.json"), "rb") as file:  # noqa: PTH118, PTH120, PTH123
        return json.load(file)


def _serve_chunk(front: Front, buffer: LineBuffer, read_fd: int, write_fd: int) -> None:
    data = os.read(read_fd, _CHUNK_BYTES)
    if not data:
        leave(0)
    for line in buffer.feed(data):
        reply = front.take(line)
        if reply is not None:
            _write(write_fd, reply)


def _write(write_fd: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(write_fd, view) :]
    except BrokenPipeError:
        leave(0)


def _is_handshake(params: dict[str, Json]) -> bool:
    capabilities, client = params.get("capabilities"), params.get("clientInfo")
    return (
        isinstance(params.get("protocolVersion"), str)
        and isinstance(capabilities, dict)
        and all(isinstance(value, dict) for value in capabilities.values())
        and isinstance(client, dict)
        and isinstance(client.get("name"), str)
        and isinstance(client.get("version"), str)
    )
