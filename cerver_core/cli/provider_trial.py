"""Try one provider for real, with the user's own credentials: the essential steps of the contract, in one sandbox."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio

from cerver_core.cli.checks import Finding
from cerver_core.config import Settings
from cerver_core.errors import CerverError, ProviderFailed
from cerver_core.plugins import provider as provider_named
from cerver_core.providers.abilities import Background, Stateful
from cerver_core.providers.base import Command, Exited, Output, Pausable, Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import Requirements, Runtime

__all__ = ["try_provider"]

_STEP_S = 180.0
_CLEAN_UP_S = 60.0

_PROBE = """
if [ -r /proc/self/stat ]; then grep -qs '^[0-9]* (.*) [^ZX] ' "/proc/$(cat pid)/stat"
else kill -0 "$(cat pid)" 2>/dev/null
fi && echo alive || echo ended
"""
"""Where nothing reaps orphans, an ended process stays a zombie, which `kill -0` takes for alive."""


async def try_provider(name: str, settings: Settings) -> list[Finding]:
    """Make a sandbox, use it and remove it; a finding for each step, up to the first that fails."""
    try:
        async with provider_named(name, settings) as provider:
            trial = _Trial(provider)
            return [finding async for finding in trial.findings()]
    except CerverError as error:
        return [Finding(f"provider {name}", "problem", error.message, "set what the message names, and try again")]


@dataclass(slots=True)
class _Trial:
    provider: Provider
    refs: list[SandboxRef] = field(default_factory=list[SandboxRef])

    @property
    def ref(self) -> SandboxRef:
        """The sandbox of the trial."""
        return self.refs[0]

    async def findings(self) -> AsyncGenerator[Finding]:
        """Take the steps, one after another, until one fails; remove the sandbox in any case."""
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("create", self._create),
            ("run", self._run),
            ("deadline", self._deadline),
            ("cancel", self._cancel),
            ("files", self._files),
            ("folders", self._folders),
        ]
        steps += [("background", self._background)] if isinstance(self.provider, Background) else []
        steps += [("state", self._state)] if isinstance(self.provider, Stateful) else []
        steps += [("pause", self._pause)] if isinstance(self.provider, Pausable) else []
        failed = False
        for about, step in steps:
            finding = await self._taken(about, step)
            failed = finding.state == "problem"
            yield finding
            if failed:
                break
        if self.refs:
            with anyio.CancelScope(shield=True):
                yield await self._taken("destroy", self._destroy)

    async def _taken(self, about: str, step: Callable[[], Awaitable[str]]) -> Finding:
        began = time.monotonic()
        try:
            with anyio.fail_after(_STEP_S):
                text = await step()
        except CerverError as error:
            return Finding(f"{self.provider.name} {about}", "problem", f"{error.code}: {error.message}")
        except TimeoutError:
            return Finding(f"{self.provider.name} {about}", "problem", f"it took more than {_STEP_S:g} s")
        return Finding(f"{self.provider.name} {about}", "ok", f"{text} ({time.monotonic() - began:.2f} s)")

    async def _create(self) -> str:
        self.refs.append(await self.provider.create(SandboxRequest(f"doctor-{uuid4().hex[:12]}", Requirements())))
        return f"sandbox {self.ref.sandbox_id}"

    async def _run(self) -> str:
        out, exited = await self._told("echo out; echo err >&2; exit 3")
        _expect((out, exited.exit_code), ("out\n", 3))
        out, _ = await self._told("print(6 * 7)", "python")
        _expect(out, "42\n")
        return "shell and python, streams apart, exit code"

    async def _deadline(self) -> str:
        out, exited = await self._told("echo some; sleep 300", timeout_s=2)
        _expect((out, exited.exit_code, exited.timed_out), ("some\n", 124, True))
        return "a command is ended at its deadline"

    async def _cancel(self) -> str:
        command = Command("echo $$ > pid; echo up; setsid sleep 300 & sleep 300", "shell", 60)
        async with self.provider.exec(self.ref, command) as events:
            async for _ in events:
                break
        out, _ = await self._told(_PROBE)
        _expect(out, "ended\n")
        return "a command that is left is ended there"

    async def _files(self) -> str:
        content = bytes(range(256)) * 400
        await self.provider.write_file(self.ref, "trial/file.bin", content)
        _expect(
            await self.provider.read_file(self.ref, "trial/file.bin", max_bytes=1_000_000) == content, expected=True
        )
        listed = await self.provider.list_files(self.ref, "trial", recursive=True)
        _expect([entry.path for entry in listed.entries], ["trial/file.bin"])
        return "written, read and listed"

    async def _folders(self) -> str:
        with TemporaryDirectory(prefix="cerver-doctor-") as folder:
            source, target = Path(folder, "source"), Path(folder, "target")
            await anyio.Path(source).mkdir()
            await anyio.Path(source, "note").write_text("kept")
            await self.provider.upload(self.ref, source, "sent")
            await self.provider.download(self.ref, "sent", target)
            _expect(await anyio.Path(target, "note").read_text(), "kept")
        return "uploaded and downloaded"

    async def _background(self) -> str:
        assert isinstance(self.provider, Background)
        process = await self.provider.start(self.ref, Command("echo up; sleep 300", "shell", 120))
        _expect(list(await self.provider.processes(self.ref)), [process])
        await self.provider.kill(self.ref, process)
        _expect(list(await self.provider.processes(self.ref)), [])
        return "started, listed and ended"

    async def _state(self) -> str:
        assert isinstance(self.provider, Stateful)
        await self.provider.set_state(self.ref, {"step": 1})
        _expect(dict(await self.provider.get_state(self.ref)), {"step": 1})
        return "set and read"

    async def _pause(self) -> str:
        assert isinstance(self.provider, Pausable)
        await self.provider.pause(self.ref)
        await self.provider.resume(self.ref)
        _expect(len(await self.provider.read_file(self.ref, "trial/file.bin", max_bytes=1_000_000)), 102_400)
        return "the files are there after pause and resume"

    async def _destroy(self) -> str:
        with anyio.fail_after(_CLEAN_UP_S):
            await self.provider.destroy(self.ref)
        return "removed"

    async def _told(self, code: str, runtime: Runtime = "shell", *, timeout_s: float = 60) -> tuple[str, Exited]:
        out, exited = b"", None
        async with self.provider.exec(self.ref, Command(code, runtime, timeout_s)) as events:
            async for event in events:
                if isinstance(event, Output):
                    out += event.data if event.stream == "stdout" else b""
                else:
                    exited = event
        if exited is None:
            raise ProviderFailed("the command's stream ended without telling how it came out")
        return out.decode(errors="replace"), exited


def _expect(found: object, expected: object) -> None:
    if found != expected:
        raise ProviderFailed(f"{found!r} came where {expected!r} belongs")
