"""Keeps several processes at work on one listening socket: starts them, replaces those that die, ends them in order."""

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL

import anyio
from anyio.abc import Process

from cerver_core.cli.exits import FAILED, OK

__all__ = ["supervise"]

_log = logging.getLogger(__name__)

_TOO_SOON_S = 3.0
"""A process that ends sooner than this could not begin: then all end, instead of trying for ever."""

_PAUSE_S = 1.0


async def supervise(arguments: Sequence[str], count: int, descriptor: int, environ: Mapping[str, str]) -> int:
    """Run `cerver` with the arguments in so many processes until a signal; give the exit code.

    Each inherits the listening socket and this environment, with `environ` added. One that dies is replaced.
    """
    workers = _Workers([sys.executable, "-m", "cerver_core.cli", *arguments], descriptor, {**os.environ, **environ})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(workers.pass_signals_on)
        async with anyio.create_task_group() as running:
            for number in range(1, count + 1):
                running.start_soon(workers.keep, number)
        tasks.cancel_scope.cancel()
    return workers.code


class _Workers:
    def __init__(self, command: Sequence[str], descriptor: int, environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._descriptor = descriptor
        self._running: set[Process] = set()
        self._stopping = anyio.Event()
        self.code = OK

    async def keep(self, number: int) -> None:
        """Keep one process running until all are to stop."""
        while not self._stopping.is_set():
            began = anyio.current_time()
            code = await self._once()
            if self._stopping.is_set():
                return
            lived_s = anyio.current_time() - began
            _log.error("a worker ended", extra={"worker": number, "exit_code": code, "lived_s": round(lived_s, 1)})
            if lived_s < _TOO_SOON_S:
                self.code = code or FAILED
                self._stop(signal.SIGTERM)
                return
            await anyio.sleep(_PAUSE_S)

    async def _once(self) -> int:
        process = await anyio.open_process(
            self._command,
            stdin=DEVNULL,
            stdout=None,
            stderr=None,
            env=self._environ,
            pass_fds=(self._descriptor,),
            start_new_session=True,
        )
        self._running.add(process)
        try:
            return await process.wait()
        finally:
            self._running.discard(process)

    async def pass_signals_on(self) -> None:
        """Hand every SIGINT and SIGTERM to all processes."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                self._stop(number)

    def _stop(self, number: signal.Signals) -> None:
        self._stopping.set()
        for process in self._running:
            if process.returncode is None:
                process.send_signal(number)
