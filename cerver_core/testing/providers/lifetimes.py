"""Lifetimes: what a provider says of itself, pause and resume, other instances, packages, the end."""

import base64
import hashlib
import io
import uuid
import zipfile

import pytest

from cerver_core.errors import CerverError, InvalidInput
from cerver_core.providers.base import Exited, Output, Pausable, Provider, SandboxRef, SandboxRequest
from cerver_core.testing.providers.ground import WAIT_S, ProviderGround, Providers, Ran, run
from cerver_core.wire.computes import InstallRequest, Requirements

__all__ = ["LifetimesContract", "install", "wheel"]

_HOLD_A_LOCK = """
import fcntl, os, signal, time
lock = os.open('lock', os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
if os.fork() == 0:
    os.setsid()
    for standard in range(3):
        os.close(standard)
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(300)
    os._exit(0)
"""
"""Leaves a process behind that can be told by its lock, wherever one looks from."""

_TRY_THE_LOCK = """
import fcntl, os
try:
    fcntl.flock(os.open('lock', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    print('free')
except OSError:
    print('held')
"""


class LifetimesContract(ProviderGround):
    """Sandboxes from beginning to end."""

    async def test_a_provider_describes_itself(self, provider: Provider, ref: SandboxRef) -> None:
        compute = await provider.describe()
        assert (compute.provider, compute.compute_id) == (provider.name, ref.compute_id)
        assert ref.provider == provider.name
        assert next(runtime for runtime in compute.runtimes if runtime.name == "shell").path is not None

    async def test_sandboxes_keep_to_themselves(
        self, provider: Provider, ref: SandboxRef, requirements: Requirements
    ) -> None:
        other = await provider.create(SandboxRequest(str(uuid.uuid4()), requirements))
        await provider.write_file(ref, "file", b"mine")
        assert (await provider.list_files(other, ".", recursive=True)).entries == ()
        await provider.destroy(other)
        assert await provider.read_file(ref, "file", max_bytes=10) == b"mine"

    async def test_a_session_that_comes_again_gets_an_empty_workspace(
        self, provider: Provider, requirements: Requirements
    ) -> None:
        session = str(uuid.uuid4())
        first = await provider.create(SandboxRequest(session, requirements))
        await provider.write_file(first, "file", b"first")
        second = await provider.create(SandboxRequest(session, requirements))
        assert (await provider.list_files(second, ".", recursive=True)).entries == ()
        assert await provider.read_file(first, "file", max_bytes=10) == b"first"
        await provider.destroy(first)
        await provider.destroy(second)

    async def test_a_pause_ends_every_process_and_keeps_the_files(self, provider: Provider, ref: SandboxRef) -> None:
        if not isinstance(provider, Pausable):
            pytest.skip(f"the provider {provider.name} does not pause")
        await self._leave_behind(provider, ref)
        await run(provider, ref, "mkdir sub; cd sub")
        await provider.pause(ref)
        await provider.resume(ref)
        assert not await self._lives(provider, ref)
        assert (await run(provider, ref, "pwd")).text.endswith("/sub")

    async def test_another_instance_serves_the_same_sandbox(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        await run(provider, ref, "echo one > file; echo two > $TMPDIR/shared")
        async with providers() as another:
            assert (await run(another, ref, "cat file $TMPDIR/shared")).text == "one\ntwo"
            await another.write_file(ref, "file", b"three")
        assert (await run(provider, ref, "cat file")).text == "three"

    async def test_a_pause_by_another_instance_ends_ours_too(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        if not isinstance(provider, Pausable):
            pytest.skip(f"the provider {provider.name} does not pause")
        await self._leave_behind(provider, ref)
        async with providers() as another:
            assert isinstance(another, Pausable)
            await another.pause(ref)
        await provider.resume(ref)
        assert not await self._lives(provider, ref)

    async def test_leaving_the_provider_keeps_the_files_and_no_process_of_this_machine(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        async with providers() as another:
            await self._leave_behind(another, ref)
        is_elsewhere = (await provider.describe()).kind == "cloud"
        assert await self._lives(provider, ref) == is_elsewhere

    async def test_destroying_is_final_and_may_be_repeated(
        self, provider: Provider, ref: SandboxRef, providers: Providers
    ) -> None:
        await run(provider, ref, "mkdir shut; echo x > shut/file; chmod 0 shut; sleep 300 > /dev/null 2>&1 &")
        async with providers() as another:
            await another.destroy(ref)
        await provider.destroy(ref)
        with pytest.raises(CerverError):
            await provider.read_file(ref, "shut/file", max_bytes=10)

    async def test_a_package_is_there_for_later_executions(self, provider: Provider, ref: SandboxRef) -> None:
        assert (await run(provider, ref, "import tiny_suite_package", "python")).exited.exit_code == 1
        await provider.write_file(ref, "tiny_suite_package-1.0-py3-none-any.whl", wheel())
        ran = await install(provider, ref, InstallRequest(packages=("./tiny_suite_package-1.0-py3-none-any.whl",)))
        assert ran.exited.exit_code == 0, ran.stderr
        code = "import tiny_suite_package; print(tiny_suite_package.VALUE)"
        assert (await run(provider, ref, code, "python")).text == "42"
        listed = await provider.list_files(ref, ".", recursive=True)
        assert [entry.path for entry in listed.entries] == ["tiny_suite_package-1.0-py3-none-any.whl"]

    async def test_an_npm_package_is_there_for_later_executions(self, provider: Provider, ref: SandboxRef) -> None:
        await provider.write_file(ref, "pkg/package.json", b'{"name": "tiny-suite", "version": "1.0.0"}')
        await provider.write_file(ref, "pkg/index.js", b"module.exports = 42")
        packed = await run(provider, ref, "tar czf tiny.tgz --transform s/^pkg/package/ pkg && rm -r pkg")
        assert packed.exited.exit_code == 0
        ran = await install(provider, ref, InstallRequest(packages=("./tiny.tgz",), installer="npm"))
        assert ran.exited.exit_code == 0, ran.stderr
        assert (await run(provider, ref, "console.log(require('tiny-suite'))", "node")).text == "42"
        listed = await provider.list_files(ref, ".", recursive=True)
        assert [entry.path for entry in listed.entries] == ["tiny.tgz"]

    async def test_a_package_that_cannot_be_had_is_told_by_the_exit_code(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        ran = await install(provider, ref, InstallRequest(packages=("./not-here-1.0-py3-none-any.whl",)))
        assert ran.exited.exit_code != 0
        assert b"not-here" in ran.stderr

    async def test_an_option_is_not_taken_for_a_package(self, provider: Provider, ref: SandboxRef) -> None:
        for name in ("--target=/", "-r/etc/passwd", " -e.", "", " ", "a\nb"):
            for installer in ("pip", "npm"):
                with pytest.raises(InvalidInput):
                    await install(
                        provider, ref, InstallRequest.model_validate({"packages": [name], "installer": installer})
                    )

    async def _leave_behind(self, provider: Provider, ref: SandboxRef) -> None:
        await run(provider, ref, _HOLD_A_LOCK, "python", cwd=".")
        assert await self._lives(provider, ref)

    async def _lives(self, provider: Provider, ref: SandboxRef) -> bool:
        return (await run(provider, ref, _TRY_THE_LOCK, "python", cwd=".")).text == "held"


async def install(provider: Provider, ref: SandboxRef, request: InstallRequest) -> Ran:
    """Install to the end."""
    streams: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    exited: Exited | None = None
    async with provider.install(ref, request, timeout_s=WAIT_S * 2) as events:
        async for event in events:
            if isinstance(event, Output):
                streams[event.stream] += event.data
            else:
                exited = event
    assert exited is not None
    return Ran(streams["stdout"], streams["stderr"], exited)


def wheel() -> bytes:
    """Make a wheel of one module, `tiny_suite_package`, with `VALUE` 42."""
    info = "tiny_suite_package-1.0.dist-info"
    parts = {
        "tiny_suite_package.py": b"VALUE = 42\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny_suite_package\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: suite\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in parts.items())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**parts, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, content)
    return file.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
