"""Opens Cerver behind the first call that needs it, once, and keeps it until the server ends."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from cerver_core.api import Cerver

__all__ = ["Connect", "Opener", "open_later"]

Connect = Callable[[], AbstractAsyncContextManager[Cerver]]
"""Opens a caller's Cerver; it is closed on leaving."""


class Opener(Protocol):
    """Gives the Cerver of whoever makes the present call."""

    async def cerver(self) -> Cerver:
        """Give Cerver, opening it if need be.

        Raises:
            CerverError: it cannot be opened; nothing is left half open.
        """
        ...


class _Later:
    """An opener for one caller. An opening that failed is tried again by the next call."""

    def __init__(self, connect: Connect, tasks: TaskGroup) -> None:
        self._connect = connect
        self._tasks = tasks
        self._lock = anyio.Lock()
        self._cerver: Cerver | None = None

    async def cerver(self) -> Cerver:
        """Give Cerver, opening it if this is the first call."""
        async with self._lock:
            cerver = self._cerver or await self._tasks.start(self._hold)
            self._cerver = cerver
        return cerver

    async def _hold(self, *, task_status: TaskStatus[Cerver]) -> None:
        # One task opens and closes: the engine's task groups may not be left from another task than entered them.
        async with self._connect() as cerver:
            task_status.started(cerver)
            await anyio.sleep_forever()


@asynccontextmanager
async def open_later(connect: Connect) -> AsyncGenerator[Opener]:
    """Give an opener, and close afterwards what it opened."""
    async with anyio.create_task_group() as tasks:
        yield _Later(connect, tasks)
        tasks.cancel_scope.cancel()
