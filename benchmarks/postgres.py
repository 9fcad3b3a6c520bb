"""Appends and reads on Postgres: together against one by one, and what the second wall costs, in one run each.

The server, its clients and whatever else runs share the processors: read the ratios.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial

import anyio

from benchmarks.figure import Figure, median
from cerver_core.stores.base import AccountStore, EntryDraft, ReadWindow, StoredSession
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.postgres import PostgresServer, postgres_programs

__all__ = ["measure"]

_TABLES = ("sessions", "session_details", "entries", "whole_bodies", "client_ids", "open_execs")
_ROUNDS = 5
_SLICE_S = 0.4
_TASKS = 32
_BODY = '{"role":"user","content":"' + "x" * 450 + '"}'


def measure() -> list[Figure]:
    """Measure on a fresh server that waits for the disk."""
    with PostgresServer(postgres_programs()[0], durable=True) as server:
        return anyio.run(_measure, server)


async def _measure(server: PostgresServer) -> list[Figure]:
    async with PostgresStore(server.url()) as store:
        account = store.account("acme")
        for number in range(_TASKS):
            await account.sessions.create(_session(f"s{number}"))
        await account.transcripts.append("s0", [EntryDraft(_BODY)] * 200)
        together: list[float] = []
        alone: list[float] = []
        for _ in range(_ROUNDS):
            together.append(await _rate(partial(_append, account), _TASKS))
            alone.append(await _rate(partial(_append_with_id, account), _TASKS))
        figures = [
            Figure(
                f"appends/s from {_TASKS} tasks, in groups",
                median(together),
                "1/s",
                median(alone),
                "a transaction each (with client ids)",
                to_reach=2.0,
                at_most=False,
            )
        ]
        for name, work in (("append", partial(_append, account)), ("read of 50", partial(_read, account))):
            figures.append(await _walled(server, name, work))
        return figures


async def _walled(server: PostgresServer, name: str, work: Callable[[int], Awaitable[None]]) -> Figure:
    """Measure a call with row-level security and without, alternating."""
    took: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    for _ in range(_ROUNDS):
        for wall, times in took.items():
            for table in _TABLES:
                server.execute(f"ALTER TABLE {table} {wall} ROW LEVEL SECURITY")
            await _rate(work, 1)  # plans are made anew
            times.append(1_000_000 / await _rate(work, 1))
    return Figure(
        f"one {name}, with row-level security",
        median(took["ENABLE"]),
        "us",
        median(took["DISABLE"]),
        "without",
        to_reach=1.15,
    )


async def _rate(work: Callable[[int], Awaitable[None]], tasks: int) -> float:
    done = 0
    started = time.monotonic()

    async def repeat(task: int) -> None:
        nonlocal done
        while time.monotonic() < started + _SLICE_S:
            await work(task)
            done += 1

    async with anyio.create_task_group() as group:
        for task in range(tasks):
            group.start_soon(repeat, task)
    return done / (time.monotonic() - started)


async def _append(account: AccountStore, task: int) -> None:
    await account.transcripts.append(f"s{task}", [EntryDraft(_BODY)])


async def _append_with_id(account: AccountStore, task: int) -> None:
    await account.transcripts.append(f"s{task}", [EntryDraft(_BODY, f"{time.monotonic_ns()}", b"same")])


async def _read(account: AccountStore, _task: int) -> None:
    await account.transcripts.read("s0", ReadWindow(limit=50))


def _session(session_id: str) -> StoredSession:
    return StoredSession(id=session_id, state="ready", created_at_us=1, updated_at_us=1)
