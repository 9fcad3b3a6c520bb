"""The contract of logging in: what is asked without a key, and what the approval page does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.api.caller import Caller
    from cerver_core.wire.logins import (
        DeviceLogin,
        DeviceLoginState,
        EmailLogin,
        LoggedIn,
        PollDeviceLogin,
        StartDeviceLogin,
        Trial,
    )

__all__ = ["Logins", "WaitingLogin"]


@dataclass(frozen=True, slots=True)
class WaitingLogin:
    """A login that a person is asked to approve: what the page shows."""

    user_code: str
    machine_name: str
    minutes_left: int


class Logins(Protocol):
    """Ways to a key. Nothing here gives a key of an account without proof that it is the asker's."""

    async def start(self, request: StartDeviceLogin) -> DeviceLogin:
        """Begin a login of a machine; it waits 15 minutes for approval."""
        ...

    async def poll(self, request: PollDeviceLogin) -> DeviceLoginState:
        """Tell how it stands. The first poll after the approval gets a new key; later ones get nothing."""
        ...

    async def email(self, request: EmailLogin) -> LoggedIn:
        """Make an account for a new address where sign-up is open.

        Raises:
            Forbidden: sign-up is not open, or the address has an account; one message for both.
        """
        ...

    async def trial(self) -> Trial:
        """Make an account for trying things out.

        Raises:
            Forbidden: the operator does not allow it.
        """
        ...

    async def waiting(self, user_code: str) -> WaitingLogin | None:
        """Find a login that waits, by the code that the person was shown; null when there is none (any more)."""
        ...

    async def approve(self, user_code: str, caller: Caller) -> bool:
        """Let the machine in, to the account of the caller; false when the login waits no more.

        Raises:
            Forbidden: the caller's key cannot make keys.
        """
        ...

    async def deny(self, user_code: str) -> bool:
        """Turn the machine away; false when the login waits no more."""
        ...

    async def invitation(self, token: str) -> str | None:
        """Tell whom an invitation is for (an address, or the account's name); null when it is not valid any more."""
        ...

    async def accept(self, token: str, *, email: str | None = None) -> LoggedIn:
        """Use an invitation up: gives a new account, or the one it was made for, with a new key.

        Raises:
            Forbidden: it is unknown, used or too old; or the address has an account already.
        """
        ...
