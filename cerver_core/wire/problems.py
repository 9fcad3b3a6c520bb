"""The closed table of problems: code ↔ HTTP status ↔ class, and the body an error takes on the wire.

Bodies are `{"error": text, "code": code, …detail}` with the detail at the top level (wire contract §1).
"""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from cerver_core import errors

__all__ = ["STATUS", "from_problem", "status_of", "to_problem"]

STATUS: Mapping[type[errors.CerverError], int] = {
    errors.CerverError: 500,
    errors.InvalidInput: 400,
    errors.IdempotencyMismatch: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.PaymentRequired: 402,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.ProviderRefused: 409,
    errors.NotSupported: 501,
    errors.ProviderFailed: 502,
    errors.Unavailable: 503,
    errors.DeadlineExceeded: 504,
    errors.StoreCorrupt: 500,
    errors.SchemaTooNew: 500,
    errors.SecretError: 400,
    errors.SecretNotFound: 404,
    errors.SecretForbidden: 403,
    errors.SecretHidden: 403,
    errors.SecretReserved: 403,
    errors.SecretBackendUnreachable: 503,
    errors.SecretBackendThrottled: 429,
    errors.SecretBackendMisconfigured: 409,
}
"""A class that is not listed takes the status of its nearest listed parent."""


def status_of(error: errors.CerverError) -> int:
    """Give the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def to_problem(error: errors.CerverError) -> dict[str, object]:
    """Write an error as the body of an HTTP answer."""
    return {**error.detail, "error": error.message, "code": error.code}


def from_problem(status: int, body: Mapping[str, JsonValue]) -> errors.CerverError:
    """Read an error back from an HTTP answer; an unknown code falls back on the status."""
    message = str(body.get("error") or f"the gateway answered with HTTP status {status}")
    detail = {key: value for key, value in body.items() if key not in {"error", "code"}}
    kind = _CLASS_OF.get(str(body.get("code"))) or _BY_STATUS.get(status, errors.CerverError)
    error = kind(message)
    error.detail.update(detail)
    return error


def _all(kind: type[errors.CerverError]) -> Iterator[type[errors.CerverError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _all(child)


_CLASS_OF: Mapping[str, type[errors.CerverError]] = {
    kind.code: kind for kind in reversed(list(_all(errors.CerverError)))
}
"""Of classes that share a code, the one that the others come from."""
_BY_STATUS: Mapping[int, type[errors.CerverError]] = {
    400: errors.InvalidInput,
    401: errors.Unauthorized,
    402: errors.PaymentRequired,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.InvalidInput,
    429: errors.RateLimited,
    501: errors.NotSupported,
    502: errors.ProviderFailed,
    503: errors.Unavailable,
    504: errors.DeadlineExceeded,
}
