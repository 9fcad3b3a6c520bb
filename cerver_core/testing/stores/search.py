"""The part of the suite about search."""

import json

import pytest

from cerver_core.errors import SessionNotFound
from cerver_core.search.query import parse
from cerver_core.stores.base import AccountStore, EntryDraft, SearchQuery, SearchResult, Store
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.ground import StoreGround, kept

__all__ = ["SearchContract", "said"]


def said(text: str, role: str = "user", **fields: str) -> EntryDraft:
    """Make an entry as the journal writes them."""
    entry = {"role": role, "kind": "text", "at": "2026-05-03T10:00:00Z", "content": text, **fields}
    return EntryDraft(json.dumps(entry))


async def _search(account: AccountStore, text: str, **fields: object) -> SearchResult:
    query = parse(text, ManualClock().now())
    return await account.transcripts.search(SearchQuery(**{"query": query, "limit": 10, **fields}))  # type: ignore[arg-type]


async def _ids(account: AccountStore, text: str, **fields: object) -> list[str]:
    return [found.session.id for found in (await _search(account, text, **fields)).found]


class SearchContract(StoreGround):
    """Search."""

    async def test_what_was_just_appended_is_found_with_the_entry_that_holds_it(self, ready: AccountStore) -> None:
        await ready.transcripts.append("5e55", [said("hello"), said("a pool for Postgres")])
        result = await _search(ready, "postgres")
        assert result.indexed_up_to_us is None
        (found,) = result.found
        assert (found.session.id, [one.entry.seq for one in found.entries]) == ("5e55", [2])
        await ready.transcripts.append("5e55", [said("a second Postgres")])
        (found,) = (await _search(ready, "postgres")).found
        assert [one.entry.seq for one in found.entries] == [3, 2]

    async def test_no_account_finds_what_another_keeps(self, store: Store) -> None:
        mine, theirs = store.account("acme"), store.account("other")
        for account, word in ((mine, "mine"), (theirs, "theirs")):
            await account.sessions.create(kept("5e55", name=f"name of {word}"), [said(f"secret of {word}")])
        assert await _ids(mine, "theirs") == []
        (found,) = (await _search(mine, "secret name")).found
        assert [json.loads(one.entry.json)["content"] for one in found.entries] == ["secret of mine"]
        with pytest.raises(SessionNotFound):
            await _search(mine, "secret", session_id="elsewhere")

    async def test_a_forgotten_session_is_not_found_nor_under_the_key_of_another(self, account: AccountStore) -> None:
        await account.sessions.create(kept("first"), [said("gone word")])
        assert await _ids(account, "gone") == ["first"]
        await account.sessions.delete("first")
        await account.sessions.create(kept("second"), [said("other")])
        assert (await _ids(account, "gone"), await _ids(account, "other")) == ([], ["second"])

    async def test_names_and_tasks_are_found_too(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55", name="pgbouncer rollout", task="measure the pool"))
        assert await _ids(account, "pgbouncer") == ["5e55"]
        assert await _ids(account, "measuring") == ["5e55"]

    async def test_a_session_without_name_and_task_is_found_with_what_the_user_said_first(
        self, account: AccountStore
    ) -> None:
        drafts = [EntryDraft('{"content":"a note"}'), EntryDraft('{"role":"user","content":"Why red?"}'), said("apple")]
        await account.sessions.create(kept("bare"), drafts)
        await account.sessions.create(kept("named", name="n"), drafts)
        found = (await _search(account, "apple")).found
        assert {one.session.id: one.session.opening for one in found} == {"bare": drafts[1].body, "named": None}
        assert [one.opening for one in found] == [None, None]

    async def test_phrases_exclusions_and_prefixes_hold(self, account: AccountStore) -> None:
        await account.sessions.create(kept("one"), [said("red apple pie")])
        await account.sessions.create(kept("two"), [said("apple red pies")])
        assert await _ids(account, '"red apple"') == ["one"]
        assert await _ids(account, 'apple -"red apple"') == ["two"]
        assert await _ids(account, "apple -pies") == ["one"]
        assert sorted(await _ids(account, "app*")) == ["one", "two"]

    async def test_filters_keep_what_is_exactly_so(self, account: AccountStore) -> None:
        await account.sessions.create(
            kept("one", project="blue", harness="claude"),
            [said("apple"), said("apple", "tool", kind="tool_result", tool_name="Bash", at="2026-06-01T00:00:00Z")],
        )
        await account.sessions.create(kept("two", project="red"), [said("apple", "assistant")])
        assert await _ids(account, "apple", project="red") == ["two"]
        assert await _ids(account, "apple", harness="claude") == ["one"]
        assert await _ids(account, "apple", role="assistant") == ["two"]
        assert await _ids(account, "apple", tool="Bash") == ["one"]
        assert await _ids(account, "apple", kind="tool_result") == ["one"]
        assert await _ids(account, "apple", session_id="two") == ["two"]
        assert await _ids(account, "apple", exclude_session_id="two") == ["one"]
        late = await _search(account, "apple", since_us=1_779_000_000_000_000)
        assert [[one.entry.seq for one in found.entries] for found in late.found] == [[2]]
        assert await _ids(account, "apple", until_us=1_700_000_000_000_000) == []

    async def test_children_stand_under_the_session_that_spawned_them(self, account: AccountStore) -> None:
        await account.sessions.create(kept("top"), [said("plan")])
        await account.sessions.create(kept("child", parent_id="top"), [said("an apple among many other things")])
        await account.sessions.create(kept("grand", parent_id="child"), [said("apple")])
        (found,) = (await _search(account, "apple")).found
        assert (found.session.id, found.children_found, found.entries[0].session_id) == ("top", 2, "grand")
        assert sorted(await _ids(account, "apple", include_children=True)) == ["child", "grand"]

    async def test_pages_follow_one_another_without_gap_or_repeat(self, account: AccountStore) -> None:
        for number in range(7):
            await account.sessions.create(kept(f"s{number}", at_us=number), [said("apple " * (number + 1))])
        whole = await _ids(account, "apple")
        assert sorted(whole) == [f"s{number}" for number in range(7)]
        first, second = await _search(account, "apple", limit=4), await _search(account, "apple", limit=4, skip=4)
        assert [one.session.id for one in (*first.found, *second.found)] == whole
        assert (first.left_out, second.left_out) == (3, 0)
        assert await _ids(account, "apple") == whole
