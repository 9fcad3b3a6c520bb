"""The contract of dumps: all that a store keeps, read as it was at one moment, and written as it is into an empty one.

What can be made again, the index of words, is no part of it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from cerver_core.stores.base import OpenExec, StoredSession
from cerver_core.stores.records import Record
from cerver_core.stores.refusals import check_seq

__all__ = [
    "DumpedCounter",
    "DumpedEntry",
    "DumpedId",
    "DumpedSession",
    "DumpingStore",
    "Part",
    "Snapshot",
    "ends_of",
    "part_bytes",
]


@dataclass(frozen=True, slots=True)
class DumpedSession:
    """A session as it is kept, its entries apart, with the executions that are under way."""

    session: StoredSession
    execs: tuple[OpenExec, ...] = ()


@dataclass(frozen=True, slots=True)
class DumpedEntry:
    """An entry as it is kept: `body` is its whole JSON text without `seq`, `view` what bounded reads get of it."""

    session_id: str
    seq: int
    body: str
    view: str | None = None


@dataclass(frozen=True, slots=True)
class DumpedId:
    """The client id of an entry, by which a repeated append is known."""

    session_id: str
    client_id: str
    seq: int
    fingerprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class DumpedCounter:
    """A sum that is kept by name."""

    name: str
    value: int


Part: TypeAlias = DumpedSession | DumpedEntry | DumpedId | Record | DumpedCounter
"""One piece of what an owner keeps."""


def part_bytes(part: Part) -> int:
    """Tell about how much memory a part takes."""
    return 500 + (len(part.body) + len(part.view or "") if isinstance(part, DumpedEntry) else 0)


def ends_of(entries: Sequence[DumpedEntry], last_seqs: Mapping[str, int]) -> Mapping[str, int]:
    """Tell where each session ends once these entries stand behind its `last_seqs`.

    Raises:
        SequenceConflict: an entry is not the next one of its session.
    """
    ends: dict[str, int] = {}
    for entry in entries:
        last_seq = ends.get(entry.session_id, last_seqs[entry.session_id])
        check_seq(entry.session_id, last_seq, entry.seq - 1)
        ends[entry.session_id] = entry.seq
    return ends


class Snapshot(Protocol):
    """What a store kept at one moment, whatever is written meanwhile.

    An owner is an account, or null for the store's own directory. Pages go on behind `after` and end with an empty
    one; names compare by their UTF-8 bytes, in every member.
    """

    async def accounts(self) -> Sequence[str]:
        """Name all accounts that keep anything, in order; and perhaps some that came since then and kept nothing."""
        ...

    async def sessions(self, account_id: str, *, after: str | None = None, limit: int) -> Sequence[DumpedSession]:
        """Read sessions by id ascending."""
        ...

    async def entries(
        self, account_id: str, session_id: str, *, after: int = 0, limit: int, max_bytes: int
    ) -> Sequence[DumpedEntry]:
        """Read entries by seq ascending, at least one if there is any, no more than about `max_bytes` of them."""
        ...

    async def ids(
        self, account_id: str, session_id: str, *, after: str | None = None, limit: int
    ) -> Sequence[DumpedId]:
        """Read the client ids of a session, ascending."""
        ...

    async def records(self, owner: str | None, *, after: tuple[str, str] | None = None, limit: int) -> Sequence[Record]:
        """Read records of all kinds by (kind, id) ascending; those that have expired may be among them."""
        ...

    async def counters(self, owner: str | None, *, after: str | None = None, limit: int) -> Sequence[DumpedCounter]:
        """Read counters by name ascending."""
        ...


@runtime_checkable
class DumpingStore(Protocol):
    """A store whose whole content can be read and written as it is; an ability that not every store has."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Hold on to what the store keeps now, until the block is left. Nobody who writes waits for it.

        Raises:
            StoreUnavailable: this user of the database may not read all accounts.
        """
        ...

    async def is_empty(self) -> bool:
        """Tell whether no account and not the directory keep anything."""
        ...

    async def restore(self, owner: str | None, parts: Sequence[Part]) -> None:
        """Write parts of one owner as they are, all durably or none; a session before what belongs to it.

        A session is empty at first, whatever its `last_seq` says: each entry must be the one behind the last. Its sums
        and times are those it is given with; entries add nothing to them.

        Raises:
            Conflict: a part is there already.
            SessionNotFound: an entry or an id comes before its session.
            SequenceConflict: an entry is not the next one.
        """
        ...
