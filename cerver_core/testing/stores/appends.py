"""The part of the suite about appends: numbers, repeats, conditions, atomicity."""

from datetime import timedelta

import anyio
import pytest

from cerver_core.errors import EntryConflict, InvalidInput, SequenceConflict, SessionStateConflict
from cerver_core.stores.base import (
    AccountStore,
    Appended,
    ClosedExec,
    EntryDraft,
    MetricDelta,
    OpenExec,
    SessionChange,
)
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept, numbered

__all__ = ["AppendContract"]


class AppendContract(StoreGround):
    """Appends."""

    async def test_entries_are_numbered_from_one_in_order(self, ready: AccountStore) -> None:
        assert await ready.transcripts.append("5e55", numbered(1, 3)) == Appended((1, 2, 3), 3, 3)
        assert await ready.transcripts.append("5e55", numbered(4, 4)) == Appended((4,), 1, 4)
        assert await bodies(ready, "5e55") == [f'{{"seq":{number},"content":"{number}"}}' for number in range(1, 5)]
        assert (await ready.sessions.get("5e55")).last_seq == 4

    async def test_concurrent_appends_leave_no_gap_and_no_repeat(self, ready: AccountStore) -> None:
        seqs: list[int] = []

        async def append_ten(caller: int) -> None:
            for number in range(10):
                appended = await ready.transcripts.append("5e55", [draft(f"{caller}.{number}"), draft("pair")])
                assert appended.seqs[1] == appended.seqs[0] + 1
                seqs.extend(appended.seqs)

        async with anyio.create_task_group() as callers:
            for caller in range(20):
                callers.start_soon(append_ten, caller)
        assert sorted(seqs) == list(range(1, 401))
        assert len(await bodies(ready, "5e55")) == 400

    async def test_text_comes_back_byte_for_byte(self, ready: AccountStore) -> None:
        body = '{ "content": "\\u0000\\ud800 é 😀 \u2028 \u202e", "n": 1.0e400,"n":2}'
        await ready.transcripts.append("5e55", [EntryDraft(body)])
        assert await bodies(ready, "5e55") == ['{"seq":1,' + body[1:]]

    @pytest.mark.parametrize("body", ["", "{}", "[1]", "x", '{"a":1', "null"])
    async def test_what_is_no_object_is_refused_whole(self, ready: AccountStore, body: str) -> None:
        with pytest.raises(InvalidInput):
            await ready.transcripts.append("5e55", [draft("fine"), EntryDraft(body)])
        assert await bodies(ready, "5e55") == []

    async def test_a_known_id_keeps_its_seq_and_adds_nothing(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("a", "id-a"), draft("b", "id-b")])
        await ready.transcripts.append("5e55", [draft("between")])
        again = await ready.transcripts.append("5e55", [draft("b", "id-b"), draft("c", "id-c"), draft("a", "id-a")])
        assert again == Appended((2, 4, 1), 1, 4)

    async def test_an_id_twice_in_one_batch_is_one_entry(self, ready: AccountStore) -> None:
        appended = await ready.transcripts.append("5e55", [draft("a", "id"), draft("b"), draft("a", "id")])
        assert appended == Appended((1, 2, 1), 2, 2)
        with pytest.raises(EntryConflict):
            await ready.transcripts.append("5e55", [draft("x", "new"), draft("y", "new")])

    async def test_an_id_with_another_body_conflicts_and_nothing_is_added(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("a", "id-a")])
        with pytest.raises(EntryConflict) as caught:
            await ready.transcripts.append("5e55", [draft("new", "id-n"), draft("other", "id-a")])
        assert caught.value.detail["id"] == "id-a"
        assert await bodies(ready, "5e55") == ['{"seq":1,"content":"a"}']
        assert await ready.transcripts.append("5e55", [draft("later", "id-n")]) == Appended((2,), 1, 2)

    async def test_an_id_of_another_session_is_no_repeat(self, ready: AccountStore) -> None:
        await ready.sessions.create(kept("5e56"), [draft("a", "id")])
        assert await ready.transcripts.append("5e55", [draft("b", "id")]) == Appended((1,), 1, 1)
        assert await ready.transcripts.append("5e56", [draft("a", "id")]) == Appended((1,), 0, 1)

    async def test_an_expected_seq_must_be_where_the_transcript_ends(self, ready: AccountStore) -> None:
        assert (await ready.transcripts.append("5e55", [draft("1")], expected_seq=0)).last_seq == 1
        for wrong in (0, 2):
            with pytest.raises(SequenceConflict) as caught:
                await ready.transcripts.append("5e55", [draft("2")], expected_seq=wrong)
            assert caught.value.detail["last_seq"] == 1
        assert (await ready.transcripts.append("5e55", [draft("2")], expected_seq=1)).last_seq == 2

    async def test_of_two_callers_with_one_expectation_one_wins(self, ready: AccountStore) -> None:
        outcomes: list[int | str] = []

        async def try_first(caller: int) -> None:
            try:
                outcomes.append((await ready.transcripts.append("5e55", [draft(str(caller))], expected_seq=0)).last_seq)
            except SequenceConflict as error:
                outcomes.append(error.code)

        async with anyio.create_task_group() as callers:
            for caller in range(5):
                callers.start_soon(try_first, caller)
        assert sorted(outcomes, key=str) == [1, *["sequence_conflict"] * 4]

    async def test_a_repeat_of_a_whole_batch_is_passed_over_with_all_it_would_do(
        self, ready: AccountStore, clock: ManualClock
    ) -> None:
        batch = [draft("a", "id-a"), draft("b", "id-b")]
        await ready.transcripts.append("5e55", batch, expected_seq=0)
        before = await ready.sessions.get("5e55")
        clock.advance(timedelta(seconds=1))
        again = await ready.transcripts.append(
            "5e55",
            batch,
            expected_seq=0,
            change=SessionChange(state="failed", name="x", from_states=frozenset({"paused"})),
            delta=MetricDelta(execs=1),
            opens=OpenExec("tool_1", "me", 1),
            closes=ClosedExec("tool_0"),
        )
        assert again == Appended((1, 2), 0, 2)
        assert await ready.sessions.get("5e55") == before
        assert list(await ready.transcripts.open_execs()) == []

    async def test_an_append_changes_the_session_with_it(self, ready: AccountStore, now_us: int) -> None:
        entries = [EntryDraft('{"a":1}', is_by_user=True), EntryDraft('{"a":2}', is_by_user=True), draft("x")]
        change = SessionChange(name="new", metadata_merge={"k": 1}, from_states=frozenset({"ready"}))
        await ready.transcripts.append("5e55", entries, change=change, delta=MetricDelta(execs=2, exec_ms=5))
        session = await ready.sessions.get("5e55")
        assert (session.name, session.metadata, session.state, session.last_seq) == ("new", {"k": 1}, "ready", 3)
        assert (session.counters.user_entry_count, session.counters.exec_count) == (2, 2)
        assert session.updated_at_us == now_us

    async def test_the_users_entries_count_once(self, ready: AccountStore) -> None:
        said = EntryDraft('{"a":1}', "id", b"f", is_by_user=True)
        await ready.transcripts.append("5e55", [said])
        await ready.transcripts.append("5e55", [said, draft("new")])
        assert (await ready.sessions.get("5e55")).counters.user_entry_count == 1

    async def test_an_append_for_other_states_does_nothing(self, ready: AccountStore) -> None:
        before = await ready.sessions.get("5e55")
        change = SessionChange(name="new", from_states=frozenset({"paused", "idle"}))
        with pytest.raises(SessionStateConflict) as caught:
            await ready.transcripts.append("5e55", [draft("x", "id")], change=change, delta=MetricDelta(execs=1))
        assert caught.value.detail["state"] == "ready"
        assert await ready.sessions.get("5e55") == before
        assert await ready.transcripts.append("5e55", [draft("y", "id")]) == Appended((1,), 1, 1)

    async def test_an_append_of_nothing_still_changes_the_session(self, ready: AccountStore) -> None:
        appended = await ready.transcripts.append("5e55", [], change=SessionChange(state="paused"))
        assert appended == Appended((), 0, 0)
        assert (await ready.sessions.get("5e55")).state == "paused"

    async def test_a_cancelled_append_is_whole_or_absent(self, ready: AccountStore) -> None:
        for number in range(20):
            with anyio.move_on_after(0):
                await ready.transcripts.append("5e55", [draft(f"{number}a"), draft(f"{number}b")])
        await ready.transcripts.append("5e55", [draft("last")])
        texts = [text.split('"content":')[1].strip('"}') for text in await bodies(ready, "5e55")]
        assert texts.pop() == "last"
        assert [text[-1] for text in texts] == ["a", "b"] * (len(texts) // 2)
