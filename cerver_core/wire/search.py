"""Searches over all transcripts on the wire: what is asked, and the sessions that were found with their snippets."""

from typing import Annotated

from pydantic import Field

from cerver_core.wire.model import Name, Reply, Request, UtcTime
from cerver_core.wire.transcripts import Role

__all__ = ["FoundSession", "SearchPage", "SearchTranscripts", "Snippet"]

DateWords = Annotated[Name, Field(min_length=1, max_length=100)]


class SearchTranscripts(Request):
    """What to look for in the transcripts of all sessions.

    `query` is plain words, `"quoted phrases"` (a session must hold each), `-word` (entries with it are passed over) and
    `prefix*`; anything else is text. It holds something to look for, or a time is named. Dates in it ("yesterday",
    "in May") lift what is as old.
    `since` and `until` leave out what is older or newer: ISO dates, or words ("yesterday", "3h", "last week", "May"),
    read on the server. `session`, `project`, `role`, `kind`, `tool` and `harness` keep what is exactly so.
    Spawned sessions show under the one that spawned them unless `include_children`. `exclude_session` is the id of
    the session that asks. `cursor` comes from the page before.
    """

    query: Annotated[str, Field(max_length=4_000)]
    since: DateWords | None = None
    until: DateWords | None = None
    session: Annotated[Name, Field(max_length=200)] | None = None
    project: Annotated[Name, Field(max_length=200)] | None = None
    role: Role | None = None
    kind: Annotated[Name, Field(max_length=64)] | None = None
    tool: Annotated[Name, Field(max_length=200)] | None = None
    harness: Annotated[Name, Field(max_length=64)] | None = None
    include_children: bool = False
    exclude_session: Annotated[Name, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 8
    cursor: Annotated[str, Field(max_length=200)] | None = None


class Snippet(Reply):
    """A piece of an entry; the words that matched stand between `**`. `session_id` is the session it stands in."""

    session_id: str
    seq: int
    role: str
    kind: str
    at: UtcTime | None = None
    tool_name: str | None = None
    text: str


class FoundSession(Reply):
    """A session that was found, with one to three pieces of it, best first.

    `title` is its name, else its task or first words. `score` compares within one answer only. `children_found` counts
    the sessions spawned from it that match as well and are not listed apart.
    """

    session_id: str
    session_name: str | None = None
    title: str
    created_at: UtcTime
    updated_at: UtcTime
    harness: str | None = None
    project_slug: str | None = None
    entries: int
    score: float
    children_found: int = 0
    snippets: tuple[Snippet, ...] = ()


class SearchPage(Reply):
    """The best sessions, best first.

    `since` and `until` are the range as it was understood; `range_in_query` says that it stood in the query and lifted
    what lies in it, instead of leaving the rest out, and `none_in_range` that nothing of this page is from then. All
    that was committed before `indexed_up_to` was searched. `left_out` counts the further sessions that match, as far as
    they were looked at. `next_call` names the call that reads on round the best snippet.
    """

    sessions: tuple[FoundSession, ...]
    since: UtcTime | None = None
    until: UtcTime | None = None
    range_in_query: bool = False
    none_in_range: bool = False
    indexed_up_to: UtcTime
    left_out: int = 0
    next_cursor: str | None = None
    next_call: str | None = None
