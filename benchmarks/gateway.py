"""The gateway beside Starlette answering constants, in one process and run; and what a hosted call adds to a local one.

Needs both cores of a quiet machine: one serves, one asks.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2

from benchmarks.figure import Figure, median
from benchmarks.gateway_load import Taken, ask, load
from cerver_core.client import Client
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.wire.computes import ExecOutput, ExecRequest
from cerver_core.wire.sessions import CreateSession

__all__ = ["BODY", "Served", "measure", "serving", "watching"]

_ROUNDS = 5
_COUNT = 2_000
_CONNECTIONS = 64
_EXECS = 40
_WATCHERS = 100
_ENTRIES = 60
_LONGEST_S = 600
BODY = b'{"entries":[{"role":"user","content":"Which store did we pick, and what spoke against the other one?"}]}'


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own, and beside it the rival."""

    url: str
    port: int
    rival_port: int
    token: str
    pid: int

    def cpu_s(self) -> float:
        """Tell what the serving process has used of the processor."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Tell the resident memory of the serving process."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure() -> list[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as folder, serving(Path(folder) / "hosted") as served:
        return anyio.run(_measure, served, Path(folder), backend_options={"use_uvloop": True})


@contextmanager
def serving(home: Path) -> Generator[Served]:
    """Run both for as long as the block lasts."""
    home.mkdir()
    command = [sys.executable, "-m", "benchmarks.gateway_servers", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            port, rival_port = told["ports"]
            yield Served(f"http://127.0.0.1:{port}", port, rival_port, told["token"], told["pid"])
        finally:
            process.terminate()


async def _measure(served: Served, folder: Path) -> list[Figure]:
    with anyio.fail_after(_LONGEST_S):
        return await _all(served, folder)


async def _all(served: Served, folder: Path) -> list[Figure]:
    async with Client(served.url, served.token) as client:
        session_id = (await client.sessions.create(CreateSession(compute=None))).session_id
        append = ask("POST", f"/v2/sessions/{session_id}/transcript", served.token, BODY)
        figures = await _beside(served, "POST transcript", append, at_least=0.5)
        read = ask("GET", f"/v2/sessions/{session_id}?tail=50", served.token)
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {served.token}"}) as http:
            answer = await http.get(f"{served.url}/v2/sessions/{session_id}?tail=50")
            await http.post(f"http://127.0.0.1:{served.rival_port}/keep", content=answer.content)
        figures += await _beside(served, "GET ?tail=50", read, at_least=0.4)
        figures.append(await _exec_overhead(client, folder / "embedded"))
        figures.append(await _first_byte(client))
        figures.append(await _fan_out(served, client))
    return figures


async def _beside(served: Served, name: str, request: bytes, *, at_least: float) -> list[Figure]:
    rates: dict[int, list[float]] = {served.port: [], served.rival_port: []}
    costs: dict[int, list[float]] = {served.port: [], served.rival_port: []}
    rounds: list[Taken] = []
    for number in range(_ROUNDS + 1):
        for port, taken_per_s in rates.items():
            before_s = served.cpu_s()
            taken = await load(port, request, count=_COUNT, connections=_CONNECTIONS)
            if number:
                taken_per_s.append(taken.per_s)
                costs[port].append((served.cpu_s() - before_s) / _COUNT * 1e6)
                rounds += [taken] if port == served.port else []
    middle = sorted(rounds, key=lambda taken: taken.at(0.99))[len(rounds) // 2]
    ours, theirs = median(rates[served.port]), median(rates[served.rival_port])
    costs_us = median(costs[served.port]), median(costs[served.rival_port])
    note = f"{_CONNECTIONS} connections, one process"
    return [
        Figure(name, ours, "per s", theirs, "Starlette constant", at_least, at_most=False, note=note),
        Figure(f"{name}, processor time", costs_us[0], "us", costs_us[1], "Starlette constant", 1 / at_least),
        Figure(f"{name}, p99 over p50", middle.at(0.99), "ms", middle.at(0.5), "p50", 5, note=note),
    ]


async def _exec_overhead(client: Client, home: Path) -> Figure:
    settings = Settings.from_environ({"CERVER_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"]})
    async with connect(settings) as embedded:
        sessions = [(road, (await road.sessions.create(CreateSession())).session_id) for road in (client, embedded)]
        samples: tuple[list[float], list[float]] = ([], [])
        for number in range(_EXECS + 5):
            for (road, session_id), taken in zip(sessions, samples, strict=True):
                began = time.perf_counter()
                await road.computes.exec(session_id, ExecRequest(code="true"))
                if number >= 5:
                    taken.append((time.perf_counter() - began) * 1_000)
    added = median(samples[0]) - median(samples[1])
    note = f"p50 {median(samples[0]):.2f} ms hosted, {median(samples[1]):.2f} ms embedded"
    return Figure("exec, what the gateway adds", added, "ms", to_reach=5, note=note)


async def _first_byte(client: Client) -> Figure:
    session_id = (await client.sessions.create(CreateSession())).session_id
    late_ms: list[float] = []
    for _ in range(_EXECS):
        async with client.computes.exec_stream(session_id, ExecRequest(code="date +%s%N; sleep 0.02")) as events:
            async for event in events:
                if isinstance(event, ExecOutput):
                    late_ms.append((time.time_ns() - int(event.text)) / 1e6)
                    break
    return Figure("SSE, first byte after the process's own", median(late_ms), "ms", to_reach=10)


@asynccontextmanager
async def watching(served: Served, session_id: str) -> AsyncGenerator[anyio.abc.SocketStream]:
    """Hold a live transcript open."""
    async with await anyio.connect_tcp("127.0.0.1", served.port) as stream:
        await stream.send(ask("GET", f"/v2/sessions/{session_id}/events", served.token))
        told = b""
        while b": connected" not in told:
            told += await stream.receive()
        yield stream


async def _fan_out(served: Served, client: Client) -> Figure:
    session_id = (await client.sessions.create(CreateSession(compute=None))).session_id
    late_ms: list[float] = []
    sent: dict[int, float] = {}
    ready = anyio.Semaphore(0)

    async def watch() -> None:
        async with watching(served, session_id) as stream:
            ready.release()
            seen, rest = 0, b""
            while seen < _ENTRIES:
                rest += await stream.receive()
                now = time.perf_counter()
                *whole, rest = rest.split(b"\n\n")
                for frame in whole:
                    if b"id: " in frame:
                        seen += 1
                        late_ms.append((now - sent[int(frame.partition(b"id: ")[2].split(b"\n")[0])]) * 1_000)

    request = ask("POST", f"/v2/sessions/{session_id}/transcript", served.token, BODY)
    async with anyio.create_task_group() as tasks:
        for _ in range(_WATCHERS):
            tasks.start_soon(watch)
        for _ in range(_WATCHERS):
            await ready.acquire()
        async with await anyio.connect_tcp("127.0.0.1", served.port) as stream:
            for number in range(1, _ENTRIES + 1):
                sent[number] = time.perf_counter()
                await stream.send(request)
                await stream.receive()
                await anyio.sleep(0.02)
    taken = Taken(1, [late / 1_000 for late in late_ms])
    note = f"{_WATCHERS} watchers, {_ENTRIES} entries, from the request of the append; p50 {taken.at(0.5):.2f} ms"
    return Figure("live entry at 100 watchers, p99", taken.at(0.99), "ms", to_reach=50, note=note)
