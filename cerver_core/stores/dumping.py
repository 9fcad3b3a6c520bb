"""What a store holds, table by table, as every member can read it at one moment and be filled with it.

What can be made again, the index of words, is no part of it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from cerver_core.stores.rows import DETAIL_COLUMNS, SESSION_COLUMNS

__all__ = ["BATCH_BYTES", "TABLES", "Batch", "Row", "Snapshot", "row_bytes"]

Row: TypeAlias = Sequence[str | int | float | bytes | None]
"""One row of a table: a value for each of its columns."""

Batch: TypeAlias = tuple[str, Sequence[Row]]
"""The name of a table, and some of its rows."""

BATCH_BYTES = 1024 * 1024
"""About how much text a batch holds; a single row may be longer."""

TABLES: Mapping[str, Sequence[str]] = {
    "records": ("account_id", "kind", "id", "data", "version", "created_at_us", "updated_at_us", "expires_at_us"),
    "counters": ("account_id", "name", "value"),
    "sessions": ("session_key", *SESSION_COLUMNS),
    "session_details": DETAIL_COLUMNS,
    "entries": ("session_key", "seq", "body"),
    "whole_bodies": ("session_key", "seq", "body"),
    "client_ids": ("session_key", "client_id", "seq", "fingerprint"),
    "open_execs": ("session_key", "tool_id", "holder", "started_at_us"),
}
"""The columns of each table, in the order in which the tables are written. The directory's `account_id` is empty.

Every member gives the same rows in the same order for the same content: by the columns of the table's key.
"""


class Snapshot(Protocol):
    """What a store kept at one moment, whatever is written meanwhile."""

    @property
    def store(self) -> str:
        """Name the kind of store: `sqlite`, `postgres`."""
        ...

    @property
    def schema(self) -> int:
        """Give the version of the store's own schema."""
        ...

    def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """Read a table of `TABLES`, about `BATCH_BYTES` at a time. One is read at a time, to its end."""
        ...


def row_bytes(row: Row) -> int:
    """Tell about how much memory a row takes."""
    return 200 + sum(len(value) for value in row if type(value) is str)
