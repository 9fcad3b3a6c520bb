"""Serve an application on a real socket of this machine, from a thread with a loop of its own."""

import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Literal, Self

import uvicorn
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal
from starlette.types import ASGIApp

__all__ = ["Served"]

MakeApp = Callable[[], AbstractAsyncContextManager[ASGIApp]]


class Served:
    """A server on a free port; use it as a context manager. `make` opens the application in the server's own loop."""

    def __init__(self, make: MakeApp, *, ws: Literal["none", "websockets-sansio"] = "none") -> None:
        self._make = make
        self._ws: Literal["none", "websockets-sansio"] = ws
        self._stack = ExitStack()
        self.url = ""

    def __enter__(self) -> Self:
        """Serve; `url` is the address then."""
        # Only a socket that says it is TCP gets TCP_NODELAY from asyncio; without it, small answers wait for 40 ms.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        portal = self._stack.enter_context(start_blocking_portal())
        self._future: Future[None]
        self._future, _ = portal.start_task(self._serve)
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close every connection and stop."""
        self._server.should_exit = self._server.force_exit = True
        self._future.result(30)
        self._stack.close()
        self._listener.close()

    async def _serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        async with self._make() as app:
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
                ws=self._ws,
            )
            self._server = uvicorn.Server(config)
            task_status.started()
            await self._server.serve(sockets=[self._listener])
