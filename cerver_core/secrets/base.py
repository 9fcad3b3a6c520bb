"""The contract of secret backends: one exact name in, one value out, nothing kept."""

from dataclasses import dataclass, field
from typing import Protocol, Self

__all__ = ["Secret", "SecretBackend"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was fetched. Its value shows in no repr, log or traceback; it lives for one call."""

    name: str
    value: str = field(repr=False)
    source: str


class SecretBackend(Protocol):
    """One place that holds secrets. An async context manager, for what it must close."""

    @property
    def name(self) -> str:
        """The backend's name, which is also the `source` of its secrets, such as `env`."""
        ...

    async def __aenter__(self) -> Self:
        """Get ready; makes no call."""
        ...

    async def __aexit__(self, *exc_info: object) -> None:
        """Close connections."""
        ...

    async def fetch(self, name: str) -> Secret:
        """Fetch one secret by its exact name. Nothing is cached.

        Raises:
            SecretNotFound, SecretEmpty, SecretForbidden, SecretHidden, SecretReserved, SecretNameInvalid: about the
                name and this credential.
            SecretBackendUnreachable, SecretBackendThrottled, SecretBackendMisconfigured: about the backend.
        """
        ...

    async def check(self) -> str:
        """Say in one line that the backend answers and accepts the credential; raises like `fetch` when not."""
        ...
