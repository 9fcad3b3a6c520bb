"""The contract suite on the shell alone: its scripts, on machines without any vendor's wire between."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import anyio
import pytest

from cerver_core import ids
from cerver_core.errors import FileMissing, NotFound
from cerver_core.providers.base import Command, Output, Provider, SandboxRef, SandboxRequest
from cerver_core.providers.shell import Ended, Program, ShellProvider
from cerver_core.testing.clouds import Machine, Machines
from cerver_core.testing.providers import (
    BackgroundContract,
    InteractiveContract,
    ProviderContract,
    Providers,
    StatefulContract,
    run,
)
from cerver_core.wire.computes import Compute, RuntimeFound


class MachineProvider(ShellProvider):
    """A cloud without a wire."""

    def __init__(self, machines: Machines, made: dict[str, Machine]) -> None:
        super().__init__()
        self._machines = machines
        self._made = made

    @property
    def name(self) -> str:
        return "machines"

    @property
    def most_bytes_at_once(self) -> int | None:
        return 100_000

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return

    async def describe(self) -> Compute:
        return Compute(
            compute_id=ids.compute_id(self.name, "x"),
            label="machines",
            provider=self.name,
            kind="cloud",
            runtimes=(RuntimeFound(name="shell", path="/bin/sh"),),
        )

    async def create(self, request: SandboxRequest) -> SandboxRef:
        machine = await self._machines.make()
        self._made[machine.machine_id] = machine
        return await self.set_up(SandboxRef(self.name, machine.machine_id, ids.compute_id(self.name, "x")))

    async def pause(self, ref: SandboxRef) -> None:
        await self._machine(ref).halt()

    async def resume(self, ref: SandboxRef) -> None:
        self._machine(ref)

    async def destroy(self, ref: SandboxRef) -> None:
        machine = self._made.pop(ref.sandbox_id, None)
        if machine is not None:
            await self._machines.remove(machine)

    @asynccontextmanager
    async def run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        job = await self._machine(ref).start(program.argv, env=program.env)

        async def events() -> AsyncGenerator[Output | Ended]:
            async for output in job.follow():
                yield output
            yield Ended(await job.wait())

        yield events()

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        data = content if isinstance(content, bytes) else await anyio.Path(content).read_bytes()
        assert len(data) <= 100_000
        self._machine(ref).outside(path).write_bytes(data)

    @asynccontextmanager
    async def get(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        try:
            content = self._machine(ref).outside(path).read_bytes()
        except FileNotFoundError as error:
            raise FileMissing(path) from error

        async def pieces() -> AsyncGenerator[bytes]:
            for begin in range(0, len(content), 65536):
                yield content[begin : begin + 65536]

        yield pieces()

    def _machine(self, ref: SandboxRef) -> Machine:
        if ref.sandbox_id not in self._made:
            raise NotFound("gone")
        return self._made[ref.sandbox_id]


_SLEEPERS = """
n=0
until [ "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'sleep [4]321' | wc -l)" = EXPECTED ]; do
  n=$((n+1)); [ $n -lt 400 ] || exit 1; sleep 0.02
done
echo so
"""
"""Waits until as many watchdogs sleep as are expected."""


class TestShell(ProviderContract, BackgroundContract, InteractiveContract, StatefulContract):
    @pytest.fixture
    async def providers(self, home: Path) -> AsyncIterator[Providers]:
        made: dict[str, Machine] = {}
        async with Machines(home) as machines:

            @asynccontextmanager
            async def opened() -> AsyncGenerator[Provider]:
                async with MachineProvider(machines, made) as provider:
                    yield provider

            yield opened

    async def test_nothing_of_the_watchdog_is_left_after_a_command(self, provider: Provider, ref: SandboxRef) -> None:
        async with provider.exec(ref, Command(_SLEEPERS.replace("EXPECTED", "1"), "shell", 4321)) as events:
            assert (await anext(aiter(events))) == Output("stdout", b"so\n")
        for code in ("true", "kill -9 $$", "kill -9 0", "kill 0", "sleep 300 > /dev/null 2>&1 &"):
            await run(provider, ref, code, timeout_s=4321)
        assert (await run(provider, ref, _SLEEPERS.replace("EXPECTED", "0"))).text == "so"
