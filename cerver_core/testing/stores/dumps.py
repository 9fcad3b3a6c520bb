"""Dumps: all of one moment, read from one store and written into another, of the same kind or not."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import anyio
import pytest

from cerver_core.errors import Conflict, InvalidInput
from cerver_core.search.query import parse
from cerver_core.stores.base import (
    EntryDraft,
    MetricDelta,
    OpenExec,
    ReadWindow,
    SearchQuery,
    SessionChange,
    Store,
)
from cerver_core.stores.dumping import TABLES, Batch, Row
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept
from cerver_core.testing.stores.search import said

__all__ = ["DumpContract"]

Content = dict[str, list[list[Any]]]
"""All rows of each table."""

_COUNTER = ["acme", "spent", 1]


class DumpContract(StoreGround):
    """Inherit it for a kind of store, and another kind that it is restored into; `target` is a second fixture."""

    @pytest.fixture
    def target(self) -> AsyncIterator[Store]:
        """Open another empty store that uses the clock; the inheriting class overrides this."""
        raise TypeError(f"{type(self).__name__} must override the fixture 'target'")

    async def test_what_is_restored_is_all_as_it_was(self, store: Store, target: Store) -> None:
        await _fill(store)
        before = await _content(store)
        assert all(before[table] for table in TABLES)
        await target.restore(_batches(before))
        assert await _content(target) == before
        for owner in (store.account("ac\0me").records, target.account("ac\0me").records):
            assert await owner.counter("spent\x01") == -3

    async def test_tables_of_many_rows_and_of_long_ones_are_whole(self, store: Store, target: Store) -> None:
        account = store.account("acme")
        long = "x" * 700_000
        await account.sessions.create(
            kept("5e55"), [EntryDraft(f'{{"a":"{n}{long}"}}', view='{"a":0}') for n in range(6)]
        )
        await account.transcripts.append("5e55", [draft(str(number), f"id-{number}") for number in range(2_000)])
        await target.restore(_batches(await _content(store)))
        restored = target.account("acme")
        whole = await restored.transcripts.read("5e55", ReadWindow(from_seq=6, limit=1, whole=True))
        assert [entry.json for entry in whole.entries] == [f'{{"seq":6,"a":"5{long}"}}']
        assert len(await bodies(restored, "5e55")) == 2_006
        assert await _content(target) == await _content(store)

    async def test_a_snapshot_is_of_one_moment_while_others_write(self, store: Store) -> None:
        account = store.account("acme")
        for number in range(4):
            await account.sessions.create(kept(f"s{number}"), [draft("first")])
        seen: list[Content] = []

        async def write(number: int) -> None:
            for text in range(100_000):
                await account.transcripts.append(f"s{number}", [draft(f"{text}", f"id-{text}"), draft("and one")])
                await account.records.put("note", f"{number}", {"of": text}, now_us=text)

        async with anyio.create_task_group() as writers:
            for number in range(4):
                writers.start_soon(write, number)
            for _ in range(5):
                async with store.snapshot() as snapshot:
                    at_first = await account.transcripts.read("s0", ReadWindow(limit=1))
                    with anyio.fail_after(20):
                        while (
                            await account.transcripts.read("s0", ReadWindow(limit=1))
                        ).last_seq < at_first.last_seq + 6:
                            await anyio.lowlevel.checkpoint()
                    seen.append({table: [list(row) for row in await _rows(snapshot.rows(table))] for table in TABLES})
            writers.cancel_scope.cancel()
        for content in seen:
            ends = {row[0]: row[TABLES["sessions"].index("last_seq")] for row in content["sessions"]}
            seqs = [(row[0], row[1]) for row in content["entries"]]
            assert seqs == [(key, seq) for key, end in sorted(ends.items()) for seq in range(1, end + 1)]
            assert len(content["client_ids"]) == sum((end - 1) // 2 for end in ends.values())
        lengths = [len(content["entries"]) for content in seen]
        assert lengths == sorted(set(lengths))

    async def test_a_restored_store_is_read_searched_and_written_on(
        self, store: Store, target: Store, clock: ManualClock
    ) -> None:
        await store.account("acme").sessions.create(kept("5e55", name="old"), [said("a zebra"), draft("2", "id-2")])
        await store.account("other").sessions.create(kept("5e55"), [said("a zebra of others")])
        await target.restore(_batches(await _content(store)))
        account = target.account("acme")
        found = await account.transcripts.search(SearchQuery(query=parse("zebra", clock.now()), limit=5))
        assert (found.indexed_up_to_us, [one.session.id for one in found.found]) == (None, ["5e55"])
        assert [one.entry.seq for one in found.found[0].entries] == [1]
        assert (await account.transcripts.append("5e55", [draft("2", "id-2"), said("a quagga")])).seqs == (2, 3)
        assert (await account.sessions.change("5e55", SessionChange(state="idle"))).name == "old"
        await account.sessions.create(kept("new"), [said("another zebra")])
        assert await bodies(account, "5e55") == [*await bodies(store.account("acme"), "5e55"), _seq(3, "a quagga")]
        assert len(await bodies(account, "new")) == 1
        for word, ids in (("quagga", ["5e55"]), ("zebra", ["5e55", "new"])):
            again = await account.transcripts.search(SearchQuery(query=parse(word, clock.now()), limit=5))
            assert sorted(one.session.id for one in again.found) == ids

    @pytest.mark.parametrize("holds", ["a session", "a record", "a counter", "a record of the directory"])
    async def test_a_store_that_holds_anything_is_left_as_it_is(self, target: Store, holds: str) -> None:
        account = target.account("acme")
        if holds == "a session":
            await account.sessions.create(kept("5e55"))
        elif holds == "a counter":
            await account.records.add("spent", 5)
        else:
            owner = account.records if holds == "a record" else target.directory
            await owner.put("note", "n", {}, now_us=1)
        before = await _content(target)
        with pytest.raises(Conflict, match="holds something already"):
            await target.restore(_batches({"counters": [_COUNTER]}))
        assert await _content(target) == before

    async def test_an_error_of_the_batches_leaves_the_store_empty(self, store: Store, target: Store) -> None:
        await _fill(store)
        content = await _content(store)

        async def torn() -> AsyncGenerator[Batch]:
            async for batch in _batches(content):
                yield batch
            raise InvalidInput("the file ends here")

        with pytest.raises(InvalidInput, match="ends here"):
            await target.restore(torn())
        assert await _content(target) == {table: [] for table in TABLES}
        await target.restore(_batches(content))
        assert await _content(target) == content

    async def test_a_cancelled_restoration_leaves_the_store_empty(self, target: Store) -> None:
        given = anyio.Event()

        async def endless() -> AsyncGenerator[Batch]:
            yield "counters", [_COUNTER]
            given.set()
            await anyio.sleep_forever()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(target.restore, endless())
            with anyio.fail_after(10):
                await given.wait()
            tasks.cancel_scope.cancel()
        assert await _content(target) == {table: [] for table in TABLES}
        assert await target.account("acme").records.add("spent", 1) == 1

    @pytest.mark.parametrize(
        "rows",
        [[_COUNTER, _COUNTER], [["acme", "spent", "many"]], [["acme", None, 1]], [["acme", "spent", 1 << 70]]],
        ids=["twice the same", "a text for a number", "a null", "a number too large"],
    )
    async def test_rows_that_cannot_be_leave_the_store_empty(self, target: Store, rows: list[list[Any]]) -> None:
        with pytest.raises(InvalidInput, match="contradict each other"):
            await target.restore(_batches({"counters": rows}))
        assert await _content(target) == {table: [] for table in TABLES}


async def _fill(store: Store) -> None:
    """Put something into every table, with texts that are hard to keep."""
    account = store.account("ac\0me")
    full = kept(
        "5e55",
        3,
        name="é\x01\0",
        parent_id="p",
        sandbox={"id": "\0"},
        metadata={"a": [1.5, None, "\ud800"]},
        project="p",
    )
    long = EntryDraft('{"content":"whole \\u0000 😀"}', "id\0-1", b"\x00\xff", view='{"content":"é"}', is_by_user=True)
    await account.sessions.create(full, [long, draft("2", "id-2")])
    await account.transcripts.append("5e55", [draft("3")], opens=OpenExec("t\x01", "me", 7))
    delta = MetricDelta(exec_ms=1.25, execs=1, cost_micro_usd=7)
    await account.sessions.change("5e55", SessionChange(state="running"), delta)
    await store.account("other").sessions.create(kept("gone"), [draft("of one that goes")])
    await store.account("other").sessions.create(kept("5e55"), [draft("of another")])
    await store.account("other").sessions.delete("gone")
    await account.records.put("kind\x01", "\0", {"text": "\0\x01\n'é", "n": [1.5, None, {}]}, now_us=5)
    await account.records.put("kind\x01", "\0", {"text": "\0\x01\n'é", "n": [2.5]}, now_us=6, expires_at_us=1 << 60)
    await account.records.add("spent\x01", -3)
    await store.directory.put("key", "\x01", {"hash": "x", "sealed": {"key": "k1"}}, now_us=5)
    await store.directory.add("made", 1 << 62)


async def _content(store: Store) -> Content:
    async with store.snapshot() as snapshot:
        return {table: [list(row) for row in await _rows(snapshot.rows(table))] for table in TABLES}


async def _rows(batches: AsyncIterator[Sequence[Row]]) -> list[Row]:
    return [row async for rows in batches for row in rows]


async def _batches(content: Content) -> AsyncGenerator[Batch]:
    for table, rows in content.items():
        for at in range(0, len(rows), 300):
            yield table, rows[at : at + 300]


def _seq(number: int, text: str) -> str:
    return f'{{"seq":{number},{said(text).body[1:]}'
