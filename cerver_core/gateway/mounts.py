"""Applications of other packages beside the operations, found by an entry point: MCP over HTTP is one.

A package offers one in the group `cerver.mounts`: the name is the path it is served at, the value makes it.
"""

from collections.abc import Callable, Mapping, Sequence
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

    `url` is where the gateway is reached, `origins` are further ones whose pages may call it. `is_alone` tells that
    one process answers all requests. `admit` counts a request, and raises `RateLimited` for one too many.
    """

    host: Host
    url: str
    origins: Sequence[str]
    is_alone: bool
    admit: Callable[[Caller], None]


Mounting = Callable[[Surroundings], Mounted]


def installed() -> Mapping[str, Mounting]:
    """Load what the installed packages offer, by path."""
    return {f"/{found.name}": found.load() for found in entry_points(group=GROUP)}
