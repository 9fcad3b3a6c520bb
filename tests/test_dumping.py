"""The file of a dump: whole it restores everything, and in any other state nothing."""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from cerver_core.dumping import FORMAT, dump, restore
from cerver_core.errors import Conflict, InvalidInput, SchemaTooNew
from cerver_core.stores.base import Store
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import bodies, draft, kept, numbered

_AT = datetime(2026, 5, 1, 2, tzinfo=UTC)
_UNCHECKED_BYTES = 10
"""The head of gzip itself: what it says of the time and the system is of no weight."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with SqliteStore(tmp_path / "cerver.db") as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"), [draft("é", "id-1"), *numbered(2, 30)])
        await account.records.put("vault", "v", {"sealed": {"v": 1, "key": "k2", "fields": {}}}, now_us=1)
        await account.records.put("note", "n", {"text": '"sealed" is a word'}, now_us=1)
        await store.directory.put("pepper", "p", {"sealed": {"v": 1, "key": "k1"}}, now_us=1)
        await store.directory.add("made", 1)
        yield store


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Store]:
    async with SqliteStore(tmp_path / "target.db") as store:
        yield store


@pytest.fixture
async def whole(store: Store) -> bytes:
    file = BytesIO()
    await dump(store, file, _AT)
    return file.getvalue()


async def _refuse(target: Store, data: bytes, error: type[Exception] = InvalidInput, match: str | None = None) -> None:
    with pytest.raises(error, match=match):
        await restore(target, BytesIO(data))
    assert await target.directory.counter("made") == 0


def _lines(data: bytes) -> list[bytes]:
    return gzip.decompress(data).splitlines(keepends=True)


async def test_a_file_begins_with_what_it_is_and_ends_with_what_is_in_it(store: Store, whole: bytes) -> None:
    head, *rows, end = [json.loads(line) for line in _lines(whole)]
    assert head == {
        "cerver_dump": 1,
        "made_at": "2026-05-01T02:00:00+00:00",
        "store": "sqlite",
        "schema": 3,
        "master_key_ids": ["k1", "k2"],
    }
    assert [1, 1, '{"content":"é"}'] in rows
    tables = (
        "records",
        "counters",
        "sessions",
        "session_details",
        "entries",
        "whole_bodies",
        "client_ids",
        "open_execs",
    )
    assert end["end"] == dict(zip(tables, (3, 1, 1, 1, 30, 0, 1, 0), strict=True))
    again = BytesIO()
    made = await dump(store, again, _AT)
    assert again.getvalue() == whole
    assert (made.rows, made.master_key_ids) == (end["end"], ["k1", "k2"])


async def test_a_whole_file_restores_all_and_a_second_time_nothing(target: Store, whole: bytes) -> None:
    done: list[int] = []
    restored = await restore(target, BytesIO(whole), done.append)
    assert (restored.made_at, restored.rows["entries"], sum(done)) == (_AT, 30, 37)
    before = await bodies(target.account("acme"), "5e55")
    assert len(before) == 30
    with pytest.raises(Conflict, match="holds something already"):
        await restore(target, BytesIO(whole))
    assert await bodies(target.account("acme"), "5e55") == before


async def test_a_file_that_is_cut_anywhere_restores_nothing(target: Store, whole: bytes) -> None:
    for size in (*range(0, len(whole), 37), len(whole) - 9, len(whole) - 1):
        await _refuse(target, whole[:size])
    await restore(target, BytesIO(whole))


async def test_a_file_with_one_bit_turned_restores_nothing(target: Store, whole: bytes) -> None:
    for place in (*range(_UNCHECKED_BYTES, len(whole), 13), len(whole) - 1):
        await _refuse(target, whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
    await restore(target, BytesIO(whole))


async def test_rows_that_were_changed_left_out_or_added_restore_nothing(target: Store, whole: bytes) -> None:
    lines = _lines(whole)
    place = lines.index(b'[1,2,"{\\"content\\":\\"2\\"}"]\n')
    changed = lines[place].replace(b"2\\", b"7\\")
    for altered in (
        [*lines[:place], changed, *lines[place + 1 :]],
        [*lines[:place], *lines[place + 1 :]],
        [*lines, b'["acme"]\n'],
        [*lines[:1], *lines[2:]],
        [*lines[:place], b"[1]\n", *lines[place + 1 :]],
        [*lines[:place], b'[1,2,{"no":"text"}]\n', *lines[place + 1 :]],
        [*lines[:place], b'{"table":"passwords","columns":[]}\n', *lines[place:]],
        [*lines[:place], b'{"table":["records"],"columns":[]}\n', *lines[place:]],
        [*lines[:place], b"5\n", *lines[place:]],
        [line.replace(b'"c3a9"', b'"z"').replace(b'"id-1",1,"', b'"id-1",1,"z') for line in lines],
    ):
        await _refuse(target, gzip.compress(b"".join(altered)), match="cut short or was altered|contradict each other")


@pytest.mark.parametrize(
    "data",
    [b"", b"PGDMP", gzip.compress(b"[]\n"), gzip.compress(b'{"a":1}\n' * 9)],
    ids=["empty", "not compressed", "a list", "another object"],
)
async def test_a_file_of_something_else_is_refused_by_its_name(target: Store, data: bytes) -> None:
    await _refuse(target, data, match="no dump of Cerver")


async def test_a_newer_format_says_which_it_is(target: Store, whole: bytes) -> None:
    newer = gzip.decompress(whole).replace(b'{"cerver_dump":1,', b'{"cerver_dump":2,"more":[],')
    await _refuse(target, gzip.compress(newer), SchemaTooNew, f"has format 2 and this Cerver knows {FORMAT}")


async def test_neither_a_dump_nor_its_restoration_takes_more_memory_than_a_few_batches(
    store: Store, target: Store, tmp_path: Path
) -> None:
    for _ in range(20):
        await store.account("acme").transcripts.append("5e55", [draft("x" * 100_000) for _ in range(10)])
    tracemalloc.start()
    try:
        with (tmp_path / "dump").open("w+b") as file:
            await dump(store, file, _AT)
            file.seek(0)
            assert (await restore(target, file)).rows["entries"] == 230
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000
