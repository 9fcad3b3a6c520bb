"""Replicas that tell one another which sessions were appended to."""

from collections.abc import Callable

import anyio
import anyio.lowlevel

from cerver_core.stores.base import SessionChange
from cerver_core.stores.notices import Noticing
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.ground import draft, kept


class _Heard:
    def __init__(self) -> None:
        self.sessions: list[tuple[str, str]] = []
        self._more = anyio.Event()

    def __call__(self, account_id: str, session_id: str) -> None:
        self.sessions.append((account_id, session_id))
        self._more.set()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        with anyio.fail_after(20):
            while not is_enough():
                await self._more.wait()
                self._more = anyio.Event()


async def _listening(store: PostgresStore, replicas: int) -> None:
    """Wait until so many replicas listen."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    owner = await store._database.connect(as_owner=True)
    with anyio.fail_after(20):
        while await owner.fetchval(asked) < replicas:
            await anyio.lowlevel.checkpoint()
    await owner.close()


async def test_an_append_is_heard_of_in_every_other_replica_and_not_in_its_own(postgres_url: str) -> None:
    own, far = _Heard(), _Heard()
    async with PostgresStore(postgres_url) as writer, PostgresStore(postgres_url) as reader:
        assert isinstance(reader, Noticing)
        with writer.watch(own), reader.watch(far):
            await _listening(writer, 2)
            for account_id in ("acme", "a'b\0 é"):
                account = writer.account(account_id)
                await account.sessions.create(kept("5e55"))
                await account.transcripts.append("5e55", [draft("grouped")])
                await far.until(lambda: len(far.sessions) == 1)
                assert far.sessions.pop() == (account_id, "5e55")
                await account.transcripts.append("5e55", [draft("alone", "id")])
                await far.until(lambda: len(far.sessions) == 1)
                assert far.sessions.pop() == (account_id, "5e55")
        await writer.account("acme").transcripts.append("5e55", [draft("unwatched")])
    assert (own.sessions, far.sessions) == ([], [])


async def test_the_end_of_a_session_is_heard_of_too(postgres_url: str) -> None:
    far = _Heard()
    async with PostgresStore(postgres_url) as writer, PostgresStore(postgres_url) as reader:
        sessions = writer.account("acme").sessions
        await sessions.create(kept("5e55"))
        with reader.watch(far):
            await _listening(writer, 2)
            await sessions.change("5e55", SessionChange(state="terminated"))
            await far.until(lambda: len(far.sessions) == 1)
            await sessions.delete("5e55")
            await far.until(lambda: len(far.sessions) == 2)
    assert far.sessions == [("acme", "5e55")] * 2


async def test_many_sessions_at_once_are_all_heard_of(postgres_url: str) -> None:
    far = _Heard()
    names = [f"{'long-' * 30}{number}" for number in range(200)]
    async with PostgresStore(postgres_url) as writer, PostgresStore(postgres_url) as reader:
        account = writer.account("acme")
        for name in names:
            await account.sessions.create(kept(name))
        with reader.watch(far):
            await _listening(writer, 2)
            async with anyio.create_task_group() as tasks:
                for name in names:
                    tasks.start_soon(account.transcripts.append, name, [draft("x")])
            await far.until(lambda: len(set(far.sessions)) == 200)
    assert {session_id for _, session_id in far.sessions} == set(names)


async def test_a_cut_connection_is_made_anew(postgres_url: str, postgres_server: PostgresServer) -> None:
    far = _Heard()
    async with PostgresStore(postgres_url) as writer, PostgresStore(postgres_url) as reader:
        account = writer.account("acme")
        await account.sessions.create(kept("5e55"))
        with reader.watch(far):
            await _listening(writer, 2)
            postgres_server.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            )
            await _listening(writer, 2)
            await account.transcripts.append("5e55", [draft("x")])
            await far.until(lambda: far.sessions == [("acme", "5e55")])
