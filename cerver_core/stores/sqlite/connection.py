"""Opens the file: safe permissions, the right SQLite, its settings and the migrations; runs no query of a caller."""

import os
from pathlib import Path
from typing import Literal

import apsw

from cerver_core.errors import SchemaTooNew, StoreUnavailable
from cerver_core.stores.sqlite.faults import not_ours
from cerver_core.stores.sqlite.sql import Database

__all__ = ["BUSY_TIMEOUT_MS", "KNOWN_SCHEMA", "check_schema", "open_reader", "open_writer", "prepare_folder"]

BUSY_TIMEOUT_MS = 5_000
"""How long SQLite waits for a lock that a foreign program holds."""

_OLDEST_SAFE_SQLITE = (3, 51, 3)
"""Older ones may lose commits when several processes write and checkpoint (sqlite.org/wal.html#the_wal_reset_bug)."""

_APPLICATION_ID = 0x43525652  # "CRVR"
_LARGEST_WAL_BYTES = 64 * 1024 * 1024
_READ_CACHE_KIB = 8 * 1024  # filled as needed; deep pages of a large store do not fit into SQLite's usual 2 MiB
_MIGRATIONS = Path(__file__).parent / "migrations"

KNOWN_SCHEMA = 3
"""The newest schema: the number of the last file in `migrations/`."""


def prepare_folder(folder: Path) -> None:
    """Make the folder, for this user alone; one that is there already keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_writer(path: Path, durability: Literal["full", "relaxed"]) -> Database:
    """Open the file for writing and bring it to this version's schema; call it with the write lock held.

    Raises:
        StoreUnavailable: the bundled SQLite is not safe, or the file cannot be written.
        StoreCorrupt: it is not a database of Cerver.
        SchemaTooNew: a newer Cerver wrote it.
    """
    _refuse_unsafe_library()
    _create_private(path)
    connection = _connected(path, apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _refuse_read_only(connection)
        _refuse_foreign(connection, path)
        _migrate(connection, path)
        _configure(connection, path, durability)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
    """Open the file, which a writer has open already, for reading alone."""
    connection = _connected(path, apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(busy_timeout_ms)
    connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}").close()
    return connection


def check_schema(connection: Database, path: Path) -> None:
    """Refuse to go on when the schema is another than this version's: a newer Cerver may migrate it at any time."""
    version = _pragma(connection, "user_version")
    if version != KNOWN_SCHEMA:
        raise _too_new(path, version)


def _connected(path: Path, flags: int) -> Database:
    connection = apsw.Connection(str(path), flags=flags)
    # A kept statement that binds values stays as it was planned (sqlite.org/queryplanner-ng.html#qpsg). Otherwise each
    # run plans it anew, for statistics that this store never gathers: nine tenths of what reading a session took.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def _refuse_unsafe_library() -> None:
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")[:3]) < _OLDEST_SAFE_SQLITE:
        needed = ".".join(str(part) for part in _OLDEST_SAFE_SQLITE)
        raise StoreUnavailable(
            f"SQLite {version} can lose data when several processes write; install apsw with SQLite {needed} or newer"
        )


def _create_private(path: Path) -> None:
    # SQLite gives its side files the mode of this one. Only a file that is not there is opened here: closing a
    # descriptor of one that SQLite has open in this process would drop SQLite's locks on it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _refuse_read_only(connection: Database) -> None:
    if connection.readonly("main"):  # SQLite falls back to it without a word
        raise apsw.ReadOnlyError("the file could be opened for reading alone")


def _refuse_foreign(connection: Database, path: Path) -> None:
    owner = _pragma(connection, "application_id")
    if owner == _APPLICATION_ID:
        return
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if owner != 0 or tables or _pragma(connection, "user_version"):
        raise not_ours(path)


def _migrate(connection: Database, path: Path) -> None:
    version = _pragma(connection, "user_version")
    if version > KNOWN_SCHEMA:
        raise _too_new(path, version)
    for number in range(version + 1, KNOWN_SCHEMA + 1):
        (script,) = _MIGRATIONS.glob(f"{number:04}_*.sql")
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(script.read_text(encoding="utf-8"))
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _configure(connection: Database, path: Path, durability: Literal["full", "relaxed"]) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").get != "wal":
        raise StoreUnavailable(f"the file system of {path} cannot hold a shared database; set CERVER_HOME elsewhere")
    level = {"full": "FULL", "relaxed": "NORMAL"}[durability]
    connection.execute(f"PRAGMA synchronous = {level}")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL_BYTES}").close()


def _too_new(path: Path, version: int) -> SchemaTooNew:
    return SchemaTooNew(
        f"the database {path} has schema {version} and this Cerver knows up to {KNOWN_SCHEMA}; upgrade and restart it",
        schema=version,
        known=KNOWN_SCHEMA,
    )


def _pragma(connection: Database, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").get
    assert isinstance(value, int)
    return value
