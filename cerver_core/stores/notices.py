"""What a store may offer beside its contract: word of what other processes appended, for those who follow."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

__all__ = ["Noticed", "Noticing"]

Noticed = Callable[[str, str], None]
"""Is told the account and the session that were appended to; it must return at once."""


@runtime_checkable
class Noticing(Protocol):
    """A store that tells what other processes append."""

    def watch(self, noticed: Noticed) -> AbstractContextManager[None]:
        """Call `noticed` on the event loop for appends of other processes, until the block is left.

        Soon after they were committed, and any number of them as one. Word may be lost when a connection breaks:
        whoever follows a transcript looks now and then all the same.
        """
        ...
