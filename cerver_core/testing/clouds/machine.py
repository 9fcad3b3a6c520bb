"""The machines behind a stand-in: sandboxes of the local provider, with processes that outlive their connections.

A machine does what a vendor's virtual machine does and no more: a killed process leaves its children, a pipe that an
orphan holds stays open. So an adapter that ends whole trees has to do it itself.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from cerver_core.errors import CerverError
from cerver_core.providers.base import Command, Exited, Output, SandboxRef, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.wire.computes import Requirements

__all__ = ["Job", "Machine", "Machines"]

_DAY_S = 24 * 3600.0


class Job:
    """A process on a machine, with all that it has written."""

    def __init__(self, machine: "Machine", argv: Sequence[str], cwd: str) -> None:
        self.job_id = uuid.uuid4().hex
        self.argv = tuple(argv)
        self.cwd = cwd
        self.machine = machine
        self.pid = 0
        self.exit_code: int | None = None
        self.outputs: list[Output] = []
        self.was_signalled = False
        self.is_held = False
        """Whether an orphan still holds the pipes: then a vendor's stream stays open though the process has ended."""
        self.began = anyio.Event()
        self._changed = anyio.Event()
        self._input: int | None = None

    async def more(self, given: int) -> bool:
        """Wait until it has written more pieces than were given; false when its pipes are closed instead."""
        while given >= len(self.outputs):
            if self.exit_code is not None and not self.is_held:
                return False
            await self._changed.wait()
        return True

    async def follow(self) -> AsyncGenerator[Output]:
        """Give what it wrote from its beginning, and what it writes until its pipes are closed."""
        given = 0
        while await self.more(given):
            given += 1
            yield self.outputs[given - 1]

    async def wait(self) -> int:
        """Wait for its end; gives the exit code, 128 + N after signal N."""
        while self.exit_code is None:
            await self._changed.wait()
        return self.exit_code

    async def signal(self, number: int) -> None:
        """Send a signal to this one process, as a vendor does."""
        if self.exit_code is None and self.pid:
            self.was_signalled = True
            await self.machine.sh(f"kill -{number} {self.pid}")

    async def write(self, data: bytes) -> None:
        """Write to its input, if it has one that is open."""
        while data and self._input is not None:
            try:
                data = data[os.write(self._input, data) :]
            except BlockingIOError:
                await anyio.wait_writable(self._input)

    def close_input(self) -> None:
        """Close its input."""
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def open_input(self, path: Path) -> None:
        """Make the pipe of its input; called before it starts."""
        os.mkfifo(path)
        self._input = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def note(self, event: Output | Exited) -> None:
        """Take what the provider tells of it; the first line is its process id."""
        if isinstance(event, Exited):
            self.exit_code = event.exit_code
            self.is_held = event.orphan_held_output
            self.close_input()
            self.began.set()
        elif not self.began.is_set() and event.stream == "stdout":
            line, _, rest = event.data.partition(b"\n")
            self.pid = int(line)
            self.began.set()
            if rest:
                self.outputs.append(Output("stdout", rest))
        else:
            self.outputs.append(event)
        self._ring()

    def lose(self) -> None:
        """End it with its machine."""
        if self.exit_code is None or self.is_held:
            self.exit_code = 137 if self.exit_code is None else self.exit_code
            self.is_held = False
        self.close_input()
        self.began.set()
        self._ring()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True)
class Machine:
    """One sandbox. Paths inside lie in the box of a local sandbox; its home is an empty folder."""

    machine_id: str
    ref: SandboxRef
    home: str
    provider: LocalProvider
    tasks: TaskGroup
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])

    async def start(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None, stdin: bool = False
    ) -> Job:
        """Start a process; `cwd` is absolute, null for the home. It goes on until it ends or is ended.

        Raises:
            FileNotFoundError: `cwd` does not exist.
        """
        folder = cwd or self.home
        if not self.outside(folder).is_dir():
            raise FileNotFoundError(folder)
        job = Job(self, argv, folder)
        given = ""
        if stdin:
            job.open_input(self.outside(f"{self.home}/../tmp/in-{job.job_id}"))
            # Open before its number is told: what is sent and closed at once would be lost in a pipe without a reader.
            given = f"exec <{self.home}/../tmp/in-{job.job_id}; "
        code = f"{given}echo $$; cd -- {shlex.quote(folder)} && exec {shlex.join(argv)}"
        self.jobs[job.job_id] = job
        self.tasks.start_soon(self._run, job, Command(code, "shell", _DAY_S, env or {}, "."))
        await job.began.wait()
        return job

    async def sh(self, code: str) -> bytes:
        """Run a little shell code to its end; gives what it wrote."""
        written = bytearray()
        async with self.provider.exec(self.ref, Command(code, "shell", 60, cwd=".")) as events:
            async for event in events:
                written += event.data if isinstance(event, Output) else b""
        return bytes(written)

    def outside(self, path: str) -> Path:
        """Where a path of the box lies on this machine; relative ones count from the home.

        Raises:
            FileNotFoundError: it is not in the box.
        """
        box = Path(str(self.ref.data["path"])).parent
        inside = Path(self.home).parent
        whole = Path(os.path.normpath(Path(self.home, path)))
        if not whole.is_relative_to(inside):
            raise FileNotFoundError(path)
        return box / whole.relative_to(inside)

    async def halt(self) -> None:
        """End every process, as switching off does; the files stay."""
        await self.provider.pause(self.ref)
        for job in self.jobs.values():
            job.lose()
        self.jobs.clear()

    async def remove(self) -> None:
        """End every process and remove the files."""
        await self.halt()
        await self.provider.destroy(self.ref)

    async def copy_to(self, folder: Path) -> None:
        """Copy its files as they are to a folder of this machine, which is replaced."""
        await anyio.to_thread.run_sync(_copy, Path(str(self.ref.data["path"])).parent, folder)

    async def copy_from(self, folder: Path) -> None:
        """Replace its files by those of a folder that `copy_to` made; ends its processes."""
        await self.halt()
        await anyio.to_thread.run_sync(_copy, folder, Path(str(self.ref.data["path"])).parent)

    async def _run(self, job: Job, command: Command) -> None:
        with contextlib.suppress(CerverError):
            async with self.provider.exec(self.ref, command) as events:
                async for event in events:
                    job.note(event)
        # A pause ends a command without a word of its own.
        if job.exit_code is None:
            job.lose()


class Machines:
    """Makes machines. An async context manager: leaving it removes them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made: list[Machine] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._provider = await self._stack.enter_async_context(LocalProvider(self._home))
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for machine in self._made:
                await machine.remove()
        await self._stack.aclose()

    async def make(self) -> Machine:
        """Make a machine with an empty home."""
        name = uuid.uuid4().hex[:20]
        ref = await self._provider.create(SandboxRequest(name, Requirements()))
        machine = Machine(name, ref, "", self._provider, self._tasks)
        machine.home = (await machine.sh('printf %s "$HOME"')).decode()
        self._made.append(machine)
        return machine

    async def remove(self, machine: Machine) -> None:
        """Remove a machine."""
        self._made.remove(machine)
        await machine.remove()

    def place(self) -> Path:
        """Give a new place for the files of a snapshot."""
        return self._home / "snapshots" / uuid.uuid4().hex


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--", str(source), str(target)], check=True)
