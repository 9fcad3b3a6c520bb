"""The index follows the transcripts: after kills, with several writers, and without a search that asks for it."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, SearchQuery
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.backlog import has_unindexed
from cerver_core.stores.sqlite.connection import open_reader, open_writer
from cerver_core.stores.sqlite.index import index_slice, reindex
from cerver_core.stores.sqlite.sql import Database
from cerver_core.testing.stores.ground import draft, kept

_APPENDER = Path(__file__).with_name("appender.py")
_LIMIT_S = 30
_NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _asking(text: str) -> SearchQuery:
    return SearchQuery(query=parse(text, _NOW), limit=10)


def _counts(connection: Database) -> tuple[int, int, int]:
    return (
        connection.execute("SELECT count(*) FROM entries").get,
        connection.execute("SELECT count(*) FROM said_index_docsize").get,
        connection.execute("SELECT entry_count FROM indexed_totals").get,
    )


async def test_what_is_appended_is_indexed_without_being_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "cerver.db"
    async with SqliteStore(path) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        await account.transcripts.append("5e55", [draft(f"word{number}") for number in range(3_000)])
        reader = open_reader(path)
        with anyio.fail_after(_LIMIT_S):
            while has_unindexed(reader):  # noqa: ASYNC110 - the writer's thread tells nobody when it is done
                await anyio.sleep(0.02)
        assert _counts(reader) == (3_000, 3_000, 3_000)
        reader.close()


def _append_and_kill(path: Path, after: int) -> list[str]:
    """Let a process append until it has so many acknowledgements, kill it, and give the last one."""
    command = [sys.executable, str(_APPENDER), str(path), "5e55", "w", "8", "400"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
    return lines[-1].decode().split()


@pytest.mark.parametrize("after", [1, 300, 900, 1_500])
async def test_a_kill_amid_indexing_loses_nothing_and_the_index_catches_up(tmp_path: Path, after: int) -> None:
    path = tmp_path / "cerver.db"
    async with SqliteStore(path) as store:
        await store.account("acme").sessions.create(kept("5e55"))
    last = _append_and_kill(path, after)
    async with SqliteStore(path) as store:
        result = await store.account("acme").transcripts.search(_asking(last[1]))
        assert [str(one.entry.seq) for one in result.found[0].entries] == [last[0]]
        assert result.indexed_up_to_us is None
    connection = open_writer(path, "full")
    entries, indexed, counted = _counts(connection)
    assert entries == indexed == counted >= after
    for table in ("said_index", "tool_index", "session_index"):
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')").close()
    connection.close()


async def test_a_search_sees_what_another_process_committed(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "cerver.db") as here, SqliteStore(tmp_path / "cerver.db") as there:
        await there.account("acme").sessions.create(kept("5e55"), [draft("first apple")])
        for number in range(20):
            await there.account("acme").transcripts.append("5e55", [draft(f"pear{number}")])
            result = await here.account("acme").transcripts.search(_asking(f"pear{number}"))
            assert [one.entry.seq for one in result.found[0].entries] == [number + 2]


async def test_text_that_was_replaced_is_no_longer_found(tmp_path: Path) -> None:
    path = tmp_path / "cerver.db"
    async with SqliteStore(path) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"), [draft("hush"), draft("other")])
        assert len((await account.transcripts.search(_asking("hush"))).found) == 1
    connection = open_writer(path, "full")
    body = EntryDraft('{"content":"masked"}').body
    connection.execute("BEGIN IMMEDIATE").close()
    place = connection.execute("SELECT min(place) FROM entries").get
    connection.execute("UPDATE entries SET body = ? WHERE place = ?", (body, place)).close()
    reindex(connection, place, body)
    connection.execute("COMMIT").close()
    connection.close()
    async with SqliteStore(path) as store:
        account = store.account("acme")
        assert (await account.transcripts.search(_asking("hush"))).found == ()
        assert len((await account.transcripts.search(_asking("masked"))).found) == 1


async def test_a_slice_is_bounded_and_says_that_more_waits(tmp_path: Path) -> None:
    path = tmp_path / "cerver.db"
    connection = open_writer(path, "full")
    connection.close()
    async with SqliteStore(path) as store:
        await store.account("acme").sessions.create(kept("5e55"), [draft("x" * 100) for _ in range(50)])
    connection = open_writer(path, "full")
    connection.execute("DELETE FROM indexed_sessions").close()
    connection.execute("DELETE FROM said_index").close()
    connection.execute("INSERT OR IGNORE INTO unindexed_sessions SELECT session_key, 0 FROM sessions").close()
    slices = 1
    while index_slice(connection, 1_000):
        slices += 1
    assert slices >= 5
    assert not has_unindexed(connection)
    connection.close()
