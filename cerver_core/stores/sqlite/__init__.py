"""The embedded store: one SQLite file, shared by every process of the user.

The library is the one that apsw bundles. Never open the file with the standard library's `sqlite3` in a process that
has it open here: closing the second one drops the locks of the first.
"""

from cerver_core.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
