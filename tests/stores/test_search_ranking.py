"""What a search puts first, over stored transcripts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, SearchQuery
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import kept

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_TALK = "We could look at the weather and the schedule, and at anything else that is of use"


def _said(text: str) -> str:
    return json.dumps({"role": "user", "content": text})


async def _ranked(
    path: Path, sessions: Mapping[str, Sequence[tuple[str, str]]], query: str, at: Mapping[str, str] | None = None
) -> list[str]:
    """Search sessions of (role, text); `at` dates the entries of some."""
    async with SqliteStore(path / "cerver.db", durability="relaxed") as store:
        account = store.account("acme")
        for session_id, entries in sessions.items():
            stamp = (at or {}).get(session_id, "2026-11-01T10:00:00Z")
            drafts = [EntryDraft(json.dumps({"role": role, "content": text, "at": stamp})) for role, text in entries]
            await account.sessions.create(kept(f"session-{session_id}"), drafts)
        result = await account.transcripts.search(SearchQuery(query=parse(query, _NOW), limit=20))
        return [found.session.id.removeprefix("session-") for found in result.found]


async def test_a_member_of_the_kind_that_was_asked_for_is_found(tmp_path: Path) -> None:
    sessions = {"walk": [("user", "My beagle ran off again")], "talk": [("user", _TALK)]}
    assert await _ranked(tmp_path, sessions, "What breed is my dog?") == ["walk"]


async def test_the_word_itself_stands_before_near_words_however_many_hold_those(tmp_path: Path) -> None:
    near = {f"near{number}": [("user", f"the beagle barks, {_TALK}")] for number in range(12)}
    found = await _ranked(tmp_path, {"own": [("user", f"a dog of that breed, {_TALK}")], **near}, "breed")
    assert found[0] == "own"


async def test_a_question_about_the_one_who_asks_trusts_what_the_user_said(tmp_path: Path) -> None:
    sessions = {
        "told": [("user", f"I parked near the bakery. {_TALK}"), ("assistant", _TALK)],
        "advised": [("user", _TALK), ("assistant", f"One could have parked near the bakery. {_TALK}")],
    }
    assert await _ranked(tmp_path, sessions, "Near which bakery have I parked?") == ["told", "advised"]


async def test_a_question_about_an_answer_trusts_what_the_assistant_said(tmp_path: Path) -> None:
    sessions = {
        "advised": [("user", _TALK), ("assistant", f"Try the grapeseed oil. {_TALK}")],
        "told": [("user", f"Try the grapeseed oil. {_TALK}"), ("assistant", _TALK)],
    }
    assert await _ranked(tmp_path, sessions, "Which grapeseed oil did you recommend?") == ["advised", "told"]


async def test_a_question_prefers_what_was_told_over_what_was_asked(tmp_path: Path) -> None:
    sessions = {
        "told": [("user", f"I bought a phone with a good camera. {_TALK}")],
        "asked": [("user", f"Should one buy a phone with a good camera? {_TALK}")],
    }
    assert await _ranked(tmp_path, sessions, "What phone with a camera did I buy?") == ["told", "asked"]


async def test_who_asks_for_themselves_finds_what_they_told_of_themselves(tmp_path: Path) -> None:
    sessions = {
        "own": [("user", f"My sister moved to the harbour. {_TALK}")],
        "general": [("user", f"Many a sister moved to the harbour. {_TALK}")],
    }
    assert await _ranked(tmp_path, sessions, "When did my sister move to the harbour?") == ["own", "general"]


async def test_a_question_about_somebody_prefers_what_that_one_said(tmp_path: Path) -> None:
    sessions = {
        name: [("user", f"{name.title()}: I adopted a kitten"), ("assistant", f"{other.title()}: {_TALK}")]
        for name, other in (("priya", "liam"), ("liam", "priya"))
    }
    for asked in ("priya", "liam"):
        assert (await _ranked(tmp_path / asked, sessions, f"Which pet did {asked.title()} adopt?"))[0] == asked


async def test_a_question_for_a_number_prefers_a_sentence_that_holds_one(tmp_path: Path) -> None:
    sessions = {
        "number": [("user", f"The pool got 40 connections. {_TALK}")],
        "none": [("user", f"The pool got connections. {_TALK}")],
    }
    assert await _ranked(tmp_path, sessions, "How many connections did the pool get?") == ["number", "none"]


async def test_how_long_does_not_look_for_what_is_long(tmp_path: Path) -> None:
    sessions = {
        "walk": [("user", f"The walk takes minutes. {_TALK}")],
        "long": [("user", f"A long day in minutes. {_TALK}")],
    }
    assert (await _ranked(tmp_path, sessions, "How long is the walk?"))[0] == "walk"


async def test_a_month_without_a_year_prefers_that_month_of_any_year(tmp_path: Path) -> None:
    sessions = {name: [("user", "we chose the pool size")] for name in ("spring", "autumn")}
    at = {"spring": "2023-05-10T10:00:00Z", "autumn": "2023-10-10T10:00:00Z"}
    assert (await _ranked(tmp_path, sessions, "pool size in May", at))[0] == "spring"


@pytest.mark.parametrize("query", ["What did we work on in October?", "what did we do in october", "october talks"])
async def test_a_question_what_was_done_at_a_time_is_answered_by_the_time(tmp_path: Path, query: str) -> None:
    sessions = {"then": [("user", "the pool is full")], "now": [("tool", "/session/work did talk of October work")]}
    at = {"then": "2026-10-10T10:00:00Z", "now": "2026-11-22T00:00:00Z"}
    assert await _ranked(tmp_path, sessions, query, at) == ["then"]


async def test_what_was_decided_at_a_time_comes_before_what_was_decided_at_another(tmp_path: Path) -> None:
    sessions = {
        "then": [("user", "a long talk " * 40), ("assistant", "so it was decided in the end, after " + _TALK)],
        "now": [("user", "What did we decide? We decided: decide!")] * 3,
    }
    at = {"then": "2026-11-21T10:00:00Z", "now": "2026-11-22T00:00:00Z"}
    assert await _ranked(tmp_path, sessions, "what did we decide yesterday", at) == ["then", "now"]


async def test_entries_that_hold_two_common_words_are_found_however_old_they_are(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "cerver.db", durability="relaxed") as store:
        account = store.account("acme")
        await account.sessions.create(kept("session-old"), [EntryDraft(_said("a copper kettle"))])
        for number in range(90):
            drafts = [EntryDraft(_said("copper" if number % 2 else "kettle"))] * 100
            await account.sessions.create(kept(f"session-{number}"), drafts)
        result = await account.transcripts.search(SearchQuery(query=parse("copper kettle", _NOW), limit=8))
    assert result.found[0].session.id == "session-old"
