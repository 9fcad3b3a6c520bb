"""The threads that read, each on a connection of its own, beside the writer."""

import threading
from pathlib import Path

import apsw

from cerver_core.errors import SchemaTooNew
from cerver_core.stores.sqlite.connection import check_schema, open_reader
from cerver_core.stores.sqlite.faults import translated
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Readers"]


class Readers:
    """Two threads that serve one queue of reads."""

    COUNT = 2

    def __init__(self, path: Path, handover: Handover[Database]) -> None:
        self._path = path
        self._handover = handover
        self._threads = [
            threading.Thread(target=self._run, name=f"cerver-store-reader-{number}", daemon=True)
            for number in range(1, self.COUNT + 1)
        ]

    def start(self) -> None:
        """Start the threads; each opens the file at its first read."""
        for thread in self._threads:
            thread.start()

    def join(self, limit_s: float) -> None:
        """Wait for the threads to be gone, if they were started."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(limit_s)

    def _run(self) -> None:
        connection: Database | None = None
        try:
            while calls := self._handover.take():
                (call,) = calls
                if call.is_abandoned:
                    self._handover.settle([(call, None, None)])
                    continue
                try:
                    if connection is None:
                        connection = open_reader(self._path)
                    outcome = (call, call.work(connection), None)
                except BaseException as error:  # noqa: BLE001 - carried to the caller
                    outcome = (call, None, self._fault(connection, error))
                self._handover.settle([outcome])
                del calls, call, outcome  # what they hold may be large, and the next wait long
        finally:
            if connection is not None:
                connection.close()

    def _fault(self, connection: Database | None, error: BaseException) -> BaseException:
        if connection is None:
            return translated(error, self._path)
        if isinstance(error, apsw.SQLError):
            try:
                check_schema(connection, self._path)  # a newer Cerver may have taken away what was asked for
            except (SchemaTooNew, apsw.Error) as reason:
                error = reason
        return translated(error, self._path, connection.system_errno)
