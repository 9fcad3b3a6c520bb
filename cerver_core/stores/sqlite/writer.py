"""The one thread of this process that writes: what queues while it works goes into its next transaction."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import apsw

from cerver_core.errors import CerverError
from cerver_core.stores.sqlite.connection import BUSY_TIMEOUT_MS, check_schema, open_writer, prepare_folder
from cerver_core.stores.sqlite.faults import moved_away, translated
from cerver_core.stores.sqlite.handover import Call, Handover, Outcome
from cerver_core.stores.sqlite.indexer import Indexer
from cerver_core.stores.sqlite.lock import WriteLock
from cerver_core.stores.sqlite.rewrites import PURGE, purge
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction

__all__ = ["Writer", "lock_path"]

_MOST_CALLS_PER_GROUP = 256
_MOST_BYTES_PER_GROUP = 8 * 1024 * 1024
_CHECKPOINT_PAGES = 2_000
_TRUNCATE_PAGES = 16_384  # 64 MiB of the usual 4 KiB pages: readers kept the file from starting over
_TRUNCATE_BUSY_MS = 50

_log = logging.getLogger(__name__)


class Writer:
    """Owns the writing connection and the write lock, on a thread of its own.

    The thread is a daemon because a lock that a stopped process holds may keep it waiting; nothing that was
    acknowledged depends on its end. When the file cannot be opened, every call is answered with the reason.
    """

    def __init__(self, path: Path, durability: Literal["full", "relaxed"], handover: Handover[Transaction]) -> None:
        self._path = path
        self._durability: Literal["full", "relaxed"] = durability
        self._handover = handover
        self._identity = (0, 0)
        self._wal_pages = 0
        self._indexer = Indexer()
        self._truncate_pages = _TRUNCATE_PAGES
        self._thread = threading.Thread(target=self._run, name="cerver-store-writer", daemon=True)

    def start(self) -> None:
        """Start the thread; it opens the file first."""
        self._thread.start()

    def join(self, limit_s: float) -> None:
        """Wait for the thread to be gone, if it was started."""
        if self._thread.ident is not None:
            self._thread.join(limit_s)

    def _run(self) -> None:
        try:
            lock, connection = self._open()
        except BaseException as error:  # noqa: BLE001 - carried to the callers
            fault = translated(error, self._path)
            while calls := self._handover.take():
                self._handover.settle(_all_failed(calls, fault))
            return
        try:
            self._serve(lock, connection)
        finally:
            self._close(lock, connection)

    def _open(self) -> tuple[WriteLock, Database]:
        prepare_folder(self._path.parent)
        lock = WriteLock(lock_path(self._path))
        try:
            lock.acquire()
            connection = open_writer(self._path, self._durability)
            lock.release()
        except BaseException:
            lock.close()
            raise
        connection.set_wal_hook(self._note_wal_pages)
        self._identity = _identity(self._path)
        return lock, connection

    def _serve(self, lock: WriteLock, connection: Database) -> None:
        while True:
            calls = self._handover.take(_MOST_CALLS_PER_GROUP, _MOST_BYTES_PER_GROUP, wait_s=self._indexer.wait_s)
            if calls is not None and not calls:
                return
            try:
                lock.acquire()
            except OSError as error:
                self._handover.settle(_all_failed(calls or (), translated(error, self._path)))
                continue
            try:
                self._work(connection, calls)
                if calls:
                    lock.announce()
            finally:
                lock.release()
            del calls  # what they hold may be large, and the next wait long

    def _work(self, connection: Database, calls: Sequence[Call[Transaction, Any]] | None) -> None:
        """Do the calls, or index while there are none; index a little among many calls too."""
        if calls is None:
            self._indexer.work(connection, is_idle=True)
        else:
            started = time.monotonic()
            self._handover.settle([self._purged(connection, one) for one in self._write(connection, calls)])
            self._indexer.note_written(time.monotonic() - started)
            if self._indexer.is_due:
                self._indexer.work(connection, is_idle=False)
        self._checkpoint(connection)

    def _write(self, connection: Database, calls: Sequence[Call[Transaction, Any]]) -> list[Outcome]:
        try:
            self._begin(connection)
        except BaseException as error:  # noqa: BLE001 - carried to the callers
            fault = self._undo(connection, error)
            return _all_failed(calls, fault)
        try:
            transaction = Transaction(connection)
            outcomes = _work(transaction, calls)
            transaction.flush().execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - carried to the callers
            fault = self._undo(connection, error)
        else:
            return outcomes
        if len(calls) == 1:
            return _all_failed(calls, fault)
        # One of them cannot be done; alone, each gets the answer that is its own.
        return [outcome for call in calls for outcome in self._write(connection, [call])]

    def _purged(self, connection: Database, outcome: Outcome) -> Outcome:
        """Purge the files if that was asked; it cannot be done within a transaction."""
        call, answer, _ = outcome
        if answer is not PURGE:
            return outcome
        try:
            purge(connection, BUSY_TIMEOUT_MS)
        except BaseException as error:  # noqa: BLE001 - carried to the caller
            return call, None, translated(error, self._path, connection.system_errno)
        return call, None, None

    def _begin(self, connection: Database) -> None:
        if self._identity != _identity(self._path):
            raise moved_away(self._path)
        connection.execute("BEGIN IMMEDIATE")
        check_schema(connection, self._path)

    def _undo(self, connection: Database, error: BaseException) -> BaseException:
        fault = translated(error, self._path, connection.system_errno)
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except apsw.Error as second:
                _log.warning("rolling back failed: %s", second)
        return fault

    def _note_wal_pages(self, _connection: Database, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self, connection: Database) -> None:
        pages, self._wal_pages = self._wal_pages, 0
        if pages < _CHECKPOINT_PAGES:
            return
        try:
            if pages < self._truncate_pages:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                return
            self._truncate(connection)
            self._truncate_pages = _TRUNCATE_PAGES
        except apsw.BusyError:
            # Others read just now. Nobody waits for them here, all processes would: try again when it has grown on.
            self._truncate_pages = pages + _CHECKPOINT_PAGES
        except apsw.Error as error:
            # Nothing is lost: it all stands in the log, and the next group tries again.
            _log.warning("moving the write-ahead log into the database failed: %s", error)

    def _truncate(self, connection: Database) -> None:
        connection.set_busy_timeout(_TRUNCATE_BUSY_MS)
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)

    def _close(self, lock: WriteLock, connection: Database) -> None:
        try:
            lock.acquire()
            self._truncate(connection)
        except (apsw.Error, OSError) as error:
            _log.debug("the write-ahead log stays for the next one who opens: %s", error)
        finally:
            connection.close()
            lock.close()


def _work(transaction: Transaction, calls: Sequence[Call[Transaction, Any]]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for call in calls:
        if call.is_abandoned:
            outcomes.append((call, None, None))
            continue
        before = transaction.change_count
        try:
            outcomes.append((call, call.work(transaction), None))
        except CerverError as error:
            if transaction.change_count != before:
                raise
            outcomes.append((call, None, error))
    return outcomes


def _all_failed(calls: Sequence[Call[Transaction, Any]], fault: BaseException) -> list[Outcome]:
    return [(call, None, fault) for call in calls]


def lock_path(path: Path) -> Path:
    """Name the lock file of a database."""
    return path.with_name(path.name + ".lock")


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino
