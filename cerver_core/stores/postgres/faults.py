"""Turns what asyncpg and the network raise into Cerver's errors; decides nothing else."""

from collections.abc import Generator
from contextlib import contextmanager

import asyncpg

from cerver_core.errors import CerverError, DeadlineExceeded, InvalidInput, StoreCorrupt, StoreUnavailable, TooLarge

__all__ = ["UNREACHABLE", "refuse_unkeepable", "translated", "translating"]

UNREACHABLE = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)
"""What an attempt to connect raises when a later one may succeed."""

_ACCESS = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
)
_DAMAGE = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.InsufficientResourcesError)
_SLOW = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, TimeoutError)
_TOO_LARGE = (asyncpg.ProgramLimitExceededError,)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
)
_MAY_BE_DONE = "what was asked may still have been done"


@contextmanager
def translating() -> Generator[None]:
    """Raise Cerver's error for whatever goes wrong with the database inside."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, UnicodeError) as error:
        raise translated(error) from error


def translated(error: BaseException) -> BaseException:
    """Give the error of ours; what is no fault of the database or the network comes back as it is."""
    if isinstance(error, CerverError):
        return error
    for kinds, ours in _JUDGED:
        if isinstance(error, kinds):
            return ours(error)
    return error


def refuse_unkeepable(text: str) -> None:
    """Refuse a JSON text that Postgres cannot keep.

    Raises:
        InvalidInput: it holds half of a surrogate pair, or a bare NUL, which JSON writes as an escape.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _half_a_pair(error) from error
    if "\0" in text:
        raise InvalidInput("the text holds a bare NUL, which JSON writes as \\u0000; nothing was written")


def _half_a_pair(_error: BaseException) -> CerverError:
    return InvalidInput("the text holds half of a surrogate pair, which UTF-8 cannot express; nothing was written")


def _unkeepable(error: BaseException) -> CerverError:
    if isinstance(error.__cause__, UnicodeEncodeError):
        return _half_a_pair(error)
    return InvalidInput("a value is out of the range that the database keeps; nothing was written")


def _refused(error: BaseException) -> CerverError:
    return StoreUnavailable(
        f"the database refuses this user or does not know this name ({_state(error)}); check CERVER_DATABASE_URL"
    )


def _damaged(error: BaseException) -> CerverError:
    return StoreCorrupt(f"the database reports damaged data ({_state(error)}); restore a backup")


def _is_full(error: BaseException) -> CerverError:
    return StoreUnavailable(f"the database server has no room left ({_state(error)}); give it more and try again")


def _slow(_error: BaseException) -> CerverError:
    return DeadlineExceeded(f"the database did not answer in time; {_MAY_BE_DONE}")


def _too_large(error: BaseException) -> CerverError:
    return TooLarge(f"the text is larger than Postgres holds in one row ({_state(error)}); nothing was written")


def _lost(error: BaseException) -> CerverError:
    return StoreUnavailable(f"the database cannot be reached or broke off ({_state(error)}); {_MAY_BE_DONE}")


def _state(error: BaseException) -> str:
    """Name the error by its class and SQLSTATE alone: its text may quote values."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


_JUDGED = (
    ((UnicodeEncodeError,), _half_a_pair),
    ((asyncpg.DataError,), _unkeepable),
    (_SLOW, _slow),
    (_ACCESS, _refused),
    (_DAMAGE, _damaged),
    (_FULL, _is_full),
    (_TOO_LARGE, _too_large),
    (_LOST, _lost),
)
