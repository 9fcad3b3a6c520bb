"""What the SQLite store does when the file, the disk or another process does not play along."""

import fcntl
import os
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import apsw
import pytest

from cerver_core.errors import InvalidInput, SchemaTooNew, StoreCorrupt, StoreUnavailable
from cerver_core.stores.base import AccountStore, EntryDraft, ReadWindow
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.connection import KNOWN_SCHEMA
from cerver_core.stores.sqlite.sql import Database
from cerver_core.testing.stores.ground import bodies, draft, kept, numbered


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cerver.db"


@pytest.fixture
async def account(path: Path) -> AsyncIterator[AccountStore]:
    async with SqliteStore(path, answer_limit_s=10) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        yield account


async def _open(path: Path, limit_s: float = 5) -> None:
    async with SqliteStore(path, answer_limit_s=limit_s):
        pass


async def _fill(path: Path, count: int = 400) -> None:
    async with SqliteStore(path) as store:
        await store.account("acme").sessions.create(kept("5e55"), numbered(1, count))


@contextmanager
def _lock_held(path: Path) -> Generator[None]:
    """Hold the write lock as another process would that was stopped."""
    descriptor = os.open(path.with_name("cerver.db.lock"), os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _foreign(path: Path) -> Database:
    """Open the file as another program would."""
    return apsw.Connection(str(path))


def _mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _damage(path: Path, offset: int) -> None:
    """Put noise in place of all that follows the offset."""
    size = path.stat().st_size
    assert size > offset
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(os.urandom(size - offset))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _move(source: Path, target: Path) -> None:
    source.rename(target)


def _let_others_read(path: Path) -> None:
    path.chmod(0o644)


def _set_schema(path: Path, version: int) -> None:
    foreign = _foreign(path)
    foreign.execute(f"PRAGMA user_version = {version}").close()
    foreign.close()


async def test_the_folder_and_all_files_are_the_users_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        async with SqliteStore(path) as store:
            await store.account("acme").sessions.create(kept("5e55"))
            found = {file.name: _mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    names = ("cerver.db", "cerver.db-wal", "cerver.db-shm", "cerver.db.lock")
    assert found == dict.fromkeys(names, "600")
    assert _mode(path.parent) == "700"


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    await _open(path)
    _let_others_read(path)
    await _open(path)
    assert _mode(path) == "600"


async def test_a_closed_store_leaves_no_log_behind(path: Path) -> None:
    await _fill(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["cerver.db", "cerver.db.lock"]


async def test_text_is_not_a_database(path: Path) -> None:
    _write(path, "Dear diary, " * 1_000)
    with pytest.raises(StoreCorrupt, match=r"not a database of Cerver.*move it away"):
        await _open(path)


async def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    _write(path, "")
    _foreign(path).execute("CREATE TABLE bookmarks (url TEXT)").close()
    with pytest.raises(StoreCorrupt, match="not a database of Cerver"):
        await _open(path)
    assert _foreign(path).execute("SELECT name FROM sqlite_schema").get == "bookmarks"


async def test_an_empty_file_becomes_a_store(path: Path) -> None:
    _write(path, "")
    await _fill(path)


async def _read_and_append(path: Path) -> None:
    async with SqliteStore(path) as store:
        account = store.account("acme")
        await account.transcripts.read("5e55", ReadWindow(from_seq=1, limit=4_000))
        await account.transcripts.append("5e55", [draft("x")])


async def test_damage_is_named_and_never_served_as_data(path: Path) -> None:
    await _fill(path, 4_000)
    _damage(path, 8_192)
    with pytest.raises(StoreCorrupt, match="damaged"):
        await _read_and_append(path)


async def test_a_file_cut_short_is_damaged(path: Path) -> None:
    await _fill(path, 4_000)
    _cut(path)
    with pytest.raises(StoreCorrupt, match="damaged"):
        await _read_and_append(path)


async def test_a_newer_schema_is_refused_at_open(path: Path) -> None:
    await _open(path)
    _set_schema(path, 99)
    with pytest.raises(SchemaTooNew, match=r"schema 99 .* upgrade") as caught:
        await _open(path)
    assert caught.value.detail["schema"] == 99


async def test_a_schema_that_a_newer_cerver_migrates_meanwhile_is_not_written(
    path: Path, account: AccountStore
) -> None:
    _set_schema(path, 99)
    with pytest.raises(SchemaTooNew):
        await account.transcripts.append("5e55", [draft("x")])
    await account.transcripts.read("5e55", ReadWindow())  # what still fits is still read
    foreign = _foreign(path)
    foreign.execute("ALTER TABLE entries RENAME TO lines").close()
    with pytest.raises(SchemaTooNew):
        await account.transcripts.read("5e55", ReadWindow())
    foreign.execute("ALTER TABLE lines RENAME TO entries").close()
    foreign.close()
    _set_schema(path, KNOWN_SCHEMA)
    assert (await account.transcripts.append("5e55", [draft("x")])).last_seq == 1


async def test_an_unsafe_sqlite_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(StoreUnavailable, match=r"SQLite 3\.51\.2 can lose data.*3\.51\.3"):
        await _open(path)


async def test_a_file_that_was_moved_away_takes_no_more_appends(path: Path, account: AccountStore) -> None:
    elsewhere = path.with_name("elsewhere.db")
    _move(path, elsewhere)
    with pytest.raises(StoreUnavailable, match="moved, replaced or deleted"):
        await account.transcripts.append("5e55", [draft("x")])
    _move(elsewhere, path)
    assert (await account.transcripts.append("5e55", [draft("x")])).last_seq == 1


async def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreUnavailable, match=r"home/cerver\.db"):
        await _open(tmp_path / "home" / "cerver.db")


async def test_a_lock_that_is_not_let_go_ends_in_an_error_and_not_in_a_hang(path: Path) -> None:
    async with SqliteStore(path, answer_limit_s=0.3) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        with _lock_held(path):
            with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.3 s"):
                await account.transcripts.append("5e55", [draft("given up")])
            with pytest.raises(StoreUnavailable):
                await _open(path, limit_s=0.3)
            assert (await account.sessions.get("5e55")).last_seq == 0
        await account.transcripts.append("5e55", [draft("after")])
        assert (await bodies(account, "5e55"))[-1] == '{"seq":1,"content":"after"}'


async def test_a_program_that_holds_sqlites_own_lock_is_named(path: Path, account: AccountStore) -> None:
    foreign = _foreign(path)
    foreign.execute("BEGIN IMMEDIATE").close()
    with pytest.raises(StoreUnavailable, match="locked by another program"):
        await account.transcripts.append("5e55", [draft("x")])
    foreign.execute("ROLLBACK").close()
    foreign.close()
    assert (await account.transcripts.append("5e55", [draft("y")])).last_seq == 1


async def test_a_bad_append_fails_alone_in_a_group(path: Path, account: AccountStore) -> None:
    outcomes: dict[int, str] = {}

    async def append(number: int) -> None:
        text = "\ud800" if number % 3 == 0 else "fine"
        try:
            await account.transcripts.append("5e55", [draft("first"), draft(text)])
            outcomes[number] = "done"
        except InvalidInput:
            outcomes[number] = "refused"

    async with anyio.create_task_group() as callers:
        with _lock_held(path):  # so that they become one group
            for number in range(9):
                callers.start_soon(append, number)
            await anyio.wait_all_tasks_blocked()
    assert outcomes == {number: "refused" if number % 3 == 0 else "done" for number in range(9)}
    assert len(await bodies(account, "5e55")) == 12


async def test_more_callers_than_there_is_room_for_are_all_served(account: AccountStore) -> None:
    async with anyio.create_task_group() as callers:
        for number in range(2_500):
            callers.start_soon(account.transcripts.append, "5e55", [draft(str(number))])
    assert (await account.sessions.get("5e55")).last_seq == 2_500


async def test_large_appends_wait_for_room_instead_of_filling_the_memory(account: AccountStore) -> None:
    large = EntryDraft('{"content":"' + "x" * (30 * 1024 * 1024) + '"}', view='{"content":"x"}')
    async with anyio.create_task_group() as callers:
        for _ in range(4):
            callers.start_soon(account.transcripts.append, "5e55", [large])
    assert (await account.sessions.get("5e55")).last_seq == 4


async def test_the_log_shrinks_again_after_a_reader_held_it_up(path: Path, account: AccountStore) -> None:
    log = path.with_name("cerver.db-wal")
    foreign = _foreign(path)
    assert foreign.execute("BEGIN; SELECT count(*) FROM sessions").get == 1  # and keeps its snapshot
    piece = EntryDraft('{"content":"' + "x" * (1024 * 1024) + '"}')
    for _ in range(10):
        await account.transcripts.append("5e55", [piece] * 8)
    assert log.stat().st_size > 64 * 1024 * 1024
    foreign.execute("COMMIT").close()
    foreign.close()
    for _ in range(2):
        await account.transcripts.append("5e55", [piece] * 4)
    assert log.stat().st_size < 16 * 1024 * 1024


async def test_a_closed_store_says_so(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="not open"):
        store.account("acme")
    async with store:
        account = store.account("acme")
    with pytest.raises(StoreUnavailable, match="closed"):
        await account.sessions.get("5e55")
