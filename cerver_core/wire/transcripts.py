"""Transcripts on the wire: entries, appends, reads and exports (wire contract §2.1, §2.4)."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter, model_validator

from cerver_core.wire.model import MAX_SEQ, Json, Name, Reply, Request, ToldTime, UtcTime

__all__ = [
    "MAX_CONTENT_BYTES",
    "MAX_ENTRIES_PER_APPEND",
    "AppendEntries",
    "AppendReply",
    "Entry",
    "ExportFormat",
    "ExportPage",
    "ExportTranscript",
    "ImportReply",
    "Kinds",
    "NewEntry",
    "ReadTranscript",
    "Role",
    "TranscriptPage",
]

Role = Literal["user", "assistant", "system", "tool"]
ExportFormat = Literal["text", "markdown", "jsonl", "claude-code"]

MAX_CONTENT_BYTES = 32 * 1024 * 1024
"""The largest content of one entry, in bytes of UTF-8. Our choice."""

MAX_ENTRIES_PER_APPEND = 1_000
"""The most entries of one append. Our choice."""


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


Kind = Annotated[Name, Field(min_length=1, max_length=64)]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(_split), Field(min_length=1, max_length=20)]
"""Kinds of entries; in a URL their names are joined by commas."""


_TOOL_KINDS = ("tool_use", "tool_result")
_WITH_CONTENT_OR_A_TOOLS: list[JsonValue] = [
    {"required": ["content"], "properties": {"content": {"minLength": 1}}},
    {"required": ["kind"], "properties": {"kind": {"enum": list(_TOOL_KINDS)}}},
]


class NewEntry(Request):
    """One entry to append.

    `id` makes the append safe to repeat: the same id with the same body returns the seq it already has and adds
    nothing; with another body it is an `EntryConflict`. `at` is kept when given, else it is the time of the append.
    Known kinds are `text`, `thinking`, `tool_use`, `tool_result` and `session_completed`; others are kept as they are.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": _WITH_CONTENT_OR_A_TOOLS})

    role: Role
    content: str = ""
    kind: Kind = "text"
    id: Annotated[Name, Field(min_length=1, max_length=200)] | None = None
    at: ToldTime | None = None
    tool_id: Annotated[Name, Field(max_length=200)] | None = None
    tool_name: Annotated[Name, Field(max_length=200)] | None = None
    tool_input: Json = None
    is_error: bool | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "NewEntry":
        if not self.content and self.kind not in _TOOL_KINDS:
            raise ValueError(f"content is empty: only tool_use and tool_result entries may be, not {self.kind!r}")
        return self


class Entry(Reply):
    """One line of a transcript. `seq` counts from 1 without gaps within the session.

    `content_bytes` is set when this is a view of an entry too large for a bounded read: it is the true size, and
    `content` holds the head and the tail.
    """

    seq: int
    at: UtcTime
    role: Role
    kind: str = "text"
    content: str = ""
    id: str | None = None
    tool_id: str | None = None
    tool_name: str | None = None
    tool_input: JsonValue = None
    is_error: bool | None = None
    content_bytes: int | None = None


class AppendEntries(Request):
    """Append a batch, atomically. `expected_seq` is the seq at which the caller believes the transcript ends.

    `is_history` says that this happened before it came here: the session's last activity becomes the latest time that
    an entry carries, and not the present. It never goes back.
    """

    entries: Annotated[tuple[NewEntry, ...], Field(min_length=1, max_length=MAX_ENTRIES_PER_APPEND)]
    expected_seq: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None
    is_history: bool = False


class AppendReply(Reply):
    """Where the entries stand, in the order given; `added` is how many are new (the rest were repeats)."""

    session_id: str
    seqs: tuple[int, ...]
    added: int
    last_seq: int


class ReadTranscript(Request):
    """Which part of a transcript: one of `tail`, `since`, `around`, or `full`.

    `tail=N` the last N; `since=S` the entries after seq S, oldest first; `around=S` the `limit` entries nearest to
    seq S; `full` from the beginning. `limit` bounds the count and `max_bytes` the size of a page (at least one entry
    is returned); a page says whether more stands before and after it. `whole` asks for large entries whole.

    `kinds` passes over entries of other kinds (in a URL: joined by commas); 10,000 entries are looked at by one read.
    `max_tokens` bounds what is given, in tokens of about four characters: the entries that matter least are left out,
    and long ones are cut head-and-tail with their true size in `content_bytes`.
    """

    tail: Annotated[int, Field(ge=0, le=1_000)] | None = None
    since: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None
    around: Annotated[int, Field(ge=1, le=MAX_SEQ)] | None = None
    full: bool = False
    limit: Annotated[int, Field(ge=1, le=10_000)] = 200
    max_bytes: Annotated[int, Field(ge=1)] = 4 * 1024 * 1024
    whole: bool = False
    max_tokens: Annotated[int, Field(ge=100, le=1_000_000)] | None = None
    kinds: Kinds | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "ReadTranscript":
        chosen = [name for name in ("tail", "since", "around") if getattr(self, name) is not None]
        if len(chosen) + self.full > 1:
            raise ValueError("choose one of tail, since, around and full")
        if self.whole and self.max_tokens is not None:
            raise ValueError("choose one of whole and max_tokens: a bounded read cuts large entries")
        return self


class TranscriptPage(Reply):
    """A run of consecutive entries, as JSON texts that were stored so and are spliced into answers unparsed.

    `total` is the number of entries of the whole transcript, which is also its last seq. `first_seq` and `last_seq`
    tell from where to where it was read: those of the entries, unless only some `kinds` were asked for.
    """

    session_id: str
    raw: tuple[str, ...]
    total: int
    first_seq: int | None = None
    last_seq: int | None = None

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Parse the entries; the work is done once, and only for a reader who asks."""
        return tuple(_ENTRY.validate_json(text) for text in self.raw)

    @property
    def more_before(self) -> bool:
        """Tell whether older entries exist than those of this page."""
        return self.first_seq is not None and self.first_seq > 1

    @property
    def more_after(self) -> bool:
        """Tell whether newer entries exist than those of this page."""
        return self.last_seq is not None and self.last_seq < self.total


class ExportTranscript(Request):
    """Ask for a transcript as a document, about `max_bytes` a page; `cursor` comes from the page before.

    Entries are whole in every format, so one that is larger than `max_bytes` makes a page that is.
    """

    format: ExportFormat = "text"
    cursor: Annotated[int, Field(ge=0, le=MAX_SEQ)] = 0
    max_bytes: Annotated[int, Field(ge=1_024)] = 1024 * 1024


class ExportPage(Reply):
    """A piece of the document. `next_cursor` is null on the last one; the pieces in order are the document."""

    session_id: str
    format: ExportFormat
    text: str
    next_cursor: int | None = None


class ImportReply(Reply):
    """What an import made: a new session with the same transcript."""

    session_id: str
    entries: int


_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
