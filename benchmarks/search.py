"""How long searches take among a million entries, how large the index is, and what it costs an append.

Searches and indexing are given in CPU time, which a busy machine changes less than the time on the wall; the file lies
in the system's cache.
"""

import json
import random
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from statistics import quantiles

import anyio

from benchmarks.figure import Figure, median
from cerver_core.clock import SystemClock
from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, SearchQuery, StoredSession
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.connection import open_reader, open_writer
from cerver_core.stores.sqlite.index import index_slice
from cerver_core.stores.sqlite.search import Search
from cerver_core.stores.sqlite.sql import Database

__all__ = ["measure"]

_ENTRIES = 1_000_000
_PER_SESSION = 200
_WORDS = 90
_VOCABULARY = 40_000
_SEARCHES = 40
_ROUNDS = 5
_ROUND_S = 1.0


def measure() -> list[Figure]:
    """Fill one file, search it on a reader's connection; append to others, with and without an indexer."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        path = Path(folder) / "cerver.db"
        vocabulary = _vocabulary()
        connection = open_writer(path, "relaxed")
        text_bytes = _fill(connection, vocabulary)
        started = time.process_time()
        _index(connection)
        rate = _ENTRIES / (time.process_time() - started)
        size = _index_bytes(connection) / text_bytes
        connection.close()
        figures = [
            *_searches(path, vocabulary),
            Figure("index over text", size, "", to_reach=0.6),
            Figure("indexing", rate, "entries/CPU s"),
        ]
    return [*figures, _append_figure()]


def _vocabulary() -> list[str]:
    """Make words whose frequencies fall as those of a language do; the first is the commonest."""
    chance = random.Random(7)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) + f"{at % 97}" for at in range(_VOCABULARY)]


def _fill(connection: Database, vocabulary: list[str]) -> int:
    chance = random.Random(11)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    # A pool of texts, put together anew: choosing every word apart would take longer than all that is measured.
    halves = [" ".join(chance.choices(vocabulary, cum_weights=weights, k=_WORDS // 2)) for _ in range(40_000)]
    size = 0
    for session in range(_ENTRIES // _PER_SESSION):
        bodies: list[tuple[int, str]] = []
        for number in range(_PER_SESSION):
            text = f"{chance.choice(halves)} {chance.choice(halves)}"
            size += len(text)
            entry = {"role": ("user", "assistant")[number % 2], "at": "2026-05-01T10:00:00Z", "content": text}
            bodies.append(((session + 1) << 32 | number + 1, json.dumps(entry)))
        connection.execute("BEGIN")
        connection.execute(_SESSION, (f"s{session}", session, _PER_SESSION)).close()
        connection.execute(_DETAILS, (session + 1,)).close()
        connection.executemany("INSERT INTO entries (place, body) VALUES (?, ?)", bodies)
        connection.execute("COMMIT")
    return size


_SESSION = (
    "INSERT INTO sessions (account_id, id, state, updated_at_us, last_seq, exec_ms_total, exec_count, "
    "stream_open_ms_total, stream_count, user_entry_count) VALUES ('me', ?, 'ready', ?, ?, 0, 0, 0, 0, 0)"
)
_DETAILS = (
    "INSERT INTO session_details (session_key, created_at_us, session_type, workload, task, requirements, policy, "
    "metadata) VALUES (?, 0, 'general', 'general', '', '{}', '{}', '{}')"
)


def _index(connection: Database) -> None:
    more = True
    while more:
        connection.execute("BEGIN IMMEDIATE")
        more = index_slice(connection)
        connection.execute("COMMIT")
    connection.wal_checkpoint()


def _index_bytes(connection: Database) -> int:
    tables = "name GLOB 'said_index*' OR name GLOB 'tool_index*' OR name GLOB 'session_index*' OR name GLOB '*index_b*'"
    return connection.execute(f"SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND ({tables})").get


def _searches(path: Path, vocabulary: list[str]) -> list[Figure]:
    chance = random.Random(3)
    rare, middling = vocabulary[-2_000:], vocabulary[400:4_000]
    kinds = {
        "a rare word": ([chance.choice(rare) for _ in range(_SEARCHES)], 3),
        "two words": ([" ".join(chance.sample(middling, 2)) for _ in range(_SEARCHES)], 15),
        "four of the commonest words": ([" ".join(chance.sample(vocabulary[:8], 4)) for _ in range(_SEARCHES)], 150),
    }
    reader = open_reader(path)
    figures: list[Figure] = []
    for name, (queries, most_ms) in kinds.items():
        times = [_search_ms(reader, query) for query in (*queries[:5], *queries)][5:]
        slow = quantiles(times, n=20)[-1]
        figures.append(
            Figure(f"{name}: 95th percentile", slow, "CPU ms", to_reach=most_ms, note=f"p50 {median(times):.2f}")
        )
    reader.close()
    return figures


def _search_ms(reader: Database, text: str) -> float:
    started = time.process_time()
    asked = SearchQuery(query=parse(text, SystemClock().now()), limit=8)
    Search("me", asked)(reader)
    return (time.process_time() - started) * 1_000


def _append_figure() -> Figure:
    """Compare appends in interleaved rounds: with the marks and slices of the index, and without either."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(_ROUNDS):
        for is_indexed in (True, False):
            with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
                rates[is_indexed].append(anyio.run(_append_rate, Path(folder) / "cerver.db", is_indexed))
    return Figure(
        "appends with the index",
        median(rates[True]),
        "appends/s",
        median(rates[False]),
        "without",
        0.8,
        at_most=False,
    )


async def _append_rate(path: Path, is_indexed: bool) -> float:
    if not is_indexed:
        connection = open_writer(path, "full")
        connection.execute("DROP TRIGGER session_made; DROP TRIGGER session_grown").close()
        connection.close()
    body = json.dumps({"role": "assistant", "kind": "text", "content": "some words of a usual kind " * 16})
    count = 0
    async with SqliteStore(path) as store:
        account = store.account("me")
        session = StoredSession(id="bench", state="ready", created_at_us=1, updated_at_us=1)
        await account.sessions.create(session)
        end = time.monotonic() + _ROUND_S

        async def append() -> None:
            nonlocal count
            while time.monotonic() < end:
                await account.transcripts.append("bench", [EntryDraft(body)])
                count += 1

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(append)
    return count / _ROUND_S
