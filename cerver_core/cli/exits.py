"""Exit codes: the closed table of what the `cerver` command can end with."""

from collections.abc import Mapping

from cerver_core import errors

__all__ = [
    "BROKEN_PIPE",
    "CONFLICT",
    "FAILED",
    "INTERRUPTED",
    "NOT_FOUND",
    "OK",
    "TIMED_OUT",
    "UNREACHABLE",
    "USAGE",
    "exit_code_of",
]

OK = 0
FAILED = 1
"""It did not work, or `cerver doctor` found that something asked for cannot work."""
USAGE = 2
"""The command line or a setting is malformed; nothing was done."""
NOT_FOUND = 3
CONFLICT = 4
"""The request is fine and the present state is not: paused, ended, ambiguous, a file that would be replaced."""
UNREACHABLE = 5
TIMED_OUT = 124
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Who read our output went away, as `head` does."""

_CODES: Mapping[type[errors.CerverError], int] = {
    errors.CerverError: FAILED,
    errors.InvalidInput: USAGE,
    errors.SecretNameInvalid: USAGE,
    errors.SecretBackendMisconfigured: USAGE,
    errors.NotFound: NOT_FOUND,
    errors.SecretNotFound: NOT_FOUND,
    errors.Conflict: CONFLICT,
    errors.PaymentRequired: CONFLICT,
    errors.ProjectKeyRequired: CONFLICT,
    errors.Unavailable: UNREACHABLE,
    errors.SecretBackendUnreachable: UNREACHABLE,
    errors.SecretBackendThrottled: UNREACHABLE,
    errors.RateLimited: UNREACHABLE,
    errors.DeadlineExceeded: TIMED_OUT,
}


def exit_code_of(error: errors.CerverError) -> int:
    """Give the exit code of an error: that of its class, or of the nearest parent in the table."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
