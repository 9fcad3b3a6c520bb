"""The gateway under much of everything: idle streams, sessions in a list, processes; and, when asked, for a long time.

Needs both cores of a quiet machine. `BENCH_SUSTAINED_S=600` adds a load of so many seconds.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from benchmarks.gateway import BODY, Served, serving, watching
from benchmarks.gateway_load import ask, load
from cerver_core.client import Client
from cerver_core.wire.sessions import CreateSession, ListSessions

__all__ = ["measure"]

_SUSTAINED = "BENCH_SUSTAINED_S"
_STREAMS = 1_000
_IDLE_S = 5.0
_SESSIONS = 10_000
_AT_ONCE = 64
_PAGE = 200
_COUNT = 4_000


def measure() -> list[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as folder, serving(Path(folder) / "one") as served:
        figures = anyio.run(_of_one, served, backend_options={"use_uvloop": True})
    return [*figures, *_scaling()]


async def _of_one(served: Served) -> list[Figure]:
    async with Client(served.url, served.token) as client:
        figures = [*await _idle_streams(served, client), *await _long_list(served, client)]
        long_s = float(os.environ.get(_SUSTAINED, "0"))
        if long_s:
            figures.append(await _sustained(served, client, long_s))
        return figures


async def _idle_streams(served: Served, client: Client) -> list[Figure]:
    before_mb, ready = served.memory_mb(), anyio.Semaphore(0)
    used = grown_kb = 0.0

    async def watch() -> None:
        session_id = (await client.sessions.create(CreateSession(compute=None))).session_id
        async with watching(served, session_id):
            ready.release()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        for _ in range(_STREAMS):
            tasks.start_soon(watch)
            await ready.acquire()
        grown_kb = (served.memory_mb() - before_mb) * 1_000 / _STREAMS
        before_s = served.cpu_s()
        await anyio.sleep(_IDLE_S)
        used = (served.cpu_s() - before_s) / _IDLE_S * 100
        tasks.cancel_scope.cancel()
    return [
        Figure(f"memory of an idle stream ({_STREAMS:,} held)", grown_kb, "kB"),
        Figure(f"processor while {_STREAMS:,} streams are idle", used, "%", note="of one core, heartbeats included"),
    ]


async def _long_list(served: Served, client: Client) -> list[Figure]:
    body = b'{"compute":null,"session_name":"one of many"}'
    await load(served.port, ask("POST", "/v2/sessions", served.token, body), count=_SESSIONS, connections=_AT_ONCE)
    pages, cursor, began_s, before_s = 0, None, time.perf_counter(), served.cpu_s()
    while pages == 0 or cursor:
        cursor = (await client.sessions.list(ListSessions(limit=_PAGE, cursor=cursor))).next_cursor
        pages += 1
    note = f"{pages} pages of {_PAGE} and the client that reads them took {time.perf_counter() - began_s:.2f} s"
    cost_ms = (served.cpu_s() - before_s) / pages * 1_000
    return [Figure(f"a page of {_SESSIONS:,} sessions, processor time", cost_ms, "ms", note=note)]


async def _sustained(served: Served, client: Client, long_s: float) -> Figure:
    """Append and read in turn; what memory grows by after the first tenth is what counts."""
    session_id = (await client.sessions.create(CreateSession(compute=None))).session_id
    append = ask("POST", f"/v2/sessions/{session_id}/transcript", served.token, BODY)
    read = ask("GET", f"/v2/sessions/{session_id}?tail=50", served.token)
    began_s, settled_mb, count = time.perf_counter(), 0.0, 0
    while (gone_s := time.perf_counter() - began_s) < long_s:
        for request in (append, read):
            await load(served.port, request, count=_COUNT, connections=_AT_ONCE)
        count += 2 * _COUNT
        if not settled_mb and gone_s > long_s / 10:
            settled_mb = served.memory_mb()
    note = f"{count:,} requests, half of them appends; {served.memory_mb():.0f} MB at the end"
    return Figure(f"memory grown in {long_s:g} s of load", served.memory_mb() - settled_mb, "MB", note=note)


@dataclass(frozen=True)
class _Loaded:
    per_s: float
    cost_us: float
    own_us: float


def _scaling() -> list[Figure]:
    """Measure one process and two under the same load, which this process makes on the same two cores."""
    one, two = (_loads(workers) for workers in (1, 2))
    figures: list[Figure] = []
    for name, alone in one.items():
        both = two[name]
        note = (
            f"{alone.cost_us:.0f} us of processor time a request with one process, {both.cost_us:.0f} us with two; "
            f"making the load takes {both.own_us:.0f} us a request of the same cores"
        )
        room = 2 * alone.cost_us / both.cost_us
        figures += [
            Figure(f"{name}, two processes", both.per_s, "per s", alone.per_s, "one process", note=note),
            Figure(f"{name}, room of two processes", room, "times", to_reach=1.6, at_most=False, note=note),
        ]
    return figures


def _loads(workers: int) -> Mapping[str, _Loaded]:
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as home, _served(Path(home), workers) as (pid, url, key):
        return anyio.run(_load_all, pid, url, key, backend_options={"use_uvloop": True})


@contextmanager
def _served(home: Path, workers: int) -> Generator[tuple[int, str, str]]:
    command = [sys.executable, "-m", "cerver_core.cli", "serve", "--port", "0", "--workers", str(workers)]
    environ = {**os.environ, "HOME": str(home), "CERVER_HOME": str(home)}
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                said += process.stdout.readline()
            found = re.search(r"CERVER_GATEWAY_URL=(\S+) CERVER_API_TOKEN=(\S+)", said)
            assert found is not None, said
            yield process.pid, found[1], found[2]
        finally:
            process.terminate()


async def _load_all(pid: int, url: str, key: str) -> Mapping[str, _Loaded]:
    port = int(url.rpartition(":")[2])
    async with Client(url, key) as client:
        session_id = (await client.sessions.create(CreateSession(compute=None))).session_id
    requests = {
        "POST transcript": ask("POST", f"/v2/sessions/{session_id}/transcript", key, BODY),
        "GET ?tail=50": ask("GET", f"/v2/sessions/{session_id}?tail=50", key),
    }
    found: dict[str, _Loaded] = {}
    for name, request in requests.items():
        await load(port, request, count=_COUNT // 2, connections=_AT_ONCE)
        before_s, own_s = _cpu_s(pid), time.process_time()
        taken = await load(port, request, count=_COUNT, connections=_AT_ONCE)
        cost_us = (_cpu_s(pid) - before_s) / _COUNT * 1e6
        found[name] = _Loaded(taken.per_s, cost_us, (time.process_time() - own_s) / _COUNT * 1e6)
    return found


def _cpu_s(pid: int) -> float:
    """Tell what a process and its children have used of the processor."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(_used_s(number) for number in (str(pid), *children))


def _used_s(number: str) -> float:
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
