"""Decides when the writer indexes: at once when it has nothing else to do, and a small share of its time when busy."""

import logging
import time

import apsw

from cerver_core.stores.sqlite.backlog import has_unindexed
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Indexer"]

_SHARE = 0.1
"""How much of the time spent on writing goes to the index while calls keep coming: an append may lose a fifth."""

_QUIET_S = 0.02
_NO_PAUSE_S = 0.0005
_LARGEST_CREDIT_S = 0.05
_BUSY_SLICE_BYTES = 128 * 1024

_log = logging.getLogger(__name__)


class Indexer:
    """Belongs to one writer. What another process left unindexed is done here too."""

    def __init__(self) -> None:
        self._is_behind = True
        self._is_quiet = False
        self._credit_s = 0.0
        self._cost_s = 0.01

    @property
    def wait_s(self) -> float | None:
        """Tell how long the writer waits for calls before it indexes; null: there is nothing to index."""
        if not self._is_behind:
            return None
        return _NO_PAUSE_S if self._is_quiet else _QUIET_S

    @property
    def is_due(self) -> bool:
        """Tell whether the writer has earned a slice though calls keep coming."""
        return self._is_behind and self._credit_s >= self._cost_s

    def note_written(self, elapsed_s: float) -> None:
        """Note that calls were done, in so many seconds."""
        self._is_behind = True
        self._is_quiet = False
        self._credit_s = min(self._credit_s + elapsed_s * _SHARE, max(_LARGEST_CREDIT_S, 2 * self._cost_s))

    def work(self, connection: Database, *, is_idle: bool) -> None:
        """Index a slice in a transaction of its own; call it with the write lock held."""
        started = time.monotonic()
        self._is_quiet = is_idle
        try:
            self._is_behind = has_unindexed(connection) and _index(connection, is_idle=is_idle)
        except apsw.Error as error:
            # Nothing is lost: what waits is noted in the file, and a search or the next write comes back to it.
            _log.warning("indexing for search failed: %s", error)
            self._is_behind = False
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        elapsed_s = time.monotonic() - started
        if not is_idle:
            self._cost_s = elapsed_s
            self._credit_s -= elapsed_s


def _index(connection: Database, *, is_idle: bool) -> bool:
    from cerver_core.stores.sqlite.index import SLICE_BYTES, index_slice  # noqa: PLC0415 - most processes index nothing

    connection.execute("BEGIN IMMEDIATE")
    is_behind = index_slice(connection, SLICE_BYTES if is_idle else _BUSY_SLICE_BYTES)
    connection.execute("COMMIT")
    return is_behind
