"""The local provider among other processes: deaths, pauses from elsewhere, what must not be left behind."""

import contextlib
import fcntl
import json
import os
import signal
import site
import subprocess
import sys
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from pathlib import Path

import anyio
import anyio.abc
import pytest

from cerver_core.providers.base import Command, SandboxRef, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.providers.local.inside import tree
from cerver_core.testing.providers import run, start
from cerver_core.wire.computes import IsolationLevel, Requirements

HERE = Path(__file__).parent
LEVELS: tuple[IsolationLevel, ...] = ("process", "confined", "sandbox")
WAIT_S = 30.0


@pytest.fixture(params=LEVELS)
async def provider(request: pytest.FixtureRequest, home: Path) -> AsyncGenerator[LocalProvider]:
    async with LocalProvider(home, isolation=request.param) as provider:
        unavailable = (await provider.describe()).unavailable_levels
        if request.param in unavailable:
            pytest.skip(f"no {request.param} here: {unavailable[request.param]}")
        yield provider


@pytest.fixture
async def ref(provider: LocalProvider) -> AsyncGenerator[SandboxRef]:
    ref = await provider.create(SandboxRequest(str(uuid.uuid4()), Requirements()))
    yield ref
    await provider.destroy(ref)


async def test_the_death_of_the_host_leaves_no_process(home: Path, provider: LocalProvider, ref: SandboxRef) -> None:
    async with another_process(home, ref) as process:
        assert is_held(ref)
        process.kill()
        await until(lambda: not is_held(ref))


async def test_a_pause_ends_what_another_process_runs(home: Path, provider: LocalProvider, ref: SandboxRef) -> None:
    async with another_process(home, ref) as process:
        await provider.pause(ref)
        assert not is_held(ref)
        with anyio.fail_after(WAIT_S):
            assert await process.wait() == 0


async def test_destroying_ends_what_another_process_runs(home: Path, provider: LocalProvider, ref: SandboxRef) -> None:
    async with another_process(home, ref):
        lock = os.open(lock_of(ref), os.O_RDONLY)
        await provider.destroy(ref)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)
        assert not list((home / "workspaces").glob(ref.sandbox_id))


async def test_a_record_of_an_agent_long_gone_ends_nobody(home: Path, provider: LocalProvider, ref: SandboxRef) -> None:
    async with await anyio.open_process(["sleep", "300"], stdout=None, stderr=None) as bystander:
        records = home / "agents" / ref.sandbox_id
        plant(records, {str(bystander.pid): "12345", "nonsense": "12345"})
        await provider.pause(ref)
        assert bystander.returncode is None
        assert tree.start_time(bystander.pid) is not None
        assert not list(records.parent.glob(ref.sandbox_id))
        bystander.kill()


async def test_a_command_that_kills_its_supervisor_takes_nothing_along(
    provider: LocalProvider, ref: SandboxRef
) -> None:
    ran = await run(provider, ref, "setsid sleep 300 & kill -9 $PPID; sleep 300")
    assert (ran.exited.exit_code, len(ran.exited.notes)) == (137, 1)
    assert (await run(provider, ref, "echo next")).text == "next"


async def test_a_command_that_kills_all_it_can_does_not_end_the_sandbox_for_good(home: Path) -> None:
    async with LocalProvider(home) as provider:
        if (await provider.describe()).isolation.level == "process":  # type: ignore[union-attr]
            pytest.skip("at level process this would kill the tests")
        ref = await provider.create(SandboxRequest(str(uuid.uuid4()), Requirements()))
        await run(provider, ref, "kill -9 -1; sleep 300", timeout_s=5)
        assert (await run(provider, ref, "echo next")).text == "next"
        await provider.destroy(ref)


async def test_an_agent_that_was_killed_is_replaced(provider: LocalProvider, ref: SandboxRef) -> None:
    await run(provider, ref, "true")
    [agent] = [pid for pid in tree.children(os.getpid()) if is_agent_of(pid, ref, provider)]
    os.kill(agent, signal.SIGKILL)
    with anyio.fail_after(WAIT_S):
        while True:
            with contextlib.suppress(ConnectionError):
                assert (await run(provider, ref, "echo next")).text in ("next", "")
                if (await run(provider, ref, "echo next")).text == "next":
                    break


async def test_executions_leave_no_descriptor_and_no_zombie(provider: LocalProvider, ref: SandboxRef) -> None:
    for runtime in ("shell", "python"):
        await run(provider, ref, "print()" if runtime == "python" else "true", runtime)
    before = open_descriptors()
    for _ in range(10):
        await run(provider, ref, "true")
        await run(provider, ref, "pass", "python")
        await run(provider, ref, "sleep 300", timeout_s=0.05)
        async with start(provider, ref, "echo up; sleep 300"):
            pass
        with pytest.raises(LookupError):
            await run(provider, ref, "true", cwd="nowhere")
    assert open_descriptors() == before
    await provider.pause(ref)
    assert open_descriptors() < before
    assert own_zombies() == []


async def test_what_was_written_before_the_end_comes_however_late_it_is_read(
    provider: LocalProvider, ref: SandboxRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cerver_core.providers.local.execution._DRAIN_S", 0.0)
    for _ in range(5):
        ran = await run(provider, ref, "seq 9000; seq 9000 >&2")
        assert (len(ran.text.split()), len(ran.stderr.split())) == (9000, 9000)
        assert not ran.exited.orphan_held_output
    ran = await run(provider, ref, "yes & echo $! > pid; exit 3")
    assert (ran.exited.exit_code, ran.exited.orphan_held_output) == (3, True)
    await run(provider, ref, 'kill "$(cat pid)"', cwd=".")


async def test_a_flood_that_nobody_reads_is_held_back(provider: LocalProvider, ref: SandboxRef) -> None:
    async with provider.exec(ref, Command("yes", "shell", WAIT_S)) as events:
        await anext(events)
        before = resident_kib()
        for _ in range(200):
            await anext(events)
        assert resident_kib() - before < 20_000


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user already")
def test_an_ordinary_user_has_the_levels_too() -> None:
    python = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    reachable = [path for path in (python, *site.getsitepackages(), str(HERE)) if readable_by_all(Path(path))]
    if len(reachable) < 2 + len(site.getsitepackages()):
        pytest.skip("an ordinary user cannot read this interpreter or this checkout")
    place = Path("/var/tmp", f"cerver-test-{uuid.uuid4().hex}")
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)
    try:
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(place),
            "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), *site.getsitepackages()]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ran = subprocess.run(
            [python, str(HERE / "unprivileged.py"), str(place / "home")],
            env=env, user=65534, group=65534, extra_groups=[], capture_output=True, timeout=WAIT_S * 2, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr.decode()
        said = json.loads(ran.stdout)
        assert said["process"] == "65534\n"
        assert said["confined"] == "65534\n" or said["confined"].startswith("unavailable: ")
        assert said["sandbox"] == "1000\n" or said["sandbox"].startswith("unavailable: ")
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)


@contextlib.asynccontextmanager
async def another_process(home: Path, ref: SandboxRef) -> AsyncGenerator[anyio.abc.Process]:
    stored = json.dumps({**asdict(ref), "data": dict(ref.data)})
    command = [sys.executable, str(HERE / "other_process.py"), str(home), str(ref.data["level"]), stored]
    async with await anyio.open_process(command, stderr=None) as process:
        assert process.stdout is not None
        try:
            with anyio.fail_after(WAIT_S):
                assert await process.stdout.receive() == b"ready\n"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def plant(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content)


def lock_of(ref: SandboxRef) -> Path:
    return Path(str(ref.data["path"]), "lock")


def is_held(ref: SandboxRef) -> bool:
    with lock_of(ref).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(WAIT_S):
        while not holds():  # noqa: ASYNC110 - another process's doing; nothing tells us of it
            await anyio.sleep(0.005)


def is_agent_of(pid: int, ref: SandboxRef, provider: LocalProvider) -> bool:
    return (provider._home / "agents" / ref.sandbox_id / str(pid)).exists()


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def own_zombies() -> list[str]:
    zombies: list[str] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state == "Z" and int(parent) == os.getpid():
                    zombies.append(folder.name)
    return zombies


def resident_kib() -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def readable_by_all(path: Path) -> bool:
    return path.exists() and all(part.stat().st_mode & 0o005 == 0o005 for part in (path, *path.parents))
