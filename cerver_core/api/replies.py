"""The contract of kept replies: a call that is repeated with the same idempotency key is answered, not done again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["KEPT_FOR_S", "KeptReply", "Replies"]

KEPT_FOR_S = 24 * 3600
"""How long a reply is kept. Our choice, after draft-ietf-httpapi-idempotency-key-header-07."""


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply as it was given. `body` is null for one that is not kept: a stream, a secret, or too large."""

    status: int
    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Replies(Protocol):
    """The replies of one account, by the caller's own key and the operation's name."""

    async def claim(self, operation: str, key: str, fingerprint: str) -> KeptReply | None:
        """Take on a call: null says it is the caller's to do now; a reply, that it was done.

        Raises:
            IdempotencyMismatch: the key was used with another body (another `fingerprint`).
            IdempotencyInProgress: the first call is still being done.
        """
        ...

    async def keep(self, operation: str, key: str, reply: KeptReply) -> None:
        """Keep the reply of a call that was taken on."""
        ...

    async def release(self, operation: str, key: str) -> None:
        """Forget a call that was taken on and not done: it may be tried again."""
        ...
