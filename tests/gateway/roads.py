"""Opens a gateway on a real socket, in a thread and event loop of its own, over any host."""

import socket
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.to_thread

from cerver_core.api import Host
from cerver_core.config import Settings
from cerver_core.gateway import create_app
from cerver_core.gateway.limits import Limits
from cerver_core.gateway.server import Server, bind
from cerver_core.hosting import open_host
from tests.engine.roads import settings_for

__all__ = [
    "Hosts",
    "Opened",
    "Running",
    "connection_to",
    "gateway",
    "guarded_host",
    "opened_host",
    "postgres_host",
    "sqlite_host",
]

_LIMIT_S = 30


@dataclass(frozen=True)
class Opened:
    """A host and the key of an admin of it."""

    host: Host
    token: str


@dataclass
class Running:
    """A gateway that serves."""

    url: str = ""
    token: str = field(default="", repr=False)
    port: int = 0
    server: Server | None = None
    failure: BaseException | None = None
    started: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask it to end in order."""
        if self.server is not None:
            self.server.should_exit = True


Hosts = Callable[[], AbstractAsyncContextManager[Opened]]


@asynccontextmanager
async def opened_host(settings: Settings, *, is_local_compute: bool = True) -> AsyncGenerator[Opened]:
    """Open a host on a fresh store as the settings say, by default with this machine as its compute; make its key."""
    async with open_host(settings, is_local_compute=is_local_compute) as host:
        key = await host.first_key()
        assert key is not None
        yield Opened(host, key)


def sqlite_host(home: Path) -> AbstractAsyncContextManager[Opened]:
    """Open a host on a SQLite file."""
    return opened_host(settings_for(home))


def postgres_host(home: Path, url: str) -> AbstractAsyncContextManager[Opened]:
    """Open a host on a Postgres that is empty."""
    return opened_host(replace(settings_for(home), database_url=url))


def guarded_host(home: Path) -> AbstractAsyncContextManager[Opened]:
    """Open a host on a SQLite file that runs no code here."""
    return opened_host(settings_for(home), is_local_compute=False)


async def served(hosts: Hosts, running: Running, limits: Limits | None = None) -> None:
    """Serve until told to stop, in this thread's event loop."""
    async with hosts() as opened:
        listener = bind("127.0.0.1", 0)
        running.port = listener.getsockname()[1]
        running.url = f"http://127.0.0.1:{running.port}"
        running.token = opened.token
        running.server = Server(create_app(opened.host, limits=limits), on_started=running.started.set)
        await running.server.serve(sockets=[listener])


@asynccontextmanager
async def gateway(hosts: Hosts, *, limits: Limits | None = None) -> AsyncGenerator[Running]:
    """Run a gateway for as long as the block lasts, in a thread of its own."""
    running = Running()

    def run() -> None:
        try:
            anyio.run(served, hosts, running, limits, backend_options={"use_uvloop": True})
        except BaseException as error:  # noqa: BLE001 - told to the test
            running.failure = error
        finally:
            running.started.set()

    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    try:
        assert await anyio.to_thread.run_sync(running.started.wait, _LIMIT_S)
        if running.failure is not None:
            raise running.failure
        yield running
    finally:
        running.stop()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(thread.join, _LIMIT_S)
    if running.failure is not None:
        raise running.failure


def connection_to(running: Running) -> socket.socket:
    """Open a bare connection."""
    return socket.create_connection(("127.0.0.1", running.port), timeout=_LIMIT_S)
