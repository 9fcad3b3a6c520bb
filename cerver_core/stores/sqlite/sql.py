"""The part of apsw's connection that this store uses, with types that a checker can follow."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

__all__ = ["Database", "Rows"]


class Rows(Protocol):
    """The rows of a statement, read as they are asked for."""

    @property
    def get(self) -> Any:  # noqa: ANN401 - as many types as there are columns
        """All of what is left: null for nothing, the row for one row, the value for a row of one."""
        ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...

    def close(self) -> None:
        """Stop reading; the statement's snapshot ends with it."""
        ...


class Database(Protocol):
    """An open connection. `apsw.Connection` is one."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    @property
    def system_errno(self) -> int:
        """What the operating system answered behind the last input or output error."""
        ...

    def execute(self, statements: str, bindings: Sequence[Any] | None = None) -> Rows:
        """Run statements up to the first row."""
        ...

    def executemany(self, statements: str, sequenceofbindings: Iterable[Sequence[Any]]) -> object:
        """Run a statement once per binding."""
        ...

    def changes(self) -> int:
        """Count the rows that the last statement changed."""
        ...

    def total_changes(self) -> int:
        """Count the rows that were changed since the connection was opened."""
        ...

    def set_busy_timeout(self, milliseconds: int) -> None:
        """Wait this long for a lock."""
        ...

    def set_wal_hook(self, callable: Callable[[Any, str, int], int] | None) -> None:  # noqa: A002 - apsw's name
        """Be told after each commit how many pages the log holds; automatic checkpoints end with this."""
        ...

    def wal_checkpoint(self, dbname: str | None = None, mode: int = 0) -> tuple[int, int]:
        """Move the log into the file."""
        ...

    def readonly(self, name: str) -> bool:
        """Tell whether the file could be opened for reading alone."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
