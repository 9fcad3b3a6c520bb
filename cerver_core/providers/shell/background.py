"""Processes that stay in a remote sandbox after the call that started them, and what they write and read."""

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

from cerver_core.errors import Conflict, NotFound
from cerver_core.providers.abilities import Process
from cerver_core.providers.base import Command, CommandStream, Exited, Output, SandboxRef
from cerver_core.providers.shell import scripts
from cerver_core.providers.shell.files import Ask
from cerver_core.providers.shell.marks import Marks

__all__ = ["Background"]

_INPUT_BYTES = 32 * 1024
"""How much is sent to a process's input in one call: less than a pipe holds."""

_FOLLOW_LIMIT_S = 24 * 3600.0
_NO_SUCH = 3


class RunArgv(Protocol):
    """Runs a command line as an execution."""

    def __call__(self, ref: SandboxRef, command: Command, argv: tuple[str, ...]) -> CommandStream:
        """Give its stream."""
        ...


class Background:
    """The background methods of a provider."""

    def __init__(
        self,
        ask: Ask,
        root_of: Callable[[SandboxRef], str],
        run_argv: RunArgv,
        end: Callable[[SandboxRef, str], Awaitable[None]],
    ) -> None:
        self._ask = ask
        self._root_of = root_of
        self._run_argv = run_argv
        self._end = end

    async def processes(self, ref: SandboxRef) -> Sequence[Process]:
        """List those that run."""
        answer = await self._ask(ref, scripts.PROCESSES, self._root_of(ref))
        return [Process(line) for line in answer.decode().split()]

    async def output(self, ref: SandboxRef, process: Process) -> AsyncGenerator[Output]:
        """Give what it wrote from its start on, and follow it until it ends."""
        folder = f"{self._root_of(ref)}/run/bg-{_checked(process)}"
        command = Command("", "shell", _FOLLOW_LIMIT_S, cwd=".")
        marks = Marks(process.process_id)
        argv = ("/bin/sh", "-c", scripts.FOLLOW, "follow", folder)
        async with self._run_argv(ref, command, argv) as events:
            async for event in events:
                if isinstance(event, Exited):
                    if event.exit_code == _NO_SUCH:
                        raise NotFound(f"there is no background process {process.process_id} in this sandbox")
                    return
                data = marks.take(event.stream, event.data)
                if data:
                    yield Output(event.stream, data)
                if marks.is_over:
                    return

    async def kill(self, ref: SandboxRef, process: Process) -> None:
        """End it and all it started."""
        await self._end(ref, _checked(process))

    async def write_stdin(self, ref: SandboxRef, process: Process, data: bytes, *, close: bool = False) -> None:
        """Send bytes to its input; waits while the process does not read."""
        root, pieces = self._root_of(ref), range(0, len(data), _INPUT_BYTES)
        for begin in pieces or range(1):
            piece = base64.b64encode(data[begin : begin + _INPUT_BYTES]).decode()
            is_last = begin + _INPUT_BYTES >= len(data)
            last = "close" if close and is_last else ""
            said = await self._ask(ref, scripts.FEED, root, _checked(process), piece, last)
            if said.strip() == b"ended":
                raise Conflict(f"the process {process.process_id} has ended, or its input is closed; it reads nothing")


def _checked(process: Process) -> str:
    if not (process.process_id.isalnum() and process.process_id.isascii()):
        raise NotFound(f"there is no background process {process.process_id!r} in this sandbox")
    return process.process_id
