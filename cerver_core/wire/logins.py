"""Logging in on the wire: by a code that a signed-in person approves, by email for a new account (wire contract §4)."""

from typing import Annotated, Literal

from pydantic import Field

from cerver_core.wire.model import Name, Reply, Request

__all__ = ["DeviceLogin", "DeviceLoginState", "EmailLogin", "LoggedIn", "PollDeviceLogin", "StartDeviceLogin", "Trial"]


class StartDeviceLogin(Request):
    """Ask to log a machine in. `machine_name` is shown to the person who approves, and labels the key."""

    machine_name: Annotated[Name, Field(max_length=200)] = ""


class DeviceLogin(Reply):
    """A login that waits for approval: a person opens `verification_uri` and compares `user_code`.

    The machine polls with `device_code` every `interval` seconds, for at most `expires_in` seconds.
    """

    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


class PollDeviceLogin(Request):
    """The query of a poll; a code that is none is answered, as every poll is, below 400."""

    device_code: str = ""


class DeviceLoginState(Reply):
    """How a login stands; always with a status below 400, as the clients expect.

    `error` is `authorization_pending`, `expired_token`, `access_denied` or `invalid_device_code`. The key is given
    once, as `access_token`, to the first poll after the approval.
    """

    status: Literal["pending", "approved", "denied", "expired", "error"]
    error: str | None = None
    access_token: str | None = None
    account_id: str | None = None
    user_id: str | None = None


class EmailLogin(Request):
    """Make an account for an address, where sign-up is open. It never gives a key for an address that has one."""

    email: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]


class LoggedIn(Reply):
    """A new account with its first key, shown this once."""

    account_id: str
    api_key: str
    name: str
    is_new: bool = True


class Trial(Reply):
    """The key of a new account for trying things out; it ends by itself."""

    api_key: str
