"""Providers of nine methods that can less than the template: no streams, text alone, an installer of their own."""

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.errors import InvalidInput, NotSupported
from cerver_core.providers.base import Output, SandboxRequest
from cerver_core.providers.nine import NineMethods, NineProvider, RunResult
from cerver_core.providers.shell.link import Ended
from cerver_core.testing.providers import run
from cerver_core.testing.providers.lifetimes import install
from cerver_core.wire.computes import InstallRequest, Requirements
from tests.architecture.sources import ROOT


def template(home: Path, monkeypatch: pytest.MonkeyPatch) -> NineMethods:
    """A vendor over the template's folders that has no streams and carries text alone."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "examples" / "provider"), *sys.path])
    from acme_cerver import AcmeSandboxes  # noqa: PLC0415 - found where the example lies

    class Sparse(AcmeSandboxes):
        carries_text = True
        installed: tuple[str, ...] = ()

        async def run_sandbox(
            self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float
        ) -> RunResult:
            written = {"stdout": b"", "stderr": b""}
            exit_code = 0
            async with AcmeSandboxes.run_sandbox_stream(self, sandbox_id, code, env=env, timeout_s=timeout_s) as events:
                async for event in events:
                    if isinstance(event, Ended):
                        exit_code = event.exit_code or 0
                    else:
                        written[event.stream] += event.data
            out, err = (text.decode(errors="replace").encode() for text in written.values())
            return RunResult(out, err, exit_code)

        @asynccontextmanager
        async def run_sandbox_stream(
            self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float
        ) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
            raise NotSupported("acme has no streams")
            yield

        async def install_package(self, sandbox_id: str, package: str) -> RunResult | None:
            self.installed = (*self.installed, package)
            return RunResult(f"installed {package}\n".encode(), b"", 1 if package == "bad" else 0)

    return Sparse(home)


async def test_bytes_come_whole_from_a_vendor_of_text_without_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with NineProvider(template(tmp_path, monkeypatch)) as provider:
        ref = await provider.create(SandboxRequest("session", Requirements()))
        ran = await run(provider, ref, r"printf 'a\377\000b'; echo err >&2; exit 3")
        assert (ran.stdout, ran.stderr, ran.exited.exit_code) == (b"a\xff\x00b", b"err\n", 3)
        late = await run(provider, ref, "echo some; sleep 300", timeout_s=0.5)
        assert (late.text, late.exited.timed_out) == ("some", True)
        await provider.destroy(ref)


async def test_a_vendor_s_own_installer_is_used_until_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with NineProvider(template(tmp_path, monkeypatch)) as provider:
        ref = await provider.create(SandboxRequest("session", Requirements()))
        ran = await install(provider, ref, InstallRequest(packages=("good", "bad", "never")))
        assert (ran.stdout, ran.exited.exit_code) == (b"installed good\ninstalled bad\n", 1)
        with pytest.raises(InvalidInput):
            await install(provider, ref, InstallRequest(packages=("--option",)))
        await provider.destroy(ref)
