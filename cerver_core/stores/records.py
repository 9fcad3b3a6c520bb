"""The contract of records and counters: the small things of an account (keys, projects, policies, audit lines).

A record is a JSON object by kind and id; the store understands none of it. What needs more than one record to agree is
arranged above, by versions; sums that several processes spend from at once are counters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

__all__ = ["Record", "RecordStore"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is kept. `version` is 1 when it is new and grows by one with every change."""

    kind: str
    id: str
    data: Mapping[str, JsonValue]
    version: int
    created_at_us: int
    updated_at_us: int
    expires_at_us: int | None = None


class RecordStore(Protocol):
    """Records and counters of one owner: an account, or the store's own directory of accounts.

    Kinds and ids are text of 1 to 200 characters. A record whose `expires_at_us` has passed is not there any more; the
    store removes it when it likes. `now_us` is the caller's clock.
    """

    async def get(self, kind: str, record_id: str, *, now_us: int) -> Record | None:
        """Read one record; null when there is none."""
        ...

    async def list(
        self,
        kind: str,
        *,
        now_us: int,
        prefix: str = "",
        after: str | None = None,
        limit: int = 200,
        newest: bool = False,
    ) -> Sequence[Record]:
        """List records of a kind whose id begins with `prefix`, by id ascending (`newest`: descending), behind `after`.

        Ids compare by their UTF-8 bytes, in every member. The cost does not grow with the number of records.
        """
        ...

    async def put(
        self,
        kind: str,
        record_id: str,
        data: Mapping[str, JsonValue],
        *,
        now_us: int,
        expected_version: int | None = None,
        expires_at_us: int | None = None,
    ) -> Record | None:
        """Write one record whole, durably, and answer it as kept.

        With `expected_version` it is written only over that version (0: only where there is none); else null is
        answered and nothing changes.
        """
        ...

    async def delete(self, kind: str, record_id: str, *, expected_version: int | None = None) -> bool:
        """Remove one record, durably; false when there was none (of that version)."""
        ...

    async def counter(self, name: str) -> int:
        """Read a counter; one that was never added to is 0."""
        ...

    async def add(self, name: str, amount: int, *, ceiling: int | None = None) -> int | None:
        """Add to a counter, durably and atomically, and answer the new sum.

        Null, and no change, when the sum would pass `ceiling`: of many that add at once, those that fit get through.
        """
        ...
