"""The part of the suite about lists."""

import itertools
from datetime import timedelta

import pytest

from cerver_core.stores.base import AccountStore, EntryDraft, SessionChange, SessionQuery
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, draft, kept
from cerver_core.wire.sessions import Lifecycle, Status

__all__ = ["ListContract"]

_STATES: tuple[Lifecycle, ...] = ("provisioning", "ready", "running", "idle", "paused", "terminated", "failed")


async def _ids(account: AccountStore, query: SessionQuery) -> list[str]:
    return [session.id for session in await account.sessions.list(query)]


class ListContract(StoreGround):
    """Lists: filters, order, pages."""

    async def test_an_empty_store_lists_nothing(self, account: AccountStore) -> None:
        assert await _ids(account, SessionQuery(limit=10)) == []

    async def test_newest_activity_comes_first_and_ties_go_by_id_descending(self, account: AccountStore) -> None:
        for session_id, at_us, state in (("b", 5, "idle"), ("a", 5, "running"), ("c", 5, "failed"), ("z", 4, "idle")):
            await account.sessions.create(kept(session_id, at_us, state=state))
        await account.sessions.create(kept("m", 6))
        assert await _ids(account, SessionQuery(limit=10)) == ["m", "c", "b", "a", "z"]

    async def test_an_append_moves_a_session_to_the_front(self, account: AccountStore, now_us: int) -> None:
        await account.sessions.create(kept("old", now_us - 9))
        await account.sessions.create(kept("new", now_us - 5))
        await account.transcripts.append("old", [draft("x")])
        assert await _ids(account, SessionQuery(limit=10)) == ["old", "new"]

    async def test_metadata_changes_do_not_move_a_session(self, account: AccountStore) -> None:
        await account.sessions.create(kept("old", 1))
        await account.sessions.create(kept("new", 2))
        await account.sessions.change("old", SessionChange(metadata_merge={"a": 1}))
        assert await _ids(account, SessionQuery(limit=10)) == ["new", "old"]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("running", ["running-new", "provisioning-new", "running-old", "provisioning-old"]),
            ("idle", ["ready-new", "paused-new", "idle-new"]),
            (
                "ended",
                ["terminated-new", "failed-new", "terminated-old", "ready-old", "paused-old", "idle-old", "failed-old"],
            ),
        ],
    )
    async def test_a_status_takes_its_states_and_stale_sessions_count_as_ended(
        self, account: AccountStore, status: Status, expected: list[str]
    ) -> None:
        for state in _STATES:
            await account.sessions.create(kept(f"{state}-old", 99, state=state))
            await account.sessions.create(kept(f"{state}-new", 100, state=state))
        assert await _ids(account, SessionQuery(limit=99, status=status, stale_before_us=100)) == expected

    @pytest.mark.parametrize(
        ("status", "states", "expected"),
        [
            ("idle", {"paused"}, ["paused-new"]),
            ("idle", {"ready", "idle"}, ["ready-new", "idle-new"]),
            ("ended", {"failed"}, ["failed-new", "failed-old"]),
            ("running", {"provisioning"}, ["provisioning-new", "provisioning-old"]),
        ],
    )
    async def test_states_narrow_a_status_and_leave_out_what_is_stale(
        self, account: AccountStore, status: Status, states: set[Lifecycle], expected: list[str]
    ) -> None:
        for state in _STATES:
            await account.sessions.create(kept(f"{state}-old", 99, state=state))
            await account.sessions.create(kept(f"{state}-new", 100, state=state))
        query = SessionQuery(limit=99, status=status, states=frozenset(states), stale_before_us=100)
        assert await _ids(account, query) == expected

    async def test_filters_hold_alone_and_together(self, account: AccountStore) -> None:
        combinations = itertools.product(("cli", None), ("sky", "sea"), ("root", None))
        for number, (source, project, parent_id) in enumerate(combinations):
            fields = {"source": source, "project": project, "parent_id": parent_id}
            await account.sessions.create(kept(f"s{number}", number, **fields))
        assert await _ids(account, SessionQuery(limit=9, source="cli")) == ["s3", "s2", "s1", "s0"]
        assert await _ids(account, SessionQuery(limit=9, project="sea")) == ["s7", "s6", "s3", "s2"]
        assert await _ids(account, SessionQuery(limit=9, parent_id="root")) == ["s6", "s4", "s2", "s0"]
        assert await _ids(account, SessionQuery(limit=9, source="cli", project="sea")) == ["s3", "s2"]
        every = SessionQuery(limit=9, source="cli", project="sky", parent_id="root", status="idle")
        assert await _ids(account, every) == ["s0"]
        assert await _ids(account, SessionQuery(limit=9, source="nobody")) == []

    @pytest.mark.parametrize("status", [None, "running", "idle", "ended"])
    async def test_pages_make_the_whole_list_without_gap_or_repeat(
        self, account: AccountStore, status: Status | None
    ) -> None:
        for number in range(35):
            at_us = 100 + number // 3
            await account.sessions.create(kept(f"s{number:02}", at_us, state=_STATES[number % 7], project="p"))
        for project in (None, "p"):
            whole = SessionQuery(limit=99, status=status, stale_before_us=105, project=project)
            expected = await _ids(account, whole)
            assert len(expected) == {None: 35, "running": 10, "idle": 9, "ended": 16}[status]
            paged: list[str] = []
            after = None
            while True:
                query = SessionQuery(limit=2, status=status, stale_before_us=105, project=project, after=after)
                page = await account.sessions.list(query)
                if not page:
                    break
                paged += [session.id for session in page]
                after = (page[-1].updated_at_us, page[-1].id)
            assert paged == expected

    async def test_a_clock_set_back_does_not_reorder_what_was_active(
        self, account: AccountStore, clock: ManualClock, now_us: int
    ) -> None:
        await account.sessions.create(kept("first", now_us - 1))
        await account.sessions.create(kept("second", now_us))
        clock.advance(timedelta(hours=-1))
        await account.transcripts.append("second", [draft("x")])
        assert await _ids(account, SessionQuery(limit=9)) == ["second", "first"]
        assert (await account.sessions.get("second")).updated_at_us == now_us

    async def test_a_session_without_name_and_task_is_listed_with_what_the_user_said_first(
        self, account: AccountStore
    ) -> None:
        for session in (kept("bare"), kept("named", name="n"), kept("tasked", task="t"), kept("empty")):
            await account.sessions.create(session)
        note, asked = draft("a note"), EntryDraft('{"role":"user","content":"Why is it red?"}')
        for session_id in ("bare", "named", "tasked"):
            await account.transcripts.append(session_id, [note, asked, draft("more")])
        found = {session.id: session.opening for session in await account.sessions.list(SessionQuery(limit=9))}
        assert found == {"bare": asked.body, "named": None, "tasked": None, "empty": None}
        assert (await account.sessions.get("bare")).opening == asked.body
        assert [session.opening for session in await account.sessions.find("bare", limit=2)] == [asked.body]
        await account.sessions.create(kept("noted"), [note, EntryDraft(f'{{"content":"{"long " * 900}"}}')])
        assert (await account.sessions.get("noted")).opening == note.body
