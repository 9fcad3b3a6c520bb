"""Reads of a single row on the event loop's own thread: they take less time than handing them to another would."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from cerver_core.stores.sqlite.connection import open_reader
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.sql import Database

__all__ = ["InlineReader"]

T = TypeVar("T")


class InlineReader:
    """A connection of the event loop's thread, for work that is one look into an index.

    A reader beside a write-ahead log never waits for a writer, and this one never waits for anything: what would
    have to wait, or fails, is given to the reading threads, which wait or say why.
    """

    def __init__(self, path: Path, reads: Handover[Database]) -> None:
        self._path = path
        self._reads = reads
        self._connection: Database | None = None
        self._is_closed = False

    async def call(self, work: Callable[[Database], T]) -> T:
        """Do the work now, here; or have a reading thread do it."""
        if self._is_closed:
            return await self._reads.call(work)
        try:
            if self._connection is None:
                self._connection = open_reader(self._path, busy_timeout_ms=0)
            return work(self._connection)
        except apsw.Error:
            return await self._reads.call(work)

    def close(self) -> None:
        """Close the connection."""
        self._is_closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
