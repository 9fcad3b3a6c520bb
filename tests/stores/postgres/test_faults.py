"""A server that goes away, comes back, or is slow: calls fail clearly or wait within their limit; the store heals."""

from collections.abc import AsyncIterator, Iterator
from functools import partial

import anyio
import anyio.to_thread
import pytest

from cerver_core.errors import DeadlineExceeded, InvalidInput, SchemaTooNew, StoreUnavailable
from cerver_core.stores.base import AccountStore, EntryDraft, ReadWindow
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.postgres import PostgresServer, postgres_programs
from cerver_core.testing.stores.ground import bodies, draft, kept


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Run a server that a test may stop."""
    with PostgresServer(postgres_programs()[0]) as server:
        yield server


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore(postgres_url) as store:
        await store.account("acme").sessions.create(kept("5e55"))
        yield store


@pytest.fixture
def account(store: PostgresStore) -> AccountStore:
    return store.account("acme")


async def _append_until(
    account: AccountStore, name: str, acknowledged: dict[int, str], failed: list[Exception], stop: anyio.Event
) -> None:
    number = 0
    while not stop.is_set():
        text = f"{name}.{number}"
        number += 1
        try:
            appended = await account.transcripts.append("5e55", [draft(text)])
        except (StoreUnavailable, DeadlineExceeded) as error:
            failed.append(error)
        else:
            acknowledged[appended.seqs[0]] = text


async def _grown(acknowledged: dict[int, str], by: int) -> None:
    target = len(acknowledged) + by
    with anyio.fail_after(30):
        while len(acknowledged) < target:
            await anyio.lowlevel.checkpoint()


async def _transcript(account: AccountStore) -> dict[int, str]:
    texts = [text.split('"content":"')[1].removesuffix('"}') for text in await bodies(account, "5e55")]
    return dict(enumerate(texts, 1))


async def test_the_store_goes_on_after_every_connection_was_cut(
    account: AccountStore, postgres_server: PostgresServer
) -> None:
    acknowledged: dict[int, str] = {}
    failed: list[Exception] = []
    stop = anyio.Event()
    cut = partial(
        postgres_server.execute,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'cerver'",
    )
    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(_append_until, account, f"t{number}", acknowledged, failed, stop)
        for _ in range(3):
            await _grown(acknowledged, 20)
            assert int(await anyio.to_thread.run_sync(cut)) > 0
        await _grown(acknowledged, 20)
        stop.set()
    found = await _transcript(account)
    assert {seq: found.get(seq) for seq in acknowledged} == acknowledged
    assert len(set(found.values())) == len(found)


async def test_a_restart_of_the_server_in_the_middle_of_load_loses_nothing_acknowledged(
    own_server: PostgresServer,
) -> None:
    async with PostgresStore(own_server.url()) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        acknowledged: dict[int, str] = {}
        failed: list[Exception] = []
        stop = anyio.Event()
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(_append_until, account, f"t{number}", acknowledged, failed, stop)
            for mode in ("fast", "immediate"):
                await _grown(acknowledged, 20)
                await anyio.to_thread.run_sync(own_server.stop, mode)
                await anyio.to_thread.run_sync(own_server.start)
            await _grown(acknowledged, 20)
            stop.set()
        found = await _transcript(account)
        assert {seq: found.get(seq) for seq in acknowledged} == acknowledged
        assert len(set(found.values())) == len(found)
        # Two restarts, four callers: each call that fails does so for a connection that broke under it, few in all.
        assert len(failed) <= 2 * 4 * 4


async def test_while_the_server_is_away_calls_fail_clearly_and_afterwards_they_succeed(
    own_server: PostgresServer,
) -> None:
    async with PostgresStore(own_server.url(), connect_limit_s=0.2) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        await anyio.to_thread.run_sync(own_server.stop)
        for call in (
            partial(account.sessions.get, "5e55"),
            partial(account.transcripts.append, "5e55", [draft("x")]),
            partial(account.transcripts.append, "5e55", [draft("x", "id")]),
            partial(account.transcripts.read, "5e55", ReadWindow()),
            partial(account.records.add, "spent", 1),
        ):
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                await call()
        await anyio.to_thread.run_sync(own_server.start)
        await account.transcripts.append("5e55", [draft("back")])
        assert await _transcript(account) == {1: "back"}


async def test_a_server_that_is_not_there_is_said_to_be_so_at_once() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        async with PostgresStore("postgresql://nobody:hunter2@/none?host=/nonexistent", connect_limit_s=0.1):
            pass


async def test_an_unknown_database_or_user_names_the_setting_and_no_password(postgres_server: PostgresServer) -> None:
    url = postgres_server.url("no_such_database").replace("postgres@", "postgres:hunter2@")
    with pytest.raises(StoreUnavailable, match="CERVER_DATABASE_URL") as caught:
        async with PostgresStore(url):
            pass
    assert "hunter2" not in str(caught.value)


async def test_a_row_that_somebody_locks_is_waited_for_no_longer_than_the_limit(postgres_url: str) -> None:
    async with PostgresStore(postgres_url) as other, PostgresStore(postgres_url, answer_limit_s=0.3) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        await account.sessions.create(kept("free"))
        locker = await other._database.connect(as_owner=True)
        try:
            await locker.execute("BEGIN; SELECT FROM sessions WHERE id = '5e55' FOR UPDATE")
            with pytest.raises(DeadlineExceeded):
                await account.transcripts.append("5e55", [draft("late")])
            with pytest.raises(DeadlineExceeded):
                await account.transcripts.append("5e55", [draft("late", "id")])
            assert (await account.transcripts.append("free", [draft("1")])).last_seq == 1
            await locker.execute("ROLLBACK")
        finally:
            await locker.close()
        await account.transcripts.append("5e55", [draft("in time")])
        assert await _transcript(account) == {1: "in time"}


async def test_a_statement_that_the_server_ends_is_a_deadline(postgres_server: PostgresServer) -> None:
    database = postgres_server.create_database("cerver_template")
    postgres_server.execute(f"ALTER DATABASE {database} SET statement_timeout = '100ms'")
    async with PostgresStore(postgres_server.url(database)) as store:
        with pytest.raises(DeadlineExceeded):
            await store._database.value("SELECT pg_sleep(5)")
        assert await store._database.value("SELECT 1") == 1


async def test_callers_that_are_cancelled_leave_no_connection_behind(account: AccountStore) -> None:
    for _ in range(40):
        with anyio.move_on_after(0.0005):
            await account.transcripts.append("5e55", [draft("x", "id")], expected_seq=0)
        with anyio.move_on_after(0.0005):
            await account.transcripts.read("5e55", ReadWindow())
    async with anyio.create_task_group() as tasks:
        for _ in range(32):
            tasks.start_soon(account.sessions.get, "5e55")


async def test_a_newer_schema_is_refused(postgres_url: str, postgres_server: PostgresServer) -> None:
    async with PostgresStore(postgres_url) as store:
        owner = await store._database.connect(as_owner=True)
        await owner.execute("UPDATE cerver_schema SET version = 999")
        await owner.close()
    with pytest.raises(SchemaTooNew, match="999"):
        async with PostgresStore(postgres_url):
            pass


async def test_replicas_that_open_a_new_database_at_once_migrate_it_once(postgres_server: PostgresServer) -> None:
    url = postgres_server.url(postgres_server.create_database())
    opened: list[str] = []

    async def open_one(name: str) -> None:
        async with PostgresStore(url) as store:
            await store.account("acme").sessions.create(kept(name))
            opened.append(name)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(open_one, f"s{number}")
    assert sorted(opened) == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("body", ['{"a":"half \ud800"}', '{"a":"bare \0"}'])
async def test_text_that_cannot_be_kept_fails_alone(account: AccountStore, body: str) -> None:
    refused: list[InvalidInput] = []

    async def append_bad() -> None:
        try:
            await account.transcripts.append("5e55", [EntryDraft(body)])
        except InvalidInput as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(account.transcripts.append, "5e55", [draft("good")])
            tasks.start_soon(append_bad)
    assert (len(refused), len(await bodies(account, "5e55"))) == (5, 5)


async def test_a_store_that_was_closed_says_so(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    with pytest.raises(StoreUnavailable, match="not open"):
        store.account("acme")
    async with store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
    for call in (partial(account.sessions.get, "5e55"), partial(account.transcripts.append, "5e55", [draft("x")])):
        with pytest.raises(StoreUnavailable):
            await call()
