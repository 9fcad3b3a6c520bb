"""Logging a machine in at a gateway: asks for a code, waits until a person approved it. No key is needed for it."""

from collections.abc import Awaitable, Callable

import anyio

from cerver_core.errors import DeadlineExceeded, Forbidden, Unavailable
from cerver_core.wire.logins import DeviceLogin, DeviceLoginState, PollDeviceLogin, StartDeviceLogin

__all__ = ["log_in"]

_LEAST_INTERVAL_S = 1.0
_MOST_INTERVAL_S = 30.0
_PENDING = DeviceLoginState(status="pending", error="authorization_pending")


async def log_in(
    base_url: str,
    machine_name: str,
    show: Callable[[DeviceLogin], None],
    *,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> str:
    """Give a new key of whoever approves; `show` tells the person where to.

    Raises:
        Forbidden: the person turned the machine away.
        DeadlineExceeded: nobody answered in time.
        Unavailable: the gateway does not answer, or did not to the end.
    """
    from cerver_core.client.transport import Transport  # noqa: PLC0415 - the HTTP library loads when it is needed

    async with Transport(base_url.rstrip("/"), "", timeout_s=30, connect_timeout_s=10, sleep=sleep) as transport:
        asked = StartDeviceLogin(machine_name=machine_name)
        login = await transport.call("logins.start", DeviceLogin, body=asked)
        show(login)
        interval_s = min(max(login.interval, _LEAST_INTERVAL_S), _MOST_INTERVAL_S)
        poll = PollDeviceLogin(device_code=login.device_code)
        failed: Unavailable | None = None
        with anyio.move_on_after(login.expires_in):
            for _ in range(int(login.expires_in / interval_s) + 1):
                try:
                    told, failed = await transport.call("logins.poll", DeviceLoginState, query=poll), None
                except Unavailable as error:  # it may be restarting, and it knows the login still
                    told, failed = _PENDING, error
                if told.access_token is not None:
                    return told.access_token
                if told.error == "access_denied":
                    raise Forbidden("the login was turned away on the approval page")
                if told.error != _PENDING.error:
                    break
                await sleep(interval_s)
    if failed is not None:
        raise failed
    raise DeadlineExceeded("nobody approved the login in time: begin it again with `cerver login`")
