"""One transaction of the writer: what the calls of a group share while it is open."""

from dataclasses import dataclass

from cerver_core.stores.sqlite.changes import locate, move
from cerver_core.stores.sqlite.sql import Database
from cerver_core.wire.sessions import Lifecycle

__all__ = ["Head", "Transaction"]


@dataclass(slots=True)
class Head:
    """The moving part of a session's row, as it will be written when the transaction ends."""

    session_key: int
    state: Lifecycle
    last_seq: int
    added: int = 0
    by_user: int = 0
    updated_at_us: int = 0
    is_moved: bool = False


class Transaction:
    """An open transaction. However many appends to a session it holds, the session's row is read and written once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._heads: dict[tuple[str, str], Head] = {}
        self._moves = 0

    @property
    def change_count(self) -> int:
        """Count the changes made so far; when it stands still, nothing was written."""
        return self.database.total_changes() + self._moves

    def head(self, account_id: str, session_id: str) -> Head:
        """Give the moving part of a session's row.

        Raises:
            SessionNotFound: the account has none by this id.
        """
        head = self._heads.get((account_id, session_id))
        if head is None:
            head = Head(*locate(self.database, account_id, session_id))
            self._heads[account_id, session_id] = head
        return head

    def move(self, head: Head, state: Lifecycle, updated_at_us: int, *, added: int, by_user: int) -> None:
        """Set the state, count entries and push the time of the last activity."""
        head.state = state
        head.last_seq += added
        head.added += added
        head.by_user += by_user
        head.updated_at_us = max(head.updated_at_us, updated_at_us)
        head.is_moved = True
        self._moves += 1

    def flush(self) -> Database:
        """Write what was moved, and give the database: for whoever must find the rows as they are."""
        heads, self._heads = self._heads, {}
        for head in heads.values():
            if head.is_moved:
                move(
                    self.database,
                    head.session_key,
                    head.state,
                    head.updated_at_us,
                    added=head.added,
                    by_user=head.by_user,
                )
        return self.database
