"""Reading the last fifty entries of a transcript of a thousand and of a million."""

import tempfile
import time
from pathlib import Path

import anyio

from benchmarks.figure import Figure, median
from benchmarks.files import NUMBERS, fill
from cerver_core.stores.base import ReadWindow, StoredSession
from cerver_core.stores.sqlite import SqliteStore

__all__ = ["measure"]

_SMALL, _LARGE = 1_000, 1_000_000
_ROUNDS = 15
_READS = 200


def measure() -> list[Figure]:
    """Measure in interleaved rounds, each transcript in a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {count: Path(folder) / str(count) / "cerver.db" for count in (_SMALL, _LARGE)}
        for count, path in paths.items():
            anyio.run(_fill, path, count)
        small, large = anyio.run(_measured, paths[_SMALL], paths[_LARGE])
    return [Figure("last 50 of 1,000,000 entries", large, "us", small, "of 1,000", to_reach=1.3)]


async def _fill(path: Path, count: int) -> None:
    async with SqliteStore(path, durability="relaxed") as store:
        await store.account("me").sessions.create(
            StoredSession(id="bench", state="ready", created_at_us=1, updated_at_us=1)
        )
    entries = (
        f"INSERT INTO entries (place, body) {NUMBERS} SELECT (session_key << 32) | n, "
        'printf(\'{"role":"user","kind":"text","content":"%d %.*c"}\', n, 300, \'x\') FROM sessions, numbers'
    )
    fill(path, [(entries, (count,)), ("UPDATE sessions SET last_seq = ?", (count,))])


async def _measured(small: Path, large: Path) -> tuple[float, float]:
    async with SqliteStore(small) as first, SqliteStore(large) as second:
        rounds = [(await _read_us(first), await _read_us(second)) for _ in range(_ROUNDS)]
    return median([one for one, _ in rounds]), median([other for _, other in rounds])


async def _read_us(store: SqliteStore) -> float:
    transcripts = store.account("me").transcripts
    window = ReadWindow(limit=50)
    start = time.perf_counter()
    for _ in range(_READS):
        page = await transcripts.read("bench", window)
        assert len(page.entries) == 50
    return (time.perf_counter() - start) / _READS * 1e6
