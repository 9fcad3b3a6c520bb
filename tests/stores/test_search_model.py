"""Search against a model that reads every entry, over transcripts and queries that hypothesis makes."""

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cerver_core.search.query import Query, Term, parse
from cerver_core.search.words import words
from cerver_core.stores.base import EntryDraft, SearchQuery
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import kept

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_VOCABULARY = ("apple", "apples", "pear", "red", "redder", "pool", "Pool", "naïve", "naive", "x86", "foo.py", "the")
_TEXTS = st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=6).map(" ".join)
_PIECES = st.one_of(
    st.sampled_from(_VOCABULARY),
    st.sampled_from(_VOCABULARY).map("-{}".format),
    st.sampled_from(("app*", "re*", "poo*", "x8*")),
    st.lists(st.sampled_from(_VOCABULARY), min_size=1, max_size=2).map(lambda some: f'"{" ".join(some)}"'),
)
_QUERIES = st.lists(_PIECES, min_size=1, max_size=4).map(" ".join)
_SESSIONS = st.dictionaries(st.sampled_from("abcdef"), st.lists(_TEXTS, min_size=1, max_size=5), max_size=6)


def _holds(text: list[str], term: Term) -> bool:
    if any(word in term.relatives for word in text):
        return True
    for spelling in term.spellings:
        for at in range(len(text) - len(spelling) + 1):
            here = text[at : at + len(spelling)]
            if here[:-1] == list(spelling[:-1]) and (
                here[-1].startswith(spelling[-1]) if term.is_prefix else here[-1] == spelling[-1]
            ):
                return True
    return False


def _expected(sessions: Mapping[str, list[str]], query: Query) -> set[str]:
    found: set[str] = set()
    for session_id, entries in sessions.items():
        texts = [[word.text for word in words(entry)] for entry in entries]
        texts = [text for text in texts if not any(_holds(text, term) for term in query.excluded)]
        held = [any(_holds(text, term) for text in texts) for term in query.terms]
        needed = [any(_holds(text, term) for text in texts) for term in query.required]
        if any(held) and all(needed):
            found.add(session_id)
    return found


async def _found(sessions: Mapping[str, list[str]], query: Query) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with SqliteStore(Path(folder) / "cerver.db", durability="relaxed") as store:
            account = store.account("acme")
            for session_id, entries in sessions.items():
                drafts = [EntryDraft(json.dumps({"role": "user", "content": text})) for text in entries]
                await account.sessions.create(kept(f"session-{session_id}"), drafts)
            result = await account.transcripts.search(SearchQuery(query=query, limit=50))
            return {found.session.id.removeprefix("session-") for found in result.found}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(sessions=_SESSIONS, text=_QUERIES)
def test_search_finds_the_sessions_that_a_reader_of_everything_finds(sessions: dict[str, list[str]], text: str) -> None:
    query = parse(text, _NOW)
    assert anyio.run(_found, sessions, query) == _expected(sessions, query)
