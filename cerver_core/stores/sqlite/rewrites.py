"""Replaces what is kept of a transcript, and makes the old text disappear from the files; decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from cerver_core.errors import InvalidInput, StoreUnavailable
from cerver_core.stores.base import EntryRewrite, SessionChange
from cerver_core.stores.sqlite.changes import amend, locate
from cerver_core.stores.sqlite.entries import replace_entry
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction

__all__ = ["PURGE", "Rewrite", "forget_words", "purge"]

PURGE = object()
"""What a call answers after whose commit the files are to be purged."""

_READERS_LIMIT_MS = 10_000


@dataclass(slots=True)
class Rewrite:
    """Replaces entries and a session's own texts, in the transaction of the caller."""

    account_id: str
    session_id: str
    entries: Sequence[EntryRewrite]
    change: SessionChange | None

    def __call__(self, transaction: Transaction) -> None:
        """Do it; see `TranscriptStore.rewrite`."""
        from cerver_core.stores.sqlite.index import describe, reindex  # noqa: PLC0415 - few processes replace anything

        database = transaction.flush()
        session_key, _, last_seq = locate(database, self.account_id, self.session_id)
        for entry in self.entries:
            if not 1 <= entry.seq <= last_seq:
                raise InvalidInput(f"session {self.session_id} has no entry {entry.seq}; nothing was replaced")
        for entry in self.entries:
            place = replace_entry(database, session_key, entry)
            reindex(database, place, entry.view or entry.body)
        if self.change is not None:
            amend(database, session_key, self.change)
            describe(database, session_key)


def forget_words(transaction: Transaction) -> object:
    """Write the search index anew: until then it still holds the words of what was replaced."""
    from cerver_core.stores.sqlite.index import index_slice  # noqa: PLC0415 - as above

    database = transaction.flush()
    while index_slice(database):
        pass
    for table in ("said_index", "tool_index", "session_index"):
        database.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608 - names of ours
    return PURGE


def purge(connection: Database, busy_timeout_ms: int) -> None:
    """Write the file anew and empty the log: free pages, and free room within pages, hold old text until then.

    Raises:
        StoreUnavailable: somebody reads for longer than ten seconds; what was replaced is so, the log still holds it.
    """
    connection.set_busy_timeout(_READERS_LIMIT_MS)
    try:
        connection.execute("VACUUM")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError as error:
        raise StoreUnavailable(
            "the old text was replaced, but is still in the write-ahead log because another process reads; run it again"
        ) from error
    finally:
        connection.set_busy_timeout(busy_timeout_ms)
