"""The nine methods by which someone else's provider joins (wire contract §3.5), and what makes a `Provider` of them.

Everything else, such as files, folders, deadlines, the end of whole trees and background processes, is done through the
sandbox's shell.
"""

import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.errors import IsolationUnavailable, NotSupported, ProviderFailed, RuntimeMissing
from cerver_core.providers.base import CommandStream, Exited, Output, Provider, SandboxRef, SandboxRequest
from cerver_core.providers.checks import check_names
from cerver_core.providers.encoded import Text, decoded, encoded_argv
from cerver_core.providers.shell import ShellProvider
from cerver_core.providers.shell.link import Ended, Program, ProgramStream
from cerver_core.wire.computes import (
    Compute,
    InstallRequest,
    Isolation,
    IsolationLevel,
    Requirements,
    Runtime,
    RuntimeFound,
)

__all__ = ["NineMethods", "NineProvider", "RunResult", "as_provider"]

_LEVELS: tuple[IsolationLevel, ...] = ("process", "confined", "sandbox")
"""Weakest first."""

_PROGRAMS: Mapping[Runtime, str] = {"shell": "/bin/sh", "python": "python3", "node": "node"}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a command came to: all that it wrote, and its exit code (124 after a timeout)."""

    stdout: bytes
    stderr: bytes
    exit_code: int


@runtime_checkable
class NineMethods(Protocol):
    """What a sandbox vendor must be able to do. Every method may be called from several tasks at once.

    Raise the errors of `cerver_core.errors`: `NotFound` for a sandbox that is gone, `ProviderUnavailable` when none can
    be had or the vendor does not answer, `ProviderRefused` for a bad credential, `RateLimited`, `NotSupported`.

    Three more attributes may be there. `runtimes` names those of every sandbox (unless declared, `shell` and `python`);
    a sandbox that lacks the one its session asks for is removed again, and the session is refused.
    `cuts_network = True` declares that `network=False` is honoured, and `isolation_level` says how each sandbox is
    isolated: `process`, `confined` or `sandbox`. Who does not declare these two is never asked to make a sandbox for
    which they matter: the session is refused.
    """

    @property
    def provider_name(self) -> str:
        """The provider's name on the wire: lower case letters, digits and hyphens."""
        ...

    @property
    def carries_text(self) -> bool:
        """Tell whether output comes as text, so that bytes would be lost; then it is sent encoded."""
        ...

    async def create_sandbox(self, session_id: str, *, network: bool, timeout_s: float) -> str:
        """Make a sandbox with a POSIX shell, GNU coreutils, findutils, grep and tar; give its id.

        `timeout_s` is how long its longest command may take. Keep `session_id` as a label, if there are labels.
        `network` is false only where `cuts_network` is declared.
        """
        ...

    async def run_sandbox(self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float) -> RunResult:
        """Run a line of shell with its input closed, and wait for its end; `env` is added to the sandbox's own."""
        ...

    def run_sandbox_stream(
        self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[Output | Ended]]:
        """Run a line of shell and give what it writes as it comes, then one `Ended`.

        Leaving the block lets go of the stream. Without streams, let entering raise `NotSupported`: then `run_sandbox`
        is called instead. A command is never started twice.
        """
        ...

    async def install_package(self, sandbox_id: str, package: str) -> RunResult | None:
        """Install one package for later commands; null leaves it to the sandbox's own pip or npm."""
        ...

    async def write_file(self, sandbox_id: str, path: str, content: bytes) -> None:
        """Write one file at an absolute path, whose folder is there."""
        ...

    async def read_file(self, sandbox_id: str, path: str) -> bytes:
        """Read one file at an absolute path; `FileMissing` when it is not there."""
        ...

    async def get_state(self, sandbox_id: str) -> Mapping[str, JsonValue]:
        """Read the small JSON object kept with a sandbox; empty when none was set."""
        ...

    async def set_state(self, sandbox_id: str, state: Mapping[str, JsonValue]) -> None:
        """Replace it."""
        ...

    async def delete_sandbox(self, sandbox_id: str) -> None:
        """Remove a sandbox with all that runs in it. Nothing happens when it is gone."""
        ...


def as_provider(made: object, *, isolation: IsolationLevel | None = None) -> Provider:
    """Give what an entry point made as a provider: it is one, or it has the nine methods.

    `isolation` is the level asked for every sandbox whose session asks for none.

    Raises:
        ProviderFailed: it is neither.
    """
    if isinstance(made, NineMethods):
        return NineProvider(made, isolation=isolation)
    if isinstance(made, _ProviderLike):
        return made
    raise ProviderFailed(
        f"the entry point gave a {type(made).__name__}, which has neither the nine methods nor those of a provider"
    )


@runtime_checkable
class _ProviderLike(Provider, Protocol):
    """`Provider`, to be told at run time."""


class NineProvider(ShellProvider):
    """A provider over nine methods. If they are an async context manager too, it is entered and left."""

    def __init__(self, nine: NineMethods, *, isolation: IsolationLevel | None = None) -> None:
        super().__init__()
        self._nine = nine
        self._asked = isolation
        self._level: IsolationLevel | None = _declared_level(nine)
        self._runtimes = _declared_runtimes(nine)
        self._stack = AsyncExitStack()
        self._compute_id = ids.compute_id(nine.provider_name, "")

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return self._nine.provider_name

    async def __aenter__(self) -> Self:
        if isinstance(self._nine, AbstractAsyncContextManager):
            await self._stack.enter_async_context(self._nine)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def describe(self) -> Compute:
        """Say what every provider of this kind can do."""
        abilities = {"streaming": True, "persistence": True, "package_install": True, "public_preview": False}
        return Compute(
            compute_id=self._compute_id,
            label=self.name,
            provider=self.name,
            kind="cloud",
            capabilities=abilities,
            runtimes=tuple(RuntimeFound(name=name, path=_PROGRAMS[name]) for name in self._runtimes),
            isolation=None if self._level is None else Isolation(level=self._level),
        )

    async def isolation(self, ref: SandboxRef) -> Isolation | None:
        """Say what the provider declares; null when it declares nothing and nothing was asked."""
        is_weaker = ref.data.get("is_weaker") is True
        if self._level is None and not is_weaker:
            return None
        return Isolation(level=self._level or "process", weaker_than_asked=is_weaker)

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox and our folders in it; one that does not answer is removed.

        Raises:
            IsolationUnavailable: a level or no network is asked for, and the provider does not declare that it can.
            RuntimeMissing: the sandbox has not the runtime that is asked for.
        """
        needs = request.requirements
        is_weaker = self._is_weaker(needs)
        timeout_s = needs.timeout_minutes * 60.0
        made = await self._nine.create_sandbox(request.session_id, network=needs.network, timeout_s=timeout_s)
        ref = SandboxRef(self.name, made, self._compute_id, {"is_weaker": True} if is_weaker else {})
        try:
            return self._checked(await self.set_up(ref), needs.runtime)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(15):
                await self.destroy(ref)
            raise

    def _checked(self, ref: SandboxRef, runtime: Runtime) -> SandboxRef:
        programs = ref.data.get("programs")
        if runtime != "shell" and not (isinstance(programs, list) and _PROGRAMS[runtime] in programs):
            raise RuntimeMissing(f"a sandbox of {self.name} has no {_PROGRAMS[runtime]}: its image lacks it")
        return ref

    def _is_weaker(self, needs: Requirements) -> bool:
        """Tell whether a sandbox would be isolated less than asked; refuse it where that is not allowed."""
        if not needs.network and getattr(self._nine, "cuts_network", False) is not True:
            raise IsolationUnavailable(
                f"{self.name} does not declare that it can cut a sandbox off from the network: choose another provider",
                provider=self.name,
            )
        asked = needs.isolation or self._asked
        if asked is None or (self._level is not None and _LEVELS.index(self._level) >= _LEVELS.index(asked)):
            return False
        if needs.allow_weaker:
            return True
        said = "does not say how it isolates" if self._level is None else f"isolates at the level {self._level}"
        raise IsolationUnavailable(
            f"{self.name} {said}, and {asked} is asked for: choose another provider, or allow less with allow_weaker",
            provider=self.name,
            asked=asked,
        )

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox."""
        await self._nine.delete_sandbox(ref.sandbox_id)

    def install(self, ref: SandboxRef, request: InstallRequest, *, timeout_s: float) -> CommandStream:
        """Install as the vendor does, else with the sandbox's own pip or npm."""
        return self._installed(ref, request, timeout_s)

    async def get_state(self, ref: SandboxRef) -> Mapping[str, JsonValue]:
        """Read the state."""
        return await self._nine.get_state(ref.sandbox_id)

    async def set_state(self, ref: SandboxRef, state: Mapping[str, JsonValue]) -> None:
        """Replace the state."""
        await self._nine.set_state(ref.sandbox_id, state)

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program, encoded where only text is carried."""
        return self._run(ref, program)

    @asynccontextmanager
    async def _run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        code = shlex.join(encoded_argv(program.argv) if self._nine.carries_text else program.argv)
        opened = self._nine.run_sandbox_stream(ref.sandbox_id, code, env=program.env, timeout_s=program.timeout_s)
        # Left without the error that leaves this block: the vendor's stream may hold a task group, which would wrap it.
        stack = AsyncExitStack()
        try:
            try:
                events = await stack.enter_async_context(opened)
            except NotSupported:
                events = self._whole(ref, code, program)
            yield decoded(_texts(events), self.name) if self._nine.carries_text else events
        finally:
            await stack.aclose()

    async def _whole(self, ref: SandboxRef, code: str, program: Program) -> AsyncGenerator[Output | Ended]:
        ran = await self._nine.run_sandbox(ref.sandbox_id, code, env=program.env, timeout_s=program.timeout_s)
        yield Output("stderr", ran.stderr)
        yield Output("stdout", ran.stdout)
        yield Ended(ran.exit_code)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file."""
        data = content if isinstance(content, bytes) else await anyio.Path(content).read_bytes()
        await self._nine.write_file(ref.sandbox_id, path, data)

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file."""
        return self._got(ref, path)

    @asynccontextmanager
    async def _got(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        content = await self._nine.read_file(ref.sandbox_id, path)

        async def pieces() -> AsyncGenerator[bytes]:
            yield content

        yield pieces()

    @asynccontextmanager
    async def _installed(
        self, ref: SandboxRef, request: InstallRequest, timeout_s: float
    ) -> AsyncGenerator[AsyncIterator[Output | Exited]]:
        check_names(request)
        began, ran = anyio.current_time(), list[RunResult]()
        with anyio.move_on_after(timeout_s) as limit:
            for package in request.packages:
                one = await self._nine.install_package(ref.sandbox_id, package)
                if one is None:
                    break
                ran.append(one)
                if one.exit_code != 0:
                    break
        if not ran and not limit.cancelled_caught:
            async with super().install(ref, request, timeout_s=timeout_s) as events:
                yield events
            return

        async def told() -> AsyncGenerator[Output | Exited]:
            for one in ran:
                yield Output("stdout", one.stdout)
                yield Output("stderr", one.stderr)
            is_late = limit.cancelled_caught
            code = 124 if is_late else ran[-1].exit_code
            yield Exited(code, (anyio.current_time() - began) * 1000, timed_out=is_late)

        yield told()


def _declared_level(nine: NineMethods) -> IsolationLevel | None:
    declared: object = getattr(nine, "isolation_level", None)
    if declared is None:
        return None
    for level in _LEVELS:
        if level == declared:
            return level
    known = ", ".join(_LEVELS)
    raise ProviderFailed(f"{nine.provider_name} declares the isolation level {declared!r}; there are: {known}")


def _declared_runtimes(nine: NineMethods) -> tuple[Runtime, ...]:
    declared: Collection[object] = getattr(nine, "runtimes", ("shell", "python"))
    unknown = [name for name in declared if name not in _PROGRAMS]
    if unknown or "shell" not in declared:
        known = ", ".join(_PROGRAMS)
        raise ProviderFailed(f"{nine.provider_name} must declare shell among its runtimes, and only: {known}")
    return tuple(name for name in _PROGRAMS if name in declared)


async def _texts(events: AsyncIterator[Output | Ended]) -> AsyncGenerator[Text]:
    async for event in events:
        if isinstance(event, Output):
            yield event.stream, event.data
