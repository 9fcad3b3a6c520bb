"""The search part of the suite."""

from datetime import UTC, datetime, timedelta

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import InvalidInput
from cerver_core.render.search import search as shown
from cerver_core.testing.cerver.road import Road, memory, said
from cerver_core.wire.search import SearchPage, SearchTranscripts
from cerver_core.wire.transcripts import AppendEntries, NewEntry

__all__ = ["SearchContract"]


async def _found(cerver: Cerver, query: str, **fields: object) -> SearchPage:
    return await cerver.transcripts.search(SearchTranscripts.model_validate({"query": query, **fields}))


class SearchContract(Road):
    """Search over all transcripts."""

    async def test_a_sentence_of_another_session_is_found_with_its_place(self, cerver: Cerver) -> None:
        pool, cake = await memory(cerver, "database"), await memory(cerver, "kitchen")
        await cerver.transcripts.append(pool, said("hello", "We decided to put pgbouncer in front of Postgres."))
        await cerver.transcripts.append(cake, said("I baked a cake."))
        page = await _found(cerver, "What was our decision about pgbouncer?")
        assert [one.session_id for one in page.sessions] == [pool]
        (piece,) = page.sessions[0].snippets
        assert (piece.seq, piece.role, piece.kind, piece.session_id) == (2, "user", "text", pool)
        assert piece.text == "We **decided** to put **pgbouncer** in front of Postgres."
        assert page.next_call == f'cerver_session_peek(session_id="{pool}", around=2)'
        assert page.sessions[0].title == "database"

    @pytest.mark.parametrize("query", ["AND (", "NEAR(a b", 'col:x "', "^a + b", "a" * 4_000, "yesterday"])
    async def test_any_text_is_a_query(self, cerver: Cerver, query: str) -> None:
        await cerver.transcripts.append(await memory(cerver), said("something"))
        assert (await _found(cerver, query)).left_out == 0

    @pytest.mark.parametrize("query", ["", '"', "-", "*", "\x00", "-postgres"])
    async def test_a_query_without_a_word_to_look_for_is_refused(self, cerver: Cerver, query: str) -> None:
        with pytest.raises(InvalidInput, match="give a word"):
            await _found(cerver, query)

    async def test_a_time_alone_is_enough_to_look_for(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("something"))
        assert [one.session_id for one in (await _found(cerver, "", since="yesterday")).sessions] == [session_id]

    async def test_what_cannot_hold_anything_is_refused(self, cerver: Cerver) -> None:
        with pytest.raises(InvalidInput, match="no session has the project 'zzz'"):
            await _found(cerver, "apple", project="zzz")
        with pytest.raises(InvalidInput, match="lies after until"):
            await _found(cerver, "apple", since="2026-05-04", until="2026-05-01")
        await _found(cerver, "apple", since="2026-05-04", until="2026-05-04")

    async def test_the_session_that_asks_is_left_out(self, cerver: Cerver) -> None:
        own, other = await memory(cerver), await memory(cerver)
        for session_id in (own, other):
            await cerver.transcripts.append(session_id, said("the same apple"))
        page = await _found(cerver, "apple", exclude_session=own)
        assert [one.session_id for one in page.sessions] == [other]

    async def test_date_words_are_resolved_and_told(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        old = datetime.now(UTC) - timedelta(days=40)
        entry = NewEntry(role="user", content="an old apple", at=old)
        await cerver.transcripts.append(session_id, AppendEntries(entries=(entry,)))
        assert len((await _found(cerver, "apple")).sessions) == 1
        late = await _found(cerver, "apple", since="yesterday")
        assert late.sessions == ()
        assert late.since is not None
        assert timedelta(0) < datetime.now(UTC) - late.since <= timedelta(days=2)
        assert len((await _found(cerver, "apple", since="90 days ago", until="3h")).sessions) == 1
        said_in = await _found(cerver, "apple last week")
        assert (said_in.range_in_query, len(said_in.sessions)) == (True, 1)
        with pytest.raises(InvalidInput, match="since"):
            await _found(cerver, "apple", since="sometime")

    async def test_that_nothing_is_of_the_time_of_a_query_is_said(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("an apple of work"))
        asked = await _found(cerver, "apple on 2020-05-03")
        assert (asked.range_in_query, asked.none_in_range, len(asked.sessions)) == (True, True, 1)
        assert "none of them of the time from 2020-05-03" in shown(asked, now=datetime.now(UTC))
        assert (await _found(cerver, "apple today")).none_in_range is False
        led = await _found(cerver, "what did I work on on 2020-05-03")
        assert (led.none_in_range, led.sessions) == (True, ())
        assert shown(led, now=datetime.now(UTC)).startswith("Nothing found, in what was said from 2020-05-03")

    async def test_pages_say_what_is_left(self, cerver: Cerver) -> None:
        made = {await memory(cerver, f"n{number}") for number in range(3)}
        for session_id in made:
            await cerver.transcripts.append(session_id, said("apple"))
        first = await _found(cerver, "apple", limit=2)
        assert (len(first.sessions), first.left_out) == (2, 1)
        second = await _found(cerver, "apple", limit=2, cursor=first.next_cursor)
        assert (second.left_out, second.next_cursor) == (0, None)
        assert {one.session_id for one in (*first.sessions, *second.sessions)} == made
        with pytest.raises(InvalidInput, match="cursor"):
            await _found(cerver, "apple", cursor="nonsense")
