"""Durable appends per second and their slowest, against raw apsw doing the same transaction one by one."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from benchmarks.figure import Figure, median
from benchmarks.files import opened
from cerver_core.stores.base import AccountStore, EntryDraft, StoredSession
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.sql import Database

__all__ = ["measure"]

_BODY = json.dumps({"role": "assistant", "kind": "text", "content": "x" * 440})
_SLICES = 30
_SLICE_S = 0.1
_TOGETHER_S = 2.0
_SESSION = StoredSession(id="bench", state="ready", created_at_us=1, updated_at_us=1)


def measure() -> list[Figure]:
    """Measure in short interleaved slices, all on one file that stays open."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        path = Path(folder) / "cerver.db"
        raw, one, eight = anyio.run(_in_one_process, path)
        return [
            Figure("1 process, 1 caller", one, "appends/s", raw, "raw apsw, one by one", 0.8, at_most=False),
            Figure("1 process, 8 callers", eight, "appends/s", raw, "raw apsw, one by one", 4, at_most=False),
            *_with_processes(path, 4, raw, most_ms=20),
            *_with_processes(path, 8, raw, most_ms=None),
        ]


async def _in_one_process(path: Path) -> tuple[float, float, float]:
    async with SqliteStore(path) as store:
        account = store.account("me")
        await account.sessions.create(_SESSION)
        raw = opened(path)
        raw.execute("PRAGMA synchronous = FULL").close()
        raw.set_busy_timeout(5_000)
        rates = [(_raw_rate(raw), await _rate(account, 1), await _rate(account, 8)) for _ in range(_SLICES)]
        raw.close()
    one_by_one, one, eight = (median(column) for column in zip(*rates, strict=True))
    return one_by_one, one, eight


def _with_processes(path: Path, count: int, raw: float, *, most_ms: float | None) -> list[Figure]:
    """Let processes of eight callers each append at once; each names its latencies and its errors."""
    command = [sys.executable, "-m", "benchmarks.appends", str(path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    latencies = sorted(latency for output in outputs for latency in output["latencies_ms"])
    errors = sum(output["errors"] for output in outputs)
    rate = len(latencies) / (_TOGETHER_S)
    name = f"{count} processes, 8 callers each"
    slow = latencies[len(latencies) * 99 // 100]
    return [
        Figure(name, rate, "appends/s", raw, "raw apsw, one by one"),
        Figure(f"{name}: 99th percentile", slow, "ms", to_reach=most_ms),
        Figure(f"{name}: errors", errors, "errors", to_reach=0),
    ]


async def _rate(account: AccountStore, callers: int) -> float:
    latencies, _ = await _append_for(account, callers, _SLICE_S)
    return len(latencies) / _SLICE_S


async def _append_for(account: AccountStore, callers: int, duration_s: float) -> tuple[list[float], int]:
    latencies: list[float] = []
    errors = 0
    entry = [EntryDraft(_BODY)]
    end = time.perf_counter() + duration_s

    async def append() -> None:
        nonlocal errors
        while (start := time.perf_counter()) < end:
            try:
                await account.transcripts.append("bench", entry)
            except ConnectionError:
                errors += 1
            latencies.append((time.perf_counter() - start) * 1_000)

    async with anyio.create_task_group() as group:
        for _ in range(callers):
            group.start_soon(append)
    return latencies, errors


def _raw_rate(connection: Database) -> float:
    """Do the least that an append must: number the entry, move the session to the front, write it down."""
    count = 0
    end = time.perf_counter() + _SLICE_S
    while time.perf_counter() < end:
        connection.execute("BEGIN IMMEDIATE")
        session_key, seq = connection.execute(
            "UPDATE sessions SET last_seq = last_seq + 1, updated_at_us = max(updated_at_us, ?) "
            "WHERE account_id = ? AND id = ? RETURNING session_key, last_seq",
            (time.time_ns() // 1_000, "me", "bench"),
        ).get
        connection.execute("INSERT INTO entries (place, body) VALUES (?, ?)", (session_key << 32 | seq, _BODY))
        connection.execute("COMMIT")
        count += 1
    return count / _SLICE_S


async def _one_of_several(path: Path) -> None:
    async with SqliteStore(path) as store:
        account = store.account("me")
        await _append_for(account, 8, 0.05)
        print("ready", flush=True)
        sys.stdin.readline()
        latencies, errors = await _append_for(account, 8, _TOGETHER_S)
    print(json.dumps({"latencies_ms": latencies, "errors": errors}))


if __name__ == "__main__":
    anyio.run(_one_of_several, Path(sys.argv[1]))
