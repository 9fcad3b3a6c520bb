"""SQLite files of other programs, opened to read only, without a trace; nothing here knows a schema."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cerver_core.errors import FileMissing, InvalidInput

__all__ = ["Rows", "opened_database"]

_BUSY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Rows:
    """An open database, to ask."""

    connection: Any

    def execute(self, statement: str, values: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement."""
        return self.connection.execute(statement, tuple(values))


@contextmanager
def opened_database(path: Path, what: str) -> Generator[Rows]:
    """Open a database of `what`, read-only.

    Raises:
        FileMissing: it is not there.
        InvalidInput: it is no database of `what`, damaged, or held by somebody.
    """
    import apsw  # noqa: PLC0415 - loads only where a database is read

    if not path.is_file():
        raise FileMissing(f"there is no file {path}")
    try:
        # Without a log beside it nobody writes, and SQLite need not make its own files there to read.
        log = path.with_name(path.name + "-wal")
        how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(f"file:{quote(str(path))}?{how}", flags=flags)
        try:
            connection.set_busy_timeout(_BUSY_MS)
            yield Rows(connection)
        finally:
            connection.close()
    except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError) as error:
        raise InvalidInput(f"{path} is not a database of {what}: {error}") from error
    except apsw.Error as error:
        raise InvalidInput(f"cannot read {path}: {error}") from error
