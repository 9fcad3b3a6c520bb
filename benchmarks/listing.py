"""Listing sessions, first page and deep page, in a store of a thousand and of a million."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from benchmarks.figure import Figure, median
from benchmarks.files import NUMBERS, fill
from cerver_core.stores.base import SessionQuery
from cerver_core.stores.sqlite import SqliteStore

__all__ = ["measure"]

_SMALL, _LARGE = 1_000, 1_000_000
_ROUNDS = 15
_DEEP_PAGES = 40
_QUERIES = {
    "all": SessionQuery(limit=20),
    "status": SessionQuery(limit=20, status="ended"),
    "project": SessionQuery(limit=20, project="p3"),
}


def measure() -> list[Figure]:
    """Measure in interleaved rounds, each number of sessions in a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {count: Path(folder) / str(count) / "cerver.db" for count in (_SMALL, _LARGE)}
        for count, path in paths.items():
            anyio.run(_fill, path, count)
        return anyio.run(_measured, paths[_SMALL], paths[_LARGE])


async def _fill(path: Path, count: int) -> None:
    async with SqliteStore(path):
        pass
    # Ids as random as real ones: 2654435761 scatters the numbers over 32 bits.
    sessions = (
        "INSERT INTO sessions (session_key, account_id, id, state, updated_at_us, last_seq, project, exec_ms_total, "
        f"exec_count, stream_open_ms_total, stream_count, user_entry_count) {NUMBERS}"
        "SELECT n, 'me', printf('%08x-0000-4000-8000-%012d', n * 2654435761 % 4294967296, n), "
        "CASE n % 10 WHEN 0 THEN 'running' WHEN 1 THEN 'idle' WHEN 2 THEN 'ready' ELSE 'terminated' END, "
        "n * 1000, 10, 'p' || (n % 7), 0, 0, 0, 0, 0 FROM numbers"
    )
    details = (
        "INSERT INTO session_details (session_key, created_at_us, session_type, workload, task, requirements, policy, "
        f"metadata) {NUMBERS} SELECT n, n, 'general', 'general', 'a task of some length, as they are', '{{}}', '{{}}', "
        '\'{"source":"bench"}\' FROM numbers'
    )
    fill(path, [(sessions, (count,)), (details, (count,))])


async def _measured(small: Path, large: Path) -> list[Figure]:
    async with SqliteStore(small) as first, SqliteStore(large) as second:
        figures: list[Figure] = []
        for name, query in _QUERIES.items():
            for depth, pages in (("first page", _first(query)), ("deep page", None)):
                in_small = pages or _deep(query, _SMALL)
                in_large = pages or _deep(query, _LARGE)
                rounds = [(await _list_us(first, in_small), await _list_us(second, in_large)) for _ in range(_ROUNDS)]
                one, other = median([us for us, _ in rounds]), median([us for _, us in rounds])
                title = f"{name}, {depth} of 1,000,000 sessions"
                figures.append(Figure(title, other, "us", one, "of 1,000", to_reach=1.3))
        return figures


def _first(query: SessionQuery) -> Sequence[SessionQuery]:
    return [query] * _DEEP_PAGES


def _deep(query: SessionQuery, count: int) -> Sequence[SessionQuery]:
    """Ask for pages in the older half, all over it."""
    step = count // 4 // _DEEP_PAGES
    return [replace(query, after=((count // 2 - number * step) * 1_000, "")) for number in range(_DEEP_PAGES)]


async def _list_us(store: SqliteStore, queries: Sequence[SessionQuery]) -> float:
    sessions = store.account("me").sessions
    start = time.perf_counter()
    for query in queries:
        assert len(await sessions.list(query)) == query.limit
    return (time.perf_counter() - start) / len(queries) * 1e6
