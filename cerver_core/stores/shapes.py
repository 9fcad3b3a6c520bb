"""What goes into a store and comes out of it: sessions, entries, changes, and what was found; `base` has the contract.

Times are whole microseconds since 1970-01-01 UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from pydantic import JsonValue

from cerver_core.metrics import SessionCounters
from cerver_core.wire.sessions import Lifecycle, SessionType, Status

__all__ = [
    "KEEP",
    "Appended",
    "ClosedExec",
    "EntryDraft",
    "EntryRewrite",
    "FoundEntry",
    "FoundTranscript",
    "OpenExec",
    "Page",
    "ReadWindow",
    "SearchResult",
    "SessionChange",
    "SessionQuery",
    "StoredEntry",
    "StoredSession",
]

JsonObject = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One session as it is kept. `last_seq` is the number of its entries; it and `counters` only grow.

    `opening` is read from the transcript, never written, and only where there is neither name nor task: the beginning
    of the JSON text of what the user said first, among the first entries, else of the first entry.
    """

    id: str
    state: Lifecycle
    created_at_us: int
    updated_at_us: int
    name: str | None = None
    end_reason: str | None = None
    ended_at_us: int | None = None
    session_type: SessionType = "general"
    workload: str = "general"
    task: str = ""
    harness: str | None = None
    source: str | None = None
    project: str | None = None
    parent_id: str | None = None
    provider: str | None = None
    compute_id: str | None = None
    sandbox: JsonObject | None = None
    workspace_delete_at_us: int | None = None
    requirements: JsonObject = field(default_factory=dict[str, JsonValue])
    policy: JsonObject = field(default_factory=dict[str, JsonValue])
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    routing: JsonObject | None = None
    counters: SessionCounters = SessionCounters()
    last_seq: int = 0
    opening: str | None = field(default=None, compare=False)


class _Keep(Enum):
    KEEP = "KEEP"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = _Keep.KEEP
"""Stands in a change for a field that stays as it is (null is a value)."""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """What to change of a session; fields left at `KEEP` stay. `updated_at_us` never goes back."""

    state: Lifecycle | _Keep = KEEP
    updated_at_us: int | _Keep = KEEP
    name: str | _Keep | None = KEEP
    task: str | _Keep = KEEP
    end_reason: str | _Keep | None = KEEP
    ended_at_us: int | _Keep | None = KEEP
    harness: str | _Keep | None = KEEP
    source: str | _Keep | None = KEEP
    provider: str | _Keep | None = KEEP
    compute_id: str | _Keep | None = KEEP
    sandbox: JsonObject | _Keep | None = KEEP
    workspace_delete_at_us: int | _Keep | None = KEEP
    metadata_merge: JsonObject | _Keep = KEEP
    routing: JsonObject | _Keep | None = KEEP
    from_states: frozenset[Lifecycle] | None = None
    """Apply only when the session is in one of these states, else raise `SessionStateConflict` (`detail["state"]`)."""


@dataclass(frozen=True, slots=True)
class OpenExec:
    """Marks an execution as under way: the session's state becomes `running`.

    `holder` names the process on whose life the execution depends, so that another can tell when it was left behind.
    """

    tool_id: str
    holder: str
    started_at_us: int


@dataclass(frozen=True, slots=True)
class ClosedExec:
    """Ends an execution. When it was the session's last one and the state is `running`, the state becomes `idle`."""

    tool_id: str


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry to append: `body` is its JSON text without `seq`, an object that is not empty.

    `client_id` makes a repeat harmless; `fingerprint` tells whether a repeat is the same. `view` is the shorter JSON
    text that bounded reads get in place of a large `body`. `is_by_user` counts the entry among the user's
    (`SessionCounters.user_entry_count`) when it is new.
    """

    body: str
    client_id: str | None = None
    fingerprint: bytes | None = None
    view: str | None = None
    is_by_user: bool = False


@dataclass(frozen=True, slots=True)
class EntryRewrite:
    """What an entry is to say from now on: `body` and `view` as in a draft. Its seq and its client id stay."""

    seq: int
    body: str
    view: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry: `json` is its whole JSON text, `seq` included as the first key."""

    seq: int
    json: str


@dataclass(frozen=True, slots=True)
class Appended:
    """Where each draft stands, in order; `added` of them are new."""

    seqs: tuple[int, ...]
    added: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions; see `SessionStore.list`."""

    limit: int
    status: Status | None = None
    states: frozenset[Lifecycle] | None = None
    """With `status`: only these of its states; what is stale has none of them."""
    stale_before_us: int = 0
    source: str | None = None
    project: str | None = None
    parent_id: str | None = None
    after: tuple[int, str] | None = None
    """Continue behind this (updated_at_us, id)."""


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """Which entries: `from_seq` forward, or the last ones up to and with `to_seq` (null: the end) backward."""

    from_seq: int | None = None
    to_seq: int | None = None
    limit: int = 200
    max_bytes: int = 4 * 1024 * 1024
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive entries from `first_seq` on, each as `StoredEntry.json`, and where the transcript ends."""

    raw: tuple[str, ...]
    last_seq: int
    first_seq: int = 1

    @property
    def next_seq(self) -> int:
        """Tell where to read on."""
        return self.first_seq + len(self.raw)

    @property
    def entries(self) -> tuple[StoredEntry, ...]:
        """Give the entries with their seqs."""
        return tuple(StoredEntry(seq, text) for seq, text in enumerate(self.raw, self.first_seq))


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry that was found, and the session it stands in: the one found, or one spawned from it."""

    session_id: str
    entry: StoredEntry
    score: float


@dataclass(frozen=True, slots=True)
class FoundTranscript:
    """A session that was found, with its best entries, best first; `opening` is its first entry,
    given where no entry was found."""

    session: StoredSession
    score: float
    entries: tuple[FoundEntry, ...]
    children_found: int = 0
    opening: StoredEntry | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best sessions, and how many more were found.

    All that was committed before `indexed_up_to_us` was searched; null: all that was committed when it began.
    `is_of_dates`: one of them at least is of the dates that the query names.
    """

    found: tuple[FoundTranscript, ...]
    left_out: int = 0
    indexed_up_to_us: int | None = None
    is_of_dates: bool = False
