"""Digests on the wire: which sessions are to be outlined, and the outlines, each point with where it stands."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from cerver_core.wire.model import Name, Reply, Request, UtcTime
from cerver_core.wire.sessions import Status

__all__ = [
    "DEFAULT_DIGEST_TOKENS",
    "Digest",
    "DigestTranscripts",
    "DigestedSession",
    "Failure",
    "Point",
    "TouchedFile",
]

DEFAULT_DIGEST_TOKENS = 1_500
"""The size of a digest unless the caller says otherwise."""


DateWords = Annotated[Name, Field(min_length=1, max_length=100)]


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class DigestTranscripts(Request):
    """Which sessions to outline: those named by id in `sessions` (in a URL: joined by commas), or the newest `limit`.

    `since` and `until` keep what was said in that time: ISO dates, or words ("yesterday", "3h", "last week", "May"),
    read on the server. `project` keeps one project's sessions. Sessions that were spawned from others are outlined
    only when they are named. `max_tokens` (of about four characters) bounds the answer, and `max_entries` how many
    entries of a session are read: of a longer one the first tenth of them, and the last.
    """

    sessions: Annotated[
        tuple[Annotated[Name, Field(min_length=1, max_length=200)], ...], BeforeValidator(_split), Field(max_length=20)
    ] = ()
    since: DateWords | None = None
    until: DateWords | None = None
    project: Annotated[Name, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    max_tokens: Annotated[int, Field(ge=100, le=50_000)] = DEFAULT_DIGEST_TOKENS
    max_entries: Annotated[int, Field(ge=10, le=20_000)] = 20_000

    @model_validator(mode="after")
    def _one_way(self) -> "DigestTranscripts":
        if self.sessions and self.project is not None:
            raise ValueError("choose one of sessions and project")
        return self


class Point(Reply):
    """Something that was said, in its own words, cut with `…` where it is long. `role` is who said it."""

    seq: int
    at: UtcTime
    role: str
    text: str


class TouchedFile(Reply):
    """A file that a tool wrote: `how` is `created`, `changed` or `deleted`, the last of them; `times`, how often."""

    seq: int
    path: str
    how: str
    times: int = 1


class Failure(Reply):
    """A command that failed: the last time at `seq`, in all `times`. `mended` says that it went well later on."""

    seq: int
    tool_name: str | None = None
    command: str
    outcome: str
    times: int = 1
    mended: bool = False


class DigestedSession(Reply):
    """One session in outline. The points of a list are in the order in which they were said.

    `asked` is what it began with; `last` is what the user and the agent said last; `open_items` are what the agent's
    own list of things to do still holds. `decisions_left_out`, `files_left_out` and `failures_left_out` count what
    there was no room for. `entries_read` is less than `entries` where so many were not looked at (the middle of a very
    long session, or what lies outside the time that was asked for).
    """

    session_id: str
    session_name: str | None = None
    title: str
    status: Status
    created_at: UtcTime
    updated_at: UtcTime
    harness: str | None = None
    project_slug: str | None = None
    entries: int
    entries_read: int
    asked: Point | None = None
    decisions: tuple[Point, ...] = ()
    files: tuple[TouchedFile, ...] = ()
    failures: tuple[Failure, ...] = ()
    open_items: tuple[str, ...] = ()
    last: tuple[Point, ...] = ()
    decisions_left_out: int = 0
    files_left_out: int = 0
    failures_left_out: int = 0


class Digest(Reply):
    """Sessions in outline, newest activity first, or in the order in which they were named.

    `since` and `until` are the time as it was understood. `more` says that there are more sessions than are shown.
    """

    sessions: tuple[DigestedSession, ...]
    since: UtcTime | None = None
    until: UtcTime | None = None
    more: bool = False
