"""The file itself: every earlier version opens, and no question costs more in a larger one."""

from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from cerver_core.stores import sqlite
from cerver_core.stores.base import OpenExec, SessionQuery
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.connection import KNOWN_SCHEMA, open_writer
from cerver_core.stores.sqlite.listing import list_statement
from cerver_core.stores.sqlite.sql import Database
from cerver_core.testing.stores.ground import bodies, draft
from cerver_core.wire.sessions import Status

_FILES = Path(__file__).with_name("files")


def _opened(path: Path) -> Database:
    return apsw.Connection(str(path))


def _restore(version: int, path: Path) -> None:
    connection = _opened(path)
    connection.execute((_FILES / f"v{version}.sql").read_text(encoding="utf-8")).close()
    assert connection.execute("PRAGMA user_version").get == version
    connection.close()


def _schema(path: Path) -> list[tuple[str, ...]]:
    connection = _opened(path)
    rows = list(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"))
    connection.close()
    return rows


@pytest.mark.parametrize("version", range(1, KNOWN_SCHEMA + 1))
async def test_a_file_of_every_earlier_version_opens_with_all_it_held(tmp_path: Path, version: int) -> None:
    path = tmp_path / "cerver.db"
    _restore(version, path)
    async with SqliteStore(path) as store:
        account, other = store.account("acme"), store.account("other")
        session = await account.sessions.get("5e55-full")
        assert (session.name, session.task, session.state) == ("kept in 2026", "count\nthe stars", "running")
        assert session.sandbox == {"id": "sb_1", "nested": {"list": [1, 2.5, None, True, "é"]}}
        assert (session.last_seq, session.counters.user_entry_count, session.counters.cost_micro_usd) == (2, 5, 5)
        assert await bodies(account, "5e55-full", whole=True) == [
            '{"seq":1,"role":"user","content":"go"}',
            '{"seq":2,"role":"tool","content":"the whole of it"}',
        ]
        assert await bodies(account, "5e55-full") == [
            '{"seq":1,"role":"user","content":"go"}',
            '{"seq":2,"role":"tool","content":"…"}',
        ]
        assert list(await account.transcripts.open_execs()) == [("5e55-full", OpenExec("tool_1", "process-7", 100))]
        ended = await account.sessions.list(SessionQuery(limit=9, status="ended"))
        assert [session.id for session in ended] == ["5e55-bare"]
        assert await bodies(other, "5e55-full") == ['{"seq":1,"content":"theirs"}']
        assert (await account.transcripts.append("5e55-full", [draft("on it goes")])).seqs == (3,)


async def test_a_migrated_file_has_the_schema_of_a_new_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    _restore(1, old)
    for path in (old, new):
        async with SqliteStore(path):
            pass
    assert _schema(old) == _schema(new)


def test_every_version_has_a_migration_and_a_file_to_test_it() -> None:
    migrations = Path(sqlite.__file__).parent / "migrations"
    numbers = sorted(int(file.name[:4]) for file in migrations.glob("*.sql"))
    assert numbers == list(range(1, KNOWN_SCHEMA + 1))
    assert sorted(file.name for file in _FILES.glob("v*.sql")) == [f"v{number}.sql" for number in numbers]


@pytest.mark.parametrize("status", [None, "running", "idle", "ended"])
@pytest.mark.parametrize("column", [None, "source", "project", "parent_id"])
def test_every_list_seeks_in_its_index_and_sorts_only_its_page(
    tmp_path: Path, status: Status | None, column: str | None
) -> None:
    connection = open_writer(tmp_path / "cerver.db", "full")
    for after in (None, (5, "x")):
        query = SessionQuery(limit=5, status=status, stale_before_us=9, after=after)
        if column is not None:
            query = replace(query, **{column: "value"})
        statement, values = list_statement("acme", query)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        index = {None: "sessions_by_activity", "parent_id": "sessions_of_parent"}.get(column, f"sessions_of_{column}")
        searches = [step for step in plan if step.startswith("SEARCH sessions ")]
        assert len(searches) == {None: 3, "running": 1, "idle": 1, "ended": 2}[status]
        assert all(f"USING INDEX {index} (account_id=?" in step for step in searches)
        assert all(("(updated_at_us,id)<(?,?)" in step) for step in searches if after is not None)
        if status == "idle":
            assert "updated_at_us>?" in searches[0]
        assert [step for step in plan if step.startswith("SCAN") and "subquery" not in step] == []
        openings = plan.index("CORRELATED SCALAR SUBQUERY 1")
        assert plan[openings + 1] == "SEARCH entries USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
        assert plan.index("USE TEMP B-TREE FOR ORDER BY") == len(plan) - 1
    connection.close()
