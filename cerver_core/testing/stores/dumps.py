"""What a store promises of dumps: one moment whatever is written meanwhile, and everything as it was."""

from collections.abc import AsyncGenerator

import pytest

from cerver_core.errors import Conflict, SequenceConflict, SessionNotFound
from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, OpenExec, ReadWindow, SearchQuery, SessionChange, Store
from cerver_core.stores.dumping import (
    DumpedCounter,
    DumpedEntry,
    DumpedId,
    DumpedSession,
    DumpingStore,
    Part,
    Snapshot,
)
from cerver_core.stores.records import Record
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept, numbered
from cerver_core.testing.stores.search import said

__all__ = ["DumpContract", "everything"]

_BYTES = 1024 * 1024


class DumpContract(StoreGround):
    """Inherit it beside `StoreContract` for a store that satisfies `DumpingStore`."""

    @pytest.fixture
    def dumping(self, store: Store) -> DumpingStore:
        """Give the store by its ability."""
        assert isinstance(store, DumpingStore)
        return store

    async def test_a_snapshot_holds_whole_entries_ids_and_executions(self, store: Store, dumping: DumpingStore) -> None:
        account = store.account("acme")
        made = await account.sessions.create(kept("5e55", metadata={"a": [1.5, None, "\ud800"]}, sandbox={"id": "s"}))
        large = EntryDraft('{"content":"all of it"}', "id-1", b"\x00\xff", view='{"content":"cut"}', is_by_user=True)
        await account.transcripts.append("5e55", [large, draft("2")], opens=OpenExec("t1", "me", 7))
        async with dumping.snapshot() as snapshot:
            (found,) = await snapshot.sessions("acme", limit=10)
            assert found.session == await account.sessions.get("5e55") != made
            assert found.execs == (OpenExec("t1", "me", 7),)
            assert await snapshot.entries("acme", "5e55", limit=10, max_bytes=_BYTES) == [
                DumpedEntry("5e55", 1, '{"content":"all of it"}', '{"content":"cut"}'),
                DumpedEntry("5e55", 2, '{"content":"2"}'),
            ]
            assert await snapshot.ids("acme", "5e55", limit=10) == [DumpedId("5e55", "id-1", 1, b"\x00\xff")]

    async def test_a_snapshot_holds_every_owner_and_nothing_that_came_later(
        self, store: Store, dumping: DumpingStore
    ) -> None:
        await store.account("sessions alone").sessions.create(kept("5e55"))
        await store.account("récords").records.put("kind", "id", {"a": 1}, now_us=5, expires_at_us=9)
        await store.account("a\0'b").records.add("spent", -3)
        await store.directory.put("key", "k", {"hash": "x"}, now_us=5)
        await store.directory.add("made", 2)
        async with dumping.snapshot() as snapshot:
            await store.account("sessions alone").transcripts.append("5e55", [draft("late")])
            await store.account("sessions alone").sessions.create(kept("late"))
            await store.account("late").sessions.create(kept("5e55"))
            await store.directory.delete("key", "k")
            await store.directory.add("made", 1)
            found = {owner: parts async for owner, parts in everything(snapshot) if parts}
        assert found == {
            None: [Record("key", "k", {"hash": "x"}, 1, 5, 5), DumpedCounter("made", 2)],
            "a\0'b": [DumpedCounter("spent", -3)],
            "récords": [Record("kind", "id", {"a": 1}, 1, 5, 5, 9)],
            "sessions alone": [DumpedSession(kept("5e55"))],
        }

    async def test_pages_end_and_miss_nothing(self, store: Store, dumping: DumpingStore) -> None:
        account = store.account("acme")
        for name in ("s-1", "s-2", "s-3"):
            await account.sessions.create(kept(name))
            await account.records.put(name, "id", {}, now_us=1)
            await account.records.add(name, 1)
        await account.transcripts.append("s-2", [draft(str(number), f"id-{number}") for number in range(1, 6)])
        async with dumping.snapshot() as snapshot:
            one_by_one = [parts async for owner, parts in everything(snapshot, limit=1) if owner == "acme"]
            at_once = [parts async for owner, parts in everything(snapshot) if owner == "acme"]
            tight = await snapshot.entries("acme", "s-2", limit=5, max_bytes=1)
        assert one_by_one == at_once
        assert [len(parts) for parts in at_once] == [3 + 5 + 5 + 3 + 3]
        assert [entry.seq for entry in tight] == [1]

    async def test_what_is_restored_is_all_as_it_was(self, store: Store, dumping: DumpingStore) -> None:
        account = store.account("acme")
        await account.sessions.create(kept("5e55", at_us=3, name="n", parent_id="p", metadata={"a": {"b": "\ud800"}}))
        large = EntryDraft('{"content":"zebra whole"}', "id-1", b"\x00", view='{"content":"zebra"}', is_by_user=True)
        await account.transcripts.append("5e55", [large, *numbered(2, 4)], opens=OpenExec("t1", "me", 7))
        await account.records.put("kind", "a", {"n": 1.5}, now_us=5)
        await account.records.put("kind", "a", {"n": None}, now_us=6)
        await account.records.add("spent", 12)
        await store.directory.put("key", "k", {"of": "acme"}, now_us=5, expires_at_us=1 << 60)
        async with dumping.snapshot() as snapshot:
            before = {owner: parts async for owner, parts in everything(snapshot)}
        assert not await dumping.is_empty()
        # Under another account, since the store holds this one: what an owner keeps does not name it.
        await dumping.restore("other", before["acme"])
        async with dumping.snapshot() as snapshot:
            after = {owner: parts async for owner, parts in everything(snapshot)}
        assert after == {**before, "other": before["acme"]}

    async def test_a_restored_session_reads_searches_and_goes_on_as_before(
        self, store: Store, dumping: DumpingStore, clock: ManualClock
    ) -> None:
        zebra = said("a zebra").body
        parts: list[Part] = [
            DumpedSession(kept("5e55", last_seq=2, name="old")),
            DumpedEntry("5e55", 1, zebra),
            DumpedEntry("5e55", 2, '{"content":"whole"}', '{"content":"cut"}'),
            DumpedId("5e55", "id-1", 1, b"a zebra"),
        ]
        assert await dumping.is_empty()
        await dumping.restore("acme", parts[:2])
        await dumping.restore("acme", parts[2:])
        assert not await dumping.is_empty()
        account = store.account("acme")
        assert await bodies(account, "5e55") == [f'{{"seq":1,{zebra[1:]}', '{"seq":2,"content":"cut"}']
        whole = await account.transcripts.read("5e55", ReadWindow(from_seq=2, whole=True))
        assert [entry.json for entry in whole.entries] == ['{"seq":2,"content":"whole"}']
        repeat = EntryDraft(zebra, "id-1", b"a zebra")
        assert (await account.transcripts.append("5e55", [repeat, draft("3")])).seqs == (1, 3)
        assert (await account.sessions.change("5e55", SessionChange(state="idle"))).name == "old"
        found = await account.transcripts.search(SearchQuery(parse("zebra", clock.now()), limit=5))
        assert [one.session.id for one in found.found] == ["5e55"]

    async def test_a_part_that_is_there_already_or_has_no_session_changes_nothing(
        self, store: Store, dumping: DumpingStore
    ) -> None:
        await dumping.restore("acme", [DumpedSession(kept("5e55")), DumpedCounter("spent", 1)])
        with pytest.raises(Conflict):
            await dumping.restore("acme", [DumpedSession(kept("free")), DumpedSession(kept("5e55"))])
        with pytest.raises(Conflict):
            await dumping.restore("acme", [DumpedCounter("free", 5), DumpedCounter("spent", 5)])
        with pytest.raises(SessionNotFound):
            await dumping.restore("other", [DumpedCounter("free", 5), DumpedEntry("5e55", 1, '{"a":1}')])
        with pytest.raises(SequenceConflict):
            await dumping.restore("acme", [DumpedEntry("5e55", seq, '{"a":1}') for seq in (1, 3)])
        async with dumping.snapshot() as snapshot:
            found = {owner: parts async for owner, parts in everything(snapshot) if parts}
        assert found == {"acme": [DumpedSession(kept("5e55")), DumpedCounter("spent", 1)]}


async def everything(snapshot: Snapshot, *, limit: int = 100) -> AsyncGenerator[tuple[str | None, list[Part]]]:
    """Read all that a small store keeps, page by page, owner by owner."""
    for owner in (None, *await snapshot.accounts()):
        parts: list[Part] = []
        name: str | None = None
        while owner is not None and (sessions := await snapshot.sessions(owner, after=name, limit=limit)):
            for session in sessions:
                parts += [session, *await _of_session(snapshot, owner, session.session.id, limit)]
            name = sessions[-1].session.id
        key: tuple[str, str] | None = None
        while records := await snapshot.records(owner, after=key, limit=limit):
            parts += records
            key = records[-1].kind, records[-1].id
        name = None
        while counters := await snapshot.counters(owner, after=name, limit=limit):
            parts += counters
            name = counters[-1].name
        yield owner, parts


async def _of_session(snapshot: Snapshot, account_id: str, session_id: str, limit: int) -> list[Part]:
    parts: list[Part] = []
    seq, name = 0, None
    while entries := await snapshot.entries(account_id, session_id, after=seq, limit=limit, max_bytes=_BYTES):
        parts += entries
        seq = entries[-1].seq
    while ids := await snapshot.ids(account_id, session_id, after=name, limit=limit):
        parts += ids
        name = ids[-1].client_id
    return parts
