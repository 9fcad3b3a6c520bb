"""Turns what SQLite and the file system raise into Cerver's errors; decides nothing."""

import errno
import os
from pathlib import Path

import apsw

from cerver_core.errors import CerverError, InvalidInput, StoreCorrupt, StoreUnavailable, TooLarge

__all__ = ["moved_away", "not_ours", "translated"]

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAULTS = (
    *(apsw.BusyError, apsw.CantOpenError, apsw.CorruptError, apsw.FullError, apsw.IOError, apsw.LockedError),
    *(apsw.NoMemError, apsw.NotADBError, apsw.PermissionsError, apsw.ProtocolError, apsw.ReadOnlyError),
    *(apsw.TooBigError, OSError, UnicodeEncodeError),
)
_NO_ACCESS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def translated(error: BaseException, path: Path, system_errno: int = 0) -> BaseException:
    """Give the error of ours for what went wrong with the database at `path`, caused by `error`.

    `system_errno` is what the connection reports behind an input or output error. What is no fault of the database
    (a wrong statement, say, which is a fault of ours) comes back as it is.
    """
    if not isinstance(error, _FAULTS) or isinstance(error, CerverError):
        return error
    ours = _judge(error, path, system_errno)
    ours.__cause__ = error
    return ours


def moved_away(path: Path) -> CerverError:
    """Say that the file is no longer where it was opened."""
    return StoreUnavailable(
        f"the database {path} was moved, replaced or deleted while it was in use; restart Cerver to use the one there"
    )


def not_ours(path: Path) -> CerverError:
    """Say that the file holds something else than Cerver's data."""
    return StoreCorrupt(f"{path} is not a database of Cerver; move it away or point CERVER_HOME to another folder")


def _judge(error: apsw.Error | OSError | UnicodeEncodeError, path: Path, system_errno: int) -> CerverError:
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("the text holds half of a surrogate pair, which UTF-8 cannot express; nothing was written")
    if isinstance(error, apsw.TooBigError):
        return TooLarge("the text is larger than SQLite holds in one row (1 GB); nothing was written")
    if isinstance(error, apsw.NotADBError):
        return not_ours(path)
    if isinstance(error, apsw.CorruptError):
        return StoreCorrupt(
            f"the database {path} is damaged ({error}); restore a copy, or move it away to start afresh"
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError, apsw.ProtocolError)):
        return StoreUnavailable(f"the database {path} is locked by another program; close that program and try again")
    return _unavailable(error, path, system_errno)


def _unavailable(error: apsw.Error | OSError, path: Path, system_errno: int) -> CerverError:
    number = (error.errno or 0) if isinstance(error, OSError) else system_errno
    if isinstance(error, apsw.FullError) or number in _NO_SPACE:
        return StoreUnavailable(f"the disk that holds {path} is full; free some space and try again")
    refused = isinstance(error, (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError))
    if refused or number in _NO_ACCESS:
        return StoreUnavailable(
            f"the database {path} cannot be opened for writing; make its folder writable or set CERVER_HOME to another"
        )
    reason = os.strerror(number) if number else str(error)
    return StoreUnavailable(f"reading or writing the database {path} failed ({reason}); check the disk and try again")
