"""The errors of Cerver: one tree, one stable code per class.

    CerverError
    ├── InvalidInput (ValueError)             what was asked is malformed; nothing changed
    │   ├── PathEscapesWorkspace              a file path leaves the session's workspace
    │   ├── ConfigurationError                a setting is missing, unknown or contradictory
    │   └── IdempotencyMismatch               an idempotency key that was used for another request
    ├── NotFound (LookupError)                nothing by that name
    │   ├── SessionNotFound
    │   ├── ComputeNotFound
    │   ├── FileMissing (FileNotFoundError)
    │   └── RuntimeMissing                    the machine lacks the asked runtime
    ├── Conflict                              the request is fine, the present state is not
    │   ├── AmbiguousReference                a prefix or a name that fits several sessions
    │   ├── SessionStateConflict              paused, terminated, or without a compute
    │   ├── SequenceConflict                  expected_seq is not where the transcript ends
    │   ├── EntryConflict                     an entry id that already holds another body
    │   ├── IdempotencyInProgress             the first request with this idempotency key is not done yet
    │   ├── NoComputeAvailable                no executable compute survives the requirements
    │   └── IsolationUnavailable              the asked isolation cannot be had on this machine
    ├── Unauthorized                          no credential, or one that is not accepted
    ├── Forbidden                             a good credential without the right
    │   └── ProjectKeyRequired                sessions are opened in a project here
    ├── PaymentRequired                       a spending limit or subscription stands in the way
    ├── TooLarge                              more bytes than a documented limit
    ├── RateLimited                           asked too often; `retry_after_s` when it is known
    ├── DeadlineExceeded (TimeoutError)       the answer did not come within its limit
    ├── NotSupported                          this provider or road lacks the ability
    ├── ProviderRefused                       a provider does not accept the credential that Cerver has for it
    ├── Unavailable (ConnectionError)         something that should answer does not
    │   ├── GatewayUnreachable
    │   ├── ProviderUnavailable
    │   └── StoreUnavailable                  disk full, read-only home, file in use
    ├── StoreCorrupt                          the database file is damaged
    ├── SchemaTooNew                          the database was written by a newer Cerver
    ├── ProviderFailed                        a provider broke its own contract
    └── SecretError (ValueError)              `secret_fetch` could not answer
        ├── SecretNotFound
        ├── SecretEmpty
        ├── SecretForbidden                   the backend refuses this credential this name
        ├── SecretHidden                      the backend knows the name and hides the value
        ├── SecretReserved                    one of Cerver's own credentials
        ├── SecretNameInvalid
        ├── SecretBackendUnreachable
        ├── SecretBackendThrottled
        └── SecretBackendMisconfigured

Missing, forbidden and unreachable are different errors. A message says what happened, to what, and what to do; it
never holds a secret. `cerver_core.wire.problems` gives every code its HTTP status.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

__all__ = [
    "AmbiguousReference",
    "CerverError",
    "ComputeNotFound",
    "ConfigurationError",
    "Conflict",
    "DeadlineExceeded",
    "Detail",
    "EntryConflict",
    "FileMissing",
    "Forbidden",
    "GatewayUnreachable",
    "IdempotencyInProgress",
    "IdempotencyMismatch",
    "InvalidInput",
    "IsolationUnavailable",
    "NoComputeAvailable",
    "NotFound",
    "NotSupported",
    "PathEscapesWorkspace",
    "PaymentRequired",
    "ProjectKeyRequired",
    "ProviderFailed",
    "ProviderRefused",
    "ProviderUnavailable",
    "RateLimited",
    "RuntimeMissing",
    "SchemaTooNew",
    "SecretBackendMisconfigured",
    "SecretBackendThrottled",
    "SecretBackendUnreachable",
    "SecretEmpty",
    "SecretError",
    "SecretForbidden",
    "SecretHidden",
    "SecretNameInvalid",
    "SecretNotFound",
    "SecretReserved",
    "SequenceConflict",
    "SessionNotFound",
    "SessionStateConflict",
    "StoreCorrupt",
    "StoreUnavailable",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
]

Detail: TypeAlias = "str | int | float | bool | Sequence[Detail] | Mapping[str, Detail] | None"


class CerverError(Exception):
    """The root of everything Cerver raises on purpose.

    `code` is stable and machine-readable. `detail` holds JSON facts about this occurrence, never a secret.
    """

    code: ClassVar[str] = "cerver_error"

    def __init__(self, message: str, **detail: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.detail: dict[str, Detail] = dict(detail)

    def __str__(self) -> str:
        return self.message


class InvalidInput(CerverError, ValueError):
    """What was asked is malformed or out of range; nothing changed."""

    code = "invalid_input"


class PathEscapesWorkspace(InvalidInput):
    """A file path, or a symlink on it, leaves the session's workspace."""

    code = "path_escapes_workspace"


class ConfigurationError(InvalidInput):
    """A setting is missing, unknown or contradicts another."""

    code = "configuration"


class IdempotencyMismatch(InvalidInput):
    """An idempotency key that was used before for another request."""

    code = "idempotency_mismatch"


class NotFound(CerverError, LookupError):
    """Nothing goes by that name here."""

    code = "not_found"


class SessionNotFound(NotFound):
    """No session of this account has that id, prefix or name."""

    code = "session_not_found"


class ComputeNotFound(NotFound):
    """No compute of this account has that id or provider name."""

    code = "compute_not_found"


class FileMissing(NotFound, FileNotFoundError):
    """No such file in the workspace."""

    code = "file_not_found"


class RuntimeMissing(NotFound):
    """The compute lacks the asked runtime."""

    code = "runtime_missing"


class Conflict(CerverError):
    """The request is well formed; the present state does not allow it."""

    code = "conflict"


class AmbiguousReference(Conflict):
    """A prefix or a name fits several sessions."""

    code = "ambiguous_reference"


class SessionStateConflict(Conflict):
    """The session is paused, terminated, or has no compute."""

    code = "session_state"


class SequenceConflict(Conflict):
    """`expected_seq` is not the seq at which the transcript ends."""

    code = "sequence_conflict"


class EntryConflict(Conflict):
    """An entry id that was used before with another body."""

    code = "entry_conflict"


class IdempotencyInProgress(Conflict):
    """The first request with this idempotency key is not done yet."""

    code = "idempotency_in_progress"


class NoComputeAvailable(Conflict):
    """No executable compute survives the requirements; the report is in `detail`."""

    code = "no_compute"


class IsolationUnavailable(Conflict):
    """The asked isolation cannot be had here; the reasons are in `detail`."""

    code = "isolation_unavailable"


class Unauthorized(CerverError):
    """No credential was given, or one that is not accepted."""

    code = "unauthorized"


class Forbidden(CerverError):
    """The credential is good and lacks the right."""

    code = "forbidden"


class ProjectKeyRequired(Forbidden):
    """This gateway opens sessions in a project alone, and neither the key nor the request names one."""

    code = "project_key_required"


class PaymentRequired(CerverError):
    """A spending limit or a missing subscription stands in the way."""

    code = "payment_required"


class TooLarge(CerverError):
    """More bytes than a documented limit."""

    code = "too_large"


class RateLimited(CerverError):
    """Asked too often; `detail["retry_after_s"]` says when to come back, if it is known."""

    code = "rate_limited"


class DeadlineExceeded(CerverError, TimeoutError):
    """The answer did not come within its limit."""

    code = "deadline_exceeded"


class NotSupported(CerverError):
    """This provider, platform or road lacks the ability."""

    code = "not_supported"


class ProviderRefused(CerverError):
    """A provider does not accept the credential that Cerver has for it, or forbids it what was asked.

    Never the credential of the caller: that is `Unauthorized` or `Forbidden`.
    """

    code = "provider_refused"


class Unavailable(CerverError, ConnectionError):
    """Something that should answer does not."""

    code = "unavailable"


class GatewayUnreachable(Unavailable):
    """The gateway does not answer."""

    code = "gateway_unreachable"


class ProviderUnavailable(Unavailable):
    """The provider refused or could not start a sandbox; another may."""

    code = "provider_unavailable"


class StoreUnavailable(Unavailable):
    """The database cannot be opened or written: full disk, read-only home, in use."""

    code = "store_unavailable"


class StoreCorrupt(CerverError):
    """The database file is damaged."""

    code = "store_corrupt"


class SchemaTooNew(CerverError):
    """The database was written by a newer Cerver than this one."""

    code = "schema_too_new"


class ProviderFailed(CerverError):
    """A provider broke its own contract."""

    code = "provider_failed"


class SecretError(CerverError, ValueError):
    """`secret_fetch` could not answer."""

    code = "secret_error"


class SecretNotFound(SecretError):
    """The backend has no secret by exactly that name."""

    code = "secret_not_found"


class SecretEmpty(SecretError):
    """The backend has the name with an empty value."""

    code = "secret_empty"


class SecretForbidden(SecretError):
    """The backend refuses this credential."""

    code = "secret_forbidden"


class SecretHidden(SecretError):
    """The backend knows the name and hides its value from this credential."""

    code = "secret_hidden"


class SecretReserved(SecretError):
    """The name is one of Cerver's own credentials and is never served."""

    code = "secret_reserved"


class SecretNameInvalid(SecretError):
    """The name is empty, too long or holds control characters."""

    code = "secret_name_invalid"


class SecretBackendUnreachable(SecretError):
    """The backend did not answer, or not sensibly."""

    code = "secret_backend_unreachable"


class SecretBackendThrottled(SecretError):
    """The backend asks to slow down."""

    code = "secret_backend_throttled"


class SecretBackendMisconfigured(SecretError):
    """The backend is unknown or its settings are incomplete."""

    code = "secret_backend_misconfigured"
