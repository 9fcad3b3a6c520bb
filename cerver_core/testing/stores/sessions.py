"""The part of the suite about single sessions: create, get, find, change, delete, and accounts kept apart."""

from typing import Any

import pytest

from cerver_core.errors import Conflict, InvalidInput, SessionNotFound, SessionStateConflict
from cerver_core.stores.base import (
    AccountStore,
    EntryDraft,
    MetricDelta,
    ReadWindow,
    SessionChange,
    SessionCounters,
    SessionQuery,
    Store,
    StoredSession,
)
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept

__all__ = ["StoredSessionContract"]

_FULL = StoredSession(
    id="5e55-full",
    state="running",
    created_at_us=1_000,
    updated_at_us=2_000,
    name="räksmörgås \u0000 \u202e",
    end_reason="none yet",
    ended_at_us=3_000,
    session_type="coding",
    workload="tests",
    task="count\nthe stars",
    harness="claude",
    source="cli",
    project="sky",
    parent_id="5e55-parent",
    provider="local",
    compute_id="comp_1",
    sandbox={"id": "sb_1", "nested": {"list": [1, 2.5, None, True, "é"]}},
    workspace_delete_at_us=4_000,
    requirements={"network": False},
    policy={"mode": "cheap"},
    metadata={"source": "cli", "": None},
    routing={"provider": "local", "reasons": ["here"]},
    counters=SessionCounters(
        provision_ms=1.5,
        first_exec_at_us=1_500,
        last_exec_ms=2.5,
        exec_ms_total=4.0,
        exec_count=2,
        stream_open_ms_total=8.0,
        stream_count=3,
        user_entry_count=4,
        cost_micro_usd=5,
    ),
)


class StoredSessionContract(StoreGround):
    """Sessions one by one."""

    async def test_a_session_comes_back_as_it_was_kept(self, account: AccountStore) -> None:
        assert await account.sessions.create(_FULL) == _FULL
        assert await account.sessions.get("5e55-full") == _FULL

    async def test_a_bare_session_comes_back_with_nothing_filled_in(self, account: AccountStore) -> None:
        bare = StoredSession(id="5e55-bare", state="ready", created_at_us=1, updated_at_us=1)
        assert await account.sessions.create(bare) == bare

    async def test_first_entries_are_kept_with_the_session(self, account: AccountStore) -> None:
        first = EntryDraft('{"content":"go"}', is_by_user=True)
        made = await account.sessions.create(kept("5e55"), [first, draft("went")])
        assert (made.last_seq, made.counters.user_entry_count) == (2, 1)
        assert await bodies(account, "5e55") == ['{"seq":1,"content":"go"}', '{"seq":2,"content":"went"}']

    async def test_an_id_is_taken_once(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55", name="first"), [draft("kept")])
        with pytest.raises(Conflict, match="5e55"):
            await account.sessions.create(kept("5e55", name="second"), [draft("lost")])
        assert (await account.sessions.get("5e55")).name == "first"
        assert await bodies(account, "5e55") == ['{"seq":1,"content":"kept"}']

    async def test_a_session_that_cannot_be_written_leaves_nothing(self, account: AccountStore) -> None:
        with pytest.raises(InvalidInput):
            await account.sessions.create(kept("5e55", task="half a pair: \ud800"))
        with pytest.raises(SessionNotFound):
            await account.sessions.get("5e55")

    async def test_an_unknown_session_is_not_found(self, account: AccountStore) -> None:
        for call in (
            account.sessions.get("nobody"),
            account.sessions.change("nobody", SessionChange(name="x")),
            account.transcripts.append("nobody", [draft("x")]),
            account.transcripts.read("nobody", ReadWindow()),
        ):
            with pytest.raises(SessionNotFound, match="nobody"):
                await call

    async def test_an_account_reaches_nothing_of_another(self, store: Store) -> None:
        ours, theirs = store.account("acme"), store.account("acme2")
        await theirs.sessions.create(kept("5e55-a", name="plans", project="p"), [draft("secret")])
        for call in (
            ours.sessions.get("5e55-a"),
            ours.sessions.change("5e55-a", SessionChange(name="mine")),
            ours.transcripts.append("5e55-a", [draft("mine")]),
            ours.transcripts.read("5e55-a", ReadWindow()),
        ):
            with pytest.raises(SessionNotFound):
                await call
        await ours.sessions.delete("5e55-a")
        assert list(await ours.sessions.find("5e55", limit=5)) == []
        assert list(await ours.sessions.find("plans", limit=5)) == []
        assert list(await ours.sessions.list(SessionQuery(limit=5))) == []
        assert list(await ours.sessions.list(SessionQuery(limit=5, project="p"))) == []
        assert await bodies(theirs, "5e55-a") == ['{"seq":1,"content":"secret"}']
        assert (await theirs.sessions.get("5e55-a")).name == "plans"

    async def test_two_accounts_use_one_id_apart(self, store: Store) -> None:
        ours, theirs = store.account("acme"), store.account("other")
        await ours.sessions.create(kept("5e55"), [draft("ours", "id")])
        await theirs.sessions.create(kept("5e55"), [draft("theirs", "id")])
        await ours.transcripts.append("5e55", [draft("more")])
        assert await bodies(ours, "5e55") == ['{"seq":1,"content":"ours"}', '{"seq":2,"content":"more"}']
        assert await bodies(theirs, "5e55") == ['{"seq":1,"content":"theirs"}']

    async def test_a_full_id_is_found_alone_though_it_is_a_prefix_and_a_name(self, account: AccountStore) -> None:
        await account.sessions.create(kept("abcd", 1))
        await account.sessions.create(kept("abcd-2", 2))
        await account.sessions.create(kept("zzzz", 3, name="abcd"))
        assert [found.id for found in await account.sessions.find("abcd", limit=5)] == ["abcd"]

    async def test_names_and_prefixes_are_found_newest_activity_first(self, account: AccountStore) -> None:
        await account.sessions.create(kept("deed-1", 1))
        await account.sessions.create(kept("other", 2, name="deed"))
        await account.sessions.create(kept("deed-2", 3))
        await account.sessions.create(kept("dee", 4))
        assert [found.id for found in await account.sessions.find("deed", limit=5)] == ["deed-2", "other", "deed-1"]
        assert [found.id for found in await account.sessions.find("deed", limit=2)] == ["deed-2", "other"]

    async def test_three_characters_are_a_name_and_no_prefix(self, account: AccountStore) -> None:
        await account.sessions.create(kept("deed-1"))
        await account.sessions.create(kept("other", name="dee"))
        assert [found.id for found in await account.sessions.find("dee", limit=5)] == ["other"]
        assert list(await account.sessions.find("", limit=5)) == []

    async def test_wildcards_in_a_reference_mean_themselves(self, account: AccountStore) -> None:
        await account.sessions.create(kept("deed-1", name="all"))
        for reference in ("%", "____", "deed%", "*", "d__d", "\U0010ffff" * 4):
            assert list(await account.sessions.find(reference, limit=5)) == []

    async def test_a_change_sets_what_it_names_and_keeps_the_rest(self, account: AccountStore) -> None:
        await account.sessions.create(_FULL)
        changed = await account.sessions.change(
            "5e55-full", SessionChange(state="paused", name=None, sandbox={"id": "sb_2"}, end_reason="tired")
        )
        assert (changed.state, changed.name, changed.sandbox, changed.end_reason) == (
            "paused",
            None,
            {"id": "sb_2"},
            "tired",
        )
        assert (changed.updated_at_us, changed.task, changed.routing) == (2_000, _FULL.task, _FULL.routing)
        assert await account.sessions.get("5e55-full") == changed

    async def test_every_changeable_field_can_become_null(self, account: AccountStore) -> None:
        await account.sessions.create(_FULL)
        fields = ("name", "end_reason", "ended_at_us", "harness", "source", "provider", "compute_id")
        fields += ("sandbox", "workspace_delete_at_us", "routing")
        changed = await account.sessions.change("5e55-full", SessionChange(**dict.fromkeys(fields)))
        assert [getattr(changed, name) for name in fields] == [None] * 10

    async def test_metadata_merges_key_by_key_and_null_removes(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55", metadata={"a": 1, "b": 2, "c": {"deep": 1}}))
        changed = await account.sessions.change("5e55", SessionChange(metadata_merge={"b": None, "c": [3], "d": "x"}))
        assert changed.metadata == {"a": 1, "c": [3], "d": "x"}

    async def test_a_change_for_other_states_changes_nothing(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55", state="terminated", name="old"))
        change = SessionChange(state="running", name="new", from_states=frozenset({"ready", "idle"}))
        with pytest.raises(SessionStateConflict) as caught:
            await account.sessions.change("5e55", change, MetricDelta(execs=1))
        assert caught.value.detail["state"] == "terminated"
        assert await account.sessions.get("5e55") == kept("5e55", state="terminated", name="old")

    async def test_the_time_of_activity_never_goes_back(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55", 100))
        assert (await account.sessions.change("5e55", SessionChange(updated_at_us=50))).updated_at_us == 100
        assert (await account.sessions.change("5e55", SessionChange(updated_at_us=150))).updated_at_us == 150

    async def test_counters_add_up_and_first_and_last_keep_their_meaning(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55"))
        none = SessionChange()
        first = MetricDelta(provision_ms=7, first_exec_at_us=10, last_exec_ms=2, exec_ms=2, execs=1)
        second = MetricDelta(first_exec_at_us=20, last_exec_ms=3, exec_ms=3, execs=1, cost_micro_usd=0)
        third = MetricDelta(stream_open_ms=5, streams=1, cost_micro_usd=4)
        await account.sessions.change("5e55", none, first)
        assert (await account.sessions.get("5e55")).counters.cost_micro_usd is None
        await account.sessions.change("5e55", none, second)
        changed = await account.sessions.change("5e55", none, third)
        assert changed.counters == SessionCounters(
            provision_ms=7,
            first_exec_at_us=10,
            last_exec_ms=3,
            exec_ms_total=5,
            exec_count=2,
            stream_open_ms_total=5,
            stream_count=1,
            user_entry_count=0,
            cost_micro_usd=4,
        )

    async def test_a_deleted_session_is_gone_with_its_transcript(self, account: AccountStore) -> None:
        await account.sessions.create(
            kept("5e55"), [draft("x", "id"), EntryDraft('{"content":"long"}', view='{"c":1}')]
        )
        await account.sessions.create(kept("5e56"), [draft("stays")])
        await account.sessions.delete("5e55")
        await account.sessions.delete("5e55")
        with pytest.raises(SessionNotFound):
            await account.sessions.get("5e55")
        await account.sessions.create(kept("5e55"), [draft("anew", "id")])
        assert await bodies(account, "5e55", whole=True) == ['{"seq":1,"content":"anew"}']
        assert await bodies(account, "5e56") == ['{"seq":1,"content":"stays"}']

    async def test_due_workspaces_are_those_of_ended_sessions_whose_time_has_passed(
        self, account: AccountStore, store: Store
    ) -> None:
        sandbox = {"id": "sb"}
        over: dict[str, Any] = {"state": "terminated", "sandbox": sandbox}
        await account.sessions.create(kept("due-2", workspace_delete_at_us=20, **over))
        await account.sessions.create(kept("due-1", workspace_delete_at_us=10, **over))
        await account.sessions.create(kept("later", workspace_delete_at_us=31, **over))
        await account.sessions.create(kept("forever", **over))
        await account.sessions.create(kept("alive", workspace_delete_at_us=10, state="idle", sandbox=sandbox))
        await account.sessions.create(kept("gone", workspace_delete_at_us=10, state="failed"))
        await store.account("other").sessions.create(kept("theirs", workspace_delete_at_us=10, **over))
        assert [due.id for due in await account.sessions.due_workspaces(30, limit=9)] == ["due-1", "due-2"]
        assert [due.id for due in await account.sessions.due_workspaces(30, limit=1)] == ["due-1"]
        await account.sessions.change("due-1", SessionChange(sandbox=None))
        assert [due.id for due in await account.sessions.due_workspaces(30, limit=9)] == ["due-2"]
