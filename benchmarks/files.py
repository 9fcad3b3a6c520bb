"""Opens a store's file past the store: for the rival of a measurement, and to fill a large one quickly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from cerver_core.stores.sqlite.sql import Database

__all__ = ["NUMBERS", "fill", "opened"]

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1) "
"""Begins a statement that makes `?1` rows, with `n` from 1."""


def opened(path: Path) -> Database:
    """Open the file with the settings that SQLite begins with."""
    return apsw.Connection(str(path))


def fill(path: Path, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Run statements in one transaction that waits for no disk."""
    connection = opened(path)
    connection.execute("PRAGMA synchronous = OFF").close()
    connection.execute("BEGIN").close()
    for statement, values in statements:
        connection.execute(statement, values).close()
    connection.execute("COMMIT").close()
    connection.close()
