"""The vendor's own client (e2b 2.63.0) works on the stand-in for E2B."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from e2b import AsyncSandbox, CommandExitException, FileNotFoundException, SandboxQuery

from cerver_core.testing.clouds.e2b import E2bCloud


@pytest.fixture(scope="module")
def cloud(home: Path) -> Iterator[E2bCloud]:
    with E2bCloud(home) as cloud:
        yield cloud


@pytest.fixture
async def sandbox(cloud: E2bCloud) -> AsyncGenerator[AsyncSandbox]:
    sandbox = await AsyncSandbox.create(
        metadata={"who": "vendor"},
        timeout=120,
        api_key=cloud.api_key,
        api_url=cloud.url,
        sandbox_url=cloud.url,
        http_version="1.1",
    )
    yield sandbox
    await sandbox.kill()


async def test_the_vendors_client_runs_streams_and_fails_as_told(sandbox: AsyncSandbox) -> None:
    pieces: list[str] = []
    ran = await sandbox.commands.run("echo out; echo err >&2", envs={"A": "b"}, on_stdout=pieces.append)
    assert (ran.stdout, ran.stderr, ran.exit_code, "".join(pieces)) == ("out\n", "err\n", 0, "out\n")
    with pytest.raises(CommandExitException) as failed:
        await sandbox.commands.run("exit 4")
    assert failed.value.exit_code == 4


async def test_the_vendors_client_feeds_and_kills_what_runs_in_the_background(sandbox: AsyncSandbox) -> None:
    reader = await sandbox.commands.run("cat", background=True, stdin=True)
    await sandbox.commands.send_stdin(reader.pid, "sent\n")
    await sandbox.commands.close_stdin(reader.pid)
    assert (await reader.wait()).stdout == "sent\n"
    sleeper = await sandbox.commands.run("sleep 300", background=True)
    assert sleeper.pid in [process.pid for process in await sandbox.commands.list()]
    assert await sandbox.commands.kill(sleeper.pid)
    with pytest.raises(CommandExitException):
        await sleeper.wait()


async def test_the_vendors_client_moves_files(sandbox: AsyncSandbox) -> None:
    await sandbox.files.write("deep/er/file", b"\0\1\2")  # pyright: ignore[reportUnknownMemberType]
    assert bytes(await sandbox.files.read("deep/er/file", format="bytes")) == b"\0\1\2"
    with pytest.raises(FileNotFoundException):
        await sandbox.files.read("nothing")


async def test_the_vendors_client_pauses_lists_snapshots_and_forks(cloud: E2bCloud, sandbox: AsyncSandbox) -> None:
    await sandbox.files.write("file", "kept")  # pyright: ignore[reportUnknownMemberType]
    await sandbox.set_timeout(300)
    snapshot = await sandbox.create_snapshot()
    assert snapshot.snapshot_id.startswith("snap-")
    await sandbox.pause()
    listed = AsyncSandbox.list(
        SandboxQuery(metadata={"who": "vendor"}), api_key=cloud.api_key, api_url=cloud.url, http_version="1.1"
    )
    found = {info.sandbox_id: info.state.value for info in await listed.next_items()}
    assert found[sandbox.sandbox_id] == "paused"
    await sandbox.connect()
    assert await sandbox.files.read("file") == "kept"
