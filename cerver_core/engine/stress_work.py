"""The five kinds of work of a live stress test, each timed once cold and once warm in a sandbox of its own."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import anyio

from cerver_core.clock import Clock
from cerver_core.engine.booting import BOOT_LIMIT_S, boot
from cerver_core.engine.outside import Outside
from cerver_core.errors import CerverError, DeadlineExceeded, NotSupported, ProviderUnavailable
from cerver_core.ids import new_session_id
from cerver_core.providers.abilities import Background, Previews
from cerver_core.providers.base import Command, CommandStream, Exited, Output, Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import InstallRequest, Requirements
from cerver_core.wire.stress import StressKind

__all__ = ["Timing", "time_once"]

_PACKAGE = "six"
"""A package that is small, pure Python and has no dependencies."""

_PORTS = range(20_000, 30_000)
"""One of these is drawn each time: sandboxes of one machine may share its ports."""

_LIMIT_S = 180.0
_CLEAN_UP_LIMIT_S = 20
_COMMANDS = 10
_WAIT_FOR_SERVER = (
    "for i in $(seq 100); do python3 -c 'import urllib.request as u; "
    'u.urlopen("http://127.0.0.1:{port}/", timeout=1)\' && exit 0; sleep 0.1; done; exit 1'
)


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run came to, in milliseconds: `startup_ms` until the sandbox was there, then the work, then again.

    `sandbox_ms` is how long the sandbox lived: what it is charged for.
    """

    startup_ms: float | None = None
    cold_ms: float | None = None
    warm_ms: float | None = None
    sandbox_ms: float = 0.0
    error: CerverError | None = None


Work = Callable[[Provider, SandboxRef, Outside], Awaitable[None]]


async def time_once(
    clock: Clock, provider: Provider, kind: StressKind, needs: Requirements, outside: Outside
) -> Timing:
    """Make a sandbox, do the work in it twice, destroy it. A failure is an answer.

    The cold time includes the start of the sandbox; the warm one is the work alone, done again.
    """
    started_s = clock.monotonic()
    sandbox: SandboxRef | None = None
    startup_ms = cold_ms = warm_ms = None
    error: CerverError | None = None

    def elapsed_ms() -> float:
        return (clock.monotonic() - started_s) * 1_000

    try:
        with anyio.fail_after(BOOT_LIMIT_S + 2 * _LIMIT_S):
            sandbox = await boot(provider, SandboxRequest(new_session_id(), needs))
            await _run(provider.exec(sandbox, Command("echo up", "shell", _LIMIT_S)))
            startup_ms = elapsed_ms()
            await _WORK[kind](provider, sandbox, outside)
            cold_ms = elapsed_ms()
            await _WORK[kind](provider, sandbox, outside)
            warm_ms = elapsed_ms() - cold_ms
    except CerverError as failure:
        error = failure
    except TimeoutError as late:
        error = DeadlineExceeded(f"{provider.name} was not done in time")
        error.__cause__ = late
    finally:
        if sandbox is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
                await provider.destroy(sandbox)
    return Timing(startup_ms, cold_ms, warm_ms, elapsed_ms(), error)


async def _run(stream: CommandStream, *, until_output: bool = False) -> None:
    async with stream as events:
        async for event in events:
            if until_output and isinstance(event, Output):
                return
            if isinstance(event, Exited) and event.exit_code != 0:
                raise ProviderUnavailable(f"a command of the test ended with {event.exit_code}")


async def _cold_start(provider: Provider, sandbox: SandboxRef, _: Outside) -> None:
    await _run(provider.exec(sandbox, Command("true", "shell", _LIMIT_S)))


async def _stream_response(provider: Provider, sandbox: SandboxRef, _: Outside) -> None:
    code = "echo first; sleep 5; echo last"
    await _run(provider.exec(sandbox, Command(code, "shell", _LIMIT_S)), until_output=True)


async def _package_install(provider: Provider, sandbox: SandboxRef, _: Outside) -> None:
    await _run(provider.install(sandbox, InstallRequest(packages=(_PACKAGE,)), timeout_s=_LIMIT_S))


async def _preview_launch(provider: Provider, sandbox: SandboxRef, outside: Outside) -> None:
    if not isinstance(provider, Previews) or not isinstance(provider, Background):
        raise NotSupported(f"{provider.name} offers no preview of a port", provider=provider.name)
    port = random.choice(_PORTS)  # noqa: S311 - a port, not a secret
    server = Command(f"exec python3 -m http.server {port}", "shell", _LIMIT_S)
    process = await provider.start(sandbox, server)
    try:
        await _run(provider.exec(sandbox, Command(_WAIT_FOR_SERVER.format(port=port), "shell", _LIMIT_S)))
        await outside.answered(await provider.preview(sandbox, port))
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
            await provider.kill(sandbox, process)


async def _long_session(provider: Provider, sandbox: SandboxRef, _: Outside) -> None:
    for number in range(_COMMANDS):
        await _run(provider.exec(sandbox, Command(f"echo {number} >> kept", "shell", _LIMIT_S)))


_WORK: Mapping[StressKind, Work] = {
    "cold_start": _cold_start,
    "stream_response": _stream_response,
    "package_install": _package_install,
    "preview_launch": _preview_launch,
    "long_session": _long_session,
}
