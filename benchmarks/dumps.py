"""Dumps: how much of a store is written to a file and restored from it a second, by the processor time of this process.

The time of Postgres itself is in none of them.
"""

import gzip
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from cerver_core.dumping import dump, restore
from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, SearchQuery, Store, StoredSession
from cerver_core.stores.postgres import PostgresStore
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.postgres import PostgresServer, postgres_programs

__all__ = ["measure"]

_SESSIONS = 1_000
_ENTRIES = 100
_AT = datetime(2026, 5, 4, 10, tzinfo=UTC)


def measure() -> list[Figure]:
    """Dump 100,000 entries from SQLite, restore them into either store, and dump them from Postgres."""
    with PostgresServer(postgres_programs()[0]) as server, tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measured, Path(folder), server)


async def _measured(folder: Path, server: PostgresServer) -> list[Figure]:
    path = folder / "dump"
    spent_s: dict[str, float] = {}
    async with (
        SqliteStore(folder / "filled.db") as filled,
        SqliteStore(folder / "restored.db") as restored,
        PostgresStore(server.url(server.create_database())) as hosted,
    ):
        await _fill(filled)
        for name, store in (("dump from SQLite", filled), ("dump from Postgres", hosted)):
            with path.open("wb") as file:
                spent_s[name] = await _spent_s(partial(dump, store, file, _AT))
            if store is filled:
                for kind, target in (("SQLite", restored), ("Postgres", hosted)):
                    with path.open("rb") as file:
                        spent_s[f"restore into {kind}"] = await _spent_s(partial(restore, target, file))
    with gzip.open(path) as file:
        lines = file.read()
    began = time.process_time()
    packed = gzip.compress(lines, 1)
    packing_s = time.process_time() - began
    size_mb = len(lines) / 1e6
    note = f"{size_mb:.0f} MB in a file of {len(packed) / 1e6:.0f} MB"
    return [
        Figure(name, size_mb / spent, "MB/s", size_mb / packing_s, "compressing alone", note=note)
        for name, spent in spent_s.items()
    ]


async def _spent_s(work: Callable[[], Awaitable[object]]) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


async def _fill(store: Store) -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 9))) for _ in range(20_000)]
    account = store.account("acme")
    for number in range(_SESSIONS):
        entries = [
            EntryDraft(
                '{"at":"2026-05-04T10:00:00Z","role":"user","kind":"text",'
                f'"content":"{" ".join(chance.choices(words, k=chance.randrange(10, 200)))}"}}',
                f"id-{place}",
                b"0123456789abcdef",
            )
            for place in range(_ENTRIES)
        ]
        session = StoredSession(f"session-{number}", "idle", created_at_us=number, updated_at_us=number)
        await account.sessions.create(session, entries)
    asked = SearchQuery(query=parse("nothing", _AT), limit=1)
    while (await account.transcripts.search(asked)).indexed_up_to_us is not None:
        pass  # the index is made in this process too, and is not what is measured
