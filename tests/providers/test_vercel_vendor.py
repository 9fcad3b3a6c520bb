"""The vendor's own client (vercel-sandbox 0.10.0) works on the stand-in for Vercel."""

import subprocess
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from vercel.sandbox import (
    Sandbox,
    SandboxClient,
    SandboxCredentials,
    SandboxPathNotFoundError,
    SandboxServiceOptions,
    SandboxStatus,
)

from cerver_core.testing.clouds.vercel import VercelCloud


@pytest.fixture(scope="module")
def cloud(home: Path) -> Iterator[VercelCloud]:
    with VercelCloud(home) as cloud:
        yield cloud


@pytest.fixture
async def client(cloud: VercelCloud) -> AsyncGenerator[SandboxClient]:
    async def credentials() -> SandboxCredentials:
        return SandboxCredentials(token=cloud.token, team_id="team_1", project_id="prj_1")

    options = SandboxServiceOptions(base_url=cloud.url, credentials_factory=credentials)
    client = SandboxClient.create(options=options)
    yield client
    await client.aclose()


@pytest.fixture
async def sandbox(client: SandboxClient) -> AsyncGenerator[Sandbox]:
    async with client.create_sandbox(ports=[3000], tags={"who": "vendor"}) as sandbox:
        yield sandbox


async def test_the_vendors_client_runs_streams_and_fails_as_told(sandbox: Sandbox) -> None:
    ran = await sandbox.run_process("sh", ["-c", "echo $A; echo err >&2; exit 4"], env={"A": "b"}, capture_output=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("b\n", "err\n", 4)
    fed = await sandbox.run_process("cat", capture_output=True, input=b"sent\n")
    assert fed.stdout == "sent\n"


async def test_the_vendors_client_feeds_and_kills_what_runs_in_the_background(sandbox: Sandbox) -> None:
    reader = await sandbox.create_process("cat", stdin=subprocess.PIPE)
    assert await reader.communicate(b"sent\n") == ("sent\n", "")
    sleeper = await sandbox.create_process("sleep", ["300"])
    await sleeper.kill()
    assert await sleeper.wait() == 137


async def test_the_vendors_client_moves_files(sandbox: Sandbox) -> None:
    fs = (await sandbox.session()).fs
    await fs.write_bytes("deep/er/file", b"\0\1\2")
    assert await fs.read_bytes("deep/er/file") == b"\0\1\2"
    with pytest.raises(SandboxPathNotFoundError):
        await fs.read_bytes("nothing")


async def test_the_vendors_client_extends_snapshots_stops_and_lists(client: SandboxClient, sandbox: Sandbox) -> None:
    await sandbox.extend_execution_time_limit(60)
    assert [route.port for route in sandbox.routes] == [3000]
    snapshot = await sandbox.snapshot()
    assert snapshot.id.startswith("snap_")
    again = await client.get_sandbox(name=sandbox.name)
    assert again.status == SandboxStatus.STOPPED
    resumed = await client.resume_sandbox(name=sandbox.name)
    await resumed.stop()
    assert sandbox.name in [found.name async for found in client.query_sandboxes()]
