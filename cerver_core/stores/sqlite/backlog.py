"""Tells what waits to be indexed; light, because every process asks and few of them index or search."""

from cerver_core.stores.sqlite.sql import Database

__all__ = ["has_unindexed", "indexed_up_to_us"]


def has_unindexed(connection: Database) -> bool:
    """Tell whether anything that is committed waits to be indexed."""
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM unindexed_sessions)").get)


def indexed_up_to_us(connection: Database) -> int | None:
    """Give the time before which all that was committed is indexed; null when nothing waits."""
    return connection.execute("SELECT min(since_us) FROM unindexed_sessions").get
