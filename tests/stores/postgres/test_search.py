"""Search on Postgres: the same answers as SQLite gives, whatever is asked, and an index that follows the entries."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cerver_core.search.query import parse
from cerver_core.stores.base import AccountStore, EntryDraft, EntryRewrite, SearchQuery, SessionChange, Store
from cerver_core.stores.postgres import PostgresStore
from cerver_core.stores.postgres.database import Connection
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.ground import kept

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_VOCABULARY = (
    "apple",
    "apples",
    "pear",
    "red",
    "redder",
    "pool",
    "Pool",
    "naïve",
    "naive",
    "x86",
    "foo.py",
    "the",
    "日本",
)
_TEXTS = st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=6).map(" ".join)
_ENTRIES = st.fixed_dictionaries(
    {
        "role": st.sampled_from(("user", "assistant", "tool")),
        "at": st.sampled_from(("2026-11-01T10:00:00Z", "2026-11-20T10:00:00Z")),
        "content": _TEXTS,
    }
)
_PIECES = st.one_of(
    st.sampled_from((*_VOCABULARY, "yesterday", "november")),
    st.sampled_from(_VOCABULARY).map("-{}".format),
    st.sampled_from(("app*", "re*", "poo*", "x8*")),
    st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=2).map(lambda some: f'"{" ".join(some)}"'),
    st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=2).map(lambda some: f'-"{" ".join(some)}"'),
)
_QUERIES = st.lists(_PIECES, min_size=1, max_size=4).map(" ".join)
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(("user", "tool")),
        "kind": st.just("text"),
        "project": st.just("p"),
        "since_us": st.just(1_795_000_000_000_000),
        "until_us": st.just(1_795_000_000_000_000),
        "exclude_session_id": st.just("a"),
        "include_children": st.booleans(),
        "skip": st.just(1),
    },
)
_SESSIONS = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(_ENTRIES, min_size=1, max_size=5), min_size=1, max_size=6
)

Entries = Mapping[str, list[dict[str, str]]]


async def _kept(account: AccountStore, sessions: Entries) -> None:
    for number, (session_id, entries) in enumerate(sessions.items()):
        drafts = [EntryDraft(json.dumps(entry)) for entry in entries]
        fields = {"project": "p" if number % 2 else None, "parent_id": "a" if session_id > "d" else None}
        await account.sessions.create(kept(session_id, number, task=f"task {session_id}", **fields), drafts)


async def _found(account: AccountStore, asked: SearchQuery) -> list[object]:
    result = await account.transcripts.search(asked)
    assert result.indexed_up_to_us is None
    return [
        result.left_out,
        *(
            (
                found.session.id,
                round(found.score, 6),
                [(one.session_id, one.entry, round(one.score, 6)) for one in found.entries],
                found.children_found,
                found.opening,
            )
            for found in result.found
        ),
    ]


async def _both(url: str, sessions: Entries, asked: SearchQuery) -> list[list[object]]:
    name = f"acme-{uuid.uuid4()}"
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as exits:
            stores: list[Store] = [PostgresStore(url), SqliteStore(Path(folder) / "cerver.db", durability="relaxed")]
            answers: list[list[object]] = []
            for store in stores:
                account = (await exits.enter_async_context(store)).account(name)
                await _kept(account, sessions)
                answers.append(await _found(account, asked))
            return answers


@pytest.fixture(scope="module")
def shared_url(postgres_server: PostgresServer) -> str:
    """Give the URL of a database in which each example has an account of its own."""
    return postgres_server.url(postgres_server.create_database("cerver_template"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(sessions=_SESSIONS, text=_QUERIES, filters=_FILTERS)
def test_both_stores_give_the_same_answer(
    shared_url: str, sessions: Entries, text: str, filters: dict[str, object]
) -> None:
    asked = SearchQuery(**{"query": parse(text, _NOW), "limit": 3, **filters})  # type: ignore[arg-type]
    hosted, embedded = anyio.run(_both, shared_url, sessions, asked)
    assert hosted == embedded


def _asked(text: str, **fields: object) -> SearchQuery:
    return SearchQuery(**{"query": parse(text, _NOW), "limit": 10, **fields})  # type: ignore[arg-type]


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore(postgres_url) as store:
        yield store


async def _rows(store: PostgresStore, statement: str) -> Any:
    async def work(connection: Connection) -> Any:
        return await connection.fetchval(statement)

    return await store._database.transact("acme", work)


def _said(text: str) -> EntryDraft:
    return EntryDraft(json.dumps({"role": "user", "content": text}))


async def test_what_is_appended_is_indexed_without_being_asked_for(store: PostgresStore) -> None:
    account = store.account("acme")
    await account.sessions.create(kept("5e55"))
    await account.transcripts.append("5e55", [_said(f"word{number}") for number in range(1_200)])
    with anyio.fail_after(30):
        while await _rows(store, "SELECT count(*) FROM sessions WHERE indexed_seq = last_seq AND is_described") != 1:
            await anyio.lowlevel.checkpoint()
    assert await _rows(store, "SELECT count(*) FROM postings WHERE word LIKE 'word%'") == 1_200
    found = (await account.transcripts.search(_asked("word1127"))).found
    assert [[one.entry.seq for one in session.entries] for session in found] == [[1_128]]


async def test_replicas_that_index_at_once_index_each_entry_once(postgres_url: str) -> None:
    async with PostgresStore(postgres_url) as first, PostgresStore(postgres_url) as second:
        for number in range(12):
            await first.account("acme").sessions.create(kept(f"s{number}"), [_said("apple"), _said("pear")] * 40)
        async with anyio.create_task_group() as tasks:
            for store in (first, second) * 3:
                tasks.start_soon(store.account("acme").transcripts.search, _asked("apple"))
        assert await _rows(first, "SELECT session_count FROM indexes") == 12
        assert await _rows(first, "SELECT sum(bit_count(said::bit(64))) FROM postings WHERE word = 'apple'") == 12 * 40
        (page,) = {
            len((await store.account("acme").transcripts.search(_asked("apple", limit=50))).found)
            for store in (first, second)
        }
        assert page == 12


async def test_words_that_were_replaced_or_forgotten_leave_the_tables(store: PostgresStore) -> None:
    account = store.account("acme")
    await account.sessions.create(kept("5e55", name="heron"), [_said("heron"), _said("heron wren")])
    await account.sessions.create(kept("gone", task="heron"), [_said("heron egret")])
    assert len((await account.transcripts.search(_asked("heron"))).found) == 2
    rewrites = [EntryRewrite(1, _said("swift").body), EntryRewrite(2, _said("wren").body)]
    await account.transcripts.rewrite("5e55", rewrites, change=SessionChange(name="plain"))
    await account.sessions.delete("gone")
    assert [len((await account.transcripts.search(_asked(word))).found) for word in ("heron", "swift", "wren")] == [
        0,
        1,
        1,
    ]
    await account.transcripts.purge()
    for table in ("postings", "title_words"):
        assert await _rows(store, f"SELECT count(*) FROM {table} WHERE word IN ('heron', 'egret')") == 0
    assert await _rows(store, "SELECT session_count FROM indexes") == 1


async def test_a_new_name_is_found_and_the_old_one_is_not(store: PostgresStore) -> None:
    account = store.account("acme")
    await account.sessions.create(kept("5e55", name="heron"))
    assert len((await account.transcripts.search(_asked("heron"))).found) == 1
    await account.sessions.change("5e55", SessionChange(name="egret"))
    assert [len((await account.transcripts.search(_asked(word))).found) for word in ("heron", "egret")] == [0, 1]


async def test_a_word_longer_than_an_index_holds_is_found_by_its_beginning(store: PostgresStore) -> None:
    account = store.account("acme")
    word = "é" * 5_000
    await account.sessions.create(kept("5e55"), [_said(f"{word} and NUL \0"), _said("other")])
    assert [one.session.id for one in (await account.transcripts.search(_asked(word))).found] == ["5e55"]


async def test_appends_go_on_while_an_account_is_indexed(store: PostgresStore) -> None:
    account = store.account("acme")
    names = [f"s{number}" for number in range(6)]
    for name in names:
        await account.sessions.create(kept(name), [_said(f"apple {number}") for number in range(300)])

    async def append(name: str) -> None:
        for number in range(30):
            await account.transcripts.append(name, [_said(f"pear {number}")])

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(append, name)
            tasks.start_soon(account.transcripts.search, _asked("apple"))
            tasks.start_soon(partial(account.sessions.change, name, SessionChange(name=f"name {name}")))
    assert len((await account.transcripts.search(_asked("pear"))).found) == 6
