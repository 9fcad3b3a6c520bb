"""The part of the suite about replacing what was kept."""

import pytest

from cerver_core.errors import InvalidInput, SessionNotFound
from cerver_core.search.query import parse
from cerver_core.stores.base import AccountStore, EntryRewrite, SearchQuery, SessionChange, Store
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept
from cerver_core.testing.stores.search import said

__all__ = ["RewriteContract"]


class RewriteContract(StoreGround):
    """Replacing."""

    async def test_an_entry_is_replaced_in_its_place_and_the_others_stay(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("one"), draft("two", "id2"), draft("three")])
        before = await ready.sessions.get("5e55")
        await ready.transcripts.rewrite("5e55", [EntryRewrite(2, '{"content":"[gone]"}')])
        assert await bodies(ready, "5e55") == [
            '{"seq":1,"content":"one"}',
            '{"seq":2,"content":"[gone]"}',
            '{"seq":3,"content":"three"}',
        ]
        assert await ready.sessions.get("5e55") == before
        assert (await ready.transcripts.append("5e55", [draft("two", "id2")])).seqs == (2,)

    async def test_a_whole_body_and_its_view_are_replaced_and_can_come_and_go(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("x")])
        await ready.transcripts.rewrite("5e55", [EntryRewrite(1, '{"content":"whole"}', '{"content":"view"}')])
        assert await bodies(ready, "5e55") == ['{"seq":1,"content":"view"}']
        assert await bodies(ready, "5e55", whole=True) == ['{"seq":1,"content":"whole"}']
        await ready.transcripts.rewrite("5e55", [EntryRewrite(1, '{"content":"short"}')])
        assert await bodies(ready, "5e55", whole=True) == ['{"seq":1,"content":"short"}']

    async def test_the_sessions_own_texts_are_replaced_and_it_is_no_activity(self, account: AccountStore) -> None:
        session = kept("5e56", name="old", task="old task", metadata={"a": "old", "b": 1})
        await account.sessions.create(session)
        change = SessionChange(name="new", task="new task", metadata_merge={"a": "new"})
        await account.transcripts.rewrite("5e56", [], change=change)
        changed = await account.sessions.get("5e56")
        assert (changed.name, changed.task, dict(changed.metadata)) == ("new", "new task", {"a": "new", "b": 1})
        assert changed.updated_at_us == session.updated_at_us

    async def test_one_entry_that_is_not_there_keeps_all_as_they_are(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [draft("one")])
        rewrites = [EntryRewrite(1, '{"content":"x"}'), EntryRewrite(2, '{"content":"y"}')]
        with pytest.raises(InvalidInput, match="entry 2"):
            await ready.transcripts.rewrite("5e55", rewrites)
        with pytest.raises(InvalidInput):
            await ready.transcripts.rewrite("5e55", [EntryRewrite(1, "{}")])
        assert await bodies(ready, "5e55") == ['{"seq":1,"content":"one"}']

    async def test_another_accounts_session_is_not_there(self, ready: AccountStore, store: Store) -> None:
        await ready.transcripts.append("5e55", [draft("one")])
        with pytest.raises(SessionNotFound):
            await store.account("other").transcripts.rewrite("5e55", [EntryRewrite(1, '{"content":"x"}')])

    async def test_searches_find_what_stands_there_now(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e56", task="heron task"), [said("heron"), said("wren")])

        async def found(word: str) -> list[str]:
            query = SearchQuery(query=parse(word, ManualClock().now()), limit=5)
            return [one.session.id for one in (await account.transcripts.search(query)).found]

        assert await found("heron") == ["5e56"]
        change = SessionChange(task="plain task")
        await account.transcripts.rewrite("5e56", [EntryRewrite(1, said("swift").body)], change=change)
        await account.transcripts.purge()
        assert (await found("heron"), await found("swift"), await found("wren")) == ([], ["5e56"], ["5e56"])
