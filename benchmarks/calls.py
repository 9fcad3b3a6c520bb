"""A peek of 10 entries over stdio, beside the trivial tool of the Python SDK's hello world."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figure import Figure, median
from benchmarks.stdio import CERVER, Server, python_hello, scratch

__all__ = ["measure"]

_SLICES = 12
_CALLS = 60
_WARM = 30


def measure() -> list[Figure]:
    """Call both in short interleaved slices, on servers that stay up; medians of single calls."""
    with scratch() as folder:
        ours, hello = _ready(CERVER, folder), _ready(python_hello(folder), folder)
        made = ours.call("cerver_session_create", {"session_name": "bench", "compute": "none"})
        session_id = made["structuredContent"]["session_id"]
        entries = [{"role": "user", "content": f"entry {number}: {'words ' * 30}"} for number in range(50)]
        ours.call("cerver_session_append", {"session_id": session_id, "entries": entries})
        peek = {"session_id": session_id, "last_n": 10}
        peeks: list[float] = []
        trivial: list[float] = []
        for turn in range(_SLICES + 1):
            a = _times(ours, "cerver_session_peek", peek, _CALLS if turn else _WARM)
            b = _times(hello, "hello", {"name": "you"}, _CALLS if turn else _WARM)
            if turn:
                peeks += a
                trivial += b
        ours.leave()
        hello.leave()
    return [Figure("peek of 10 over stdio", median(peeks), "ms", median(trivial), "Python SDK's trivial tool", 1.5)]


def _ready(command: Sequence[str], home: Path) -> Server:
    server = Server(command, home)
    server.shake_hands()
    return server


def _times(server: Server, tool: str, arguments: Mapping[str, object], calls: int) -> list[float]:
    times: list[float] = []
    for _ in range(calls):
        started = time.perf_counter()
        server.call(tool, arguments)
        times.append((time.perf_counter() - started) * 1000)
    return times
