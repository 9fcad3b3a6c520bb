"""The part of the suite about executions under way."""

import pytest

from cerver_core.errors import SessionStateConflict
from cerver_core.stores.base import AccountStore, ClosedExec, OpenExec, SessionChange, Store
from cerver_core.testing.stores.ground import StoreGround, draft, kept

__all__ = ["ExecutionContract"]

_FIRST = OpenExec("tool_1", "process-7", 100)
_SECOND = OpenExec("tool_2", "process-8", 200)


class ExecutionContract(StoreGround):
    """Executions."""

    async def test_an_execution_makes_the_session_running_until_the_last_one_ends(self, ready: AccountStore) -> None:
        async def step(opens: OpenExec | None = None, closes: ClosedExec | None = None) -> str:
            await ready.transcripts.append("5e55", [draft("x")], opens=opens, closes=closes)
            return (await ready.sessions.get("5e55")).state

        assert await step(opens=_FIRST) == "running"
        assert await step(opens=_SECOND) == "running"
        assert await step(closes=ClosedExec("tool_1")) == "running"
        assert await step(closes=ClosedExec("tool_2")) == "idle"

    async def test_executions_under_way_are_listed_longest_running_first(
        self, ready: AccountStore, store: Store
    ) -> None:
        await ready.sessions.create(kept("5e56"))
        await ready.transcripts.append("5e56", [draft("2")], opens=_SECOND)
        await ready.transcripts.append("5e55", [draft("1")], opens=_FIRST)
        assert list(await ready.transcripts.open_execs()) == [("5e55", _FIRST), ("5e56", _SECOND)]
        assert list(await store.account("other").transcripts.open_execs()) == []
        await ready.transcripts.append("5e55", [draft("3")], closes=ClosedExec("tool_1"))
        assert list(await ready.transcripts.open_execs()) == [("5e56", _SECOND)]

    async def test_the_end_of_an_execution_leaves_another_state_alone(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("1")], opens=_FIRST)
        await ready.sessions.change("5e55", SessionChange(state="terminated"))
        await ready.transcripts.append("5e55", [draft("2")], closes=ClosedExec("tool_1"))
        assert (await ready.sessions.get("5e55")).state == "terminated"
        assert list(await ready.transcripts.open_execs()) == []

    async def test_the_end_of_an_unknown_execution_changes_no_state(self, ready: AccountStore) -> None:
        await ready.sessions.change("5e55", SessionChange(state="running"))
        await ready.transcripts.append("5e55", [draft("1")], closes=ClosedExec("nobody"))
        assert (await ready.sessions.get("5e55")).state == "running"

    async def test_a_refused_append_opens_no_execution(self, ready: AccountStore) -> None:
        change = SessionChange(from_states=frozenset({"paused"}))
        with pytest.raises(SessionStateConflict, match="ready"):
            await ready.transcripts.append("5e55", [draft("1")], change=change, opens=_FIRST)
        assert list(await ready.transcripts.open_execs()) == []
        assert (await ready.sessions.get("5e55")).state == "ready"

    async def test_a_deleted_session_has_no_executions(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("1")], opens=_FIRST)
        await ready.sessions.delete("5e55")
        assert list(await ready.transcripts.open_execs()) == []
