"""Applications of other packages beside the operations, found by an entry point: MCP over HTTP is one.

A package offers one in the group `cerver.mounts`: the name is the path it is served at, the value makes it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

from starlette.types import Receive, Scope, Send

from cerver_core.api import Caller, Host

__all__ = ["GROUP", "Mounted", "Mounting", "Surroundings", "installed"]

GROUP = "cerver.mounts"


class Mounted(Protocol):
    """An ASGI application with a life of its own; it checks the keys of its callers by itself."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Serve while the block lasts."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an application is told of the gateway it stands in.

    `url` is where the gateway is reached. `is_alone` tells that one process answers all requests. `identify` finds
    out who asks by the key of a request (null: none was sent) and counts it; it raises `Unauthorized` for a key that
    is not accepted and `RateLimited` for one request too many.
    """

    host: Host
    url: str
    is_alone: bool
    identify: Callable[[Scope, str | None], Awaitable[Caller]]


Mounting = Callable[[Surroundings], Mounted]


def installed() -> Mapping[str, Mounting]:
    """Load what the installed packages offer, by path."""
    return {f"/{found.name}": found.load() for found in entry_points(group=GROUP)}
