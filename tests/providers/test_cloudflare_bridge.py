"""The Cloudflare adapter on the vendor's own bridge (from npm, 0.12.10) under workerd; only the container is ours."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cerver_core.errors import FileMissing, ProviderRefused
from cerver_core.providers.base import SandboxRequest
from cerver_core.providers.cloudflare import CloudflareProvider, KeepingCloudflareProvider
from cerver_core.providers.local.sandboxes import Bubblewrap
from cerver_core.testing.providers import run, start
from cerver_core.testing.providers.endings import TREE, survivors
from cerver_core.wire.computes import Requirements
from tests.providers.bridge_executor import Executor

SOURCES = Path(__file__).with_name("bridge")
KEY = "the-bridge-key"
REQUEST = SandboxRequest("session", Requirements())


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the bridge."""
    bubblewrap = Bubblewrap.find(os.environ).path
    missing = [name for name in ("node", "npm") if shutil.which(name) is None] + ([] if bubblewrap else ["bwrap"])
    if missing or bubblewrap is None:
        pytest.skip(f"this machine lacks {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("bridge")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install the bridge: {installed.stderr.strip()[-200:]}")
    with (
        Executor(folder / "boxes", bubblewrap) as executor,
        subprocess.Popen(
            ["node", str(folder / "serve.mjs"), str(folder), executor.url, KEY],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        url = process.stdout.readline().strip()
        assert url, "the bridge did not start"
        yield url
        process.stdin.close()
        process.wait(20)


def environ(bridge: str) -> dict[str, str]:
    return {"CLOUDFLARE_SANDBOX_URL": bridge, "SANDBOX_API_KEY": KEY}


@pytest.mark.timeout(300)
async def test_the_vendors_own_bridge_serves_the_adapter(bridge: str, tmp_path: Path) -> None:
    async with KeepingCloudflareProvider(environ(bridge), keep=tmp_path / "kept") as provider:
        ref = await provider.create(REQUEST)
        assert ref.data["root"] == "/workspace/cerver"
        ran = await run(provider, ref, r"printf 'a\377\000b'; echo err >&2; echo $GIVEN; exit 3", env={"GIVEN": "it"})
        assert (ran.stdout, ran.stderr, ran.exited.exit_code) == (b"a\xff\x00bit\n", b"err\n", 3)
        late = await run(provider, ref, "echo some; sleep 300", timeout_s=0.5)
        assert (late.text, late.exited.exit_code, late.exited.timed_out) == ("some", 124, True)
        async with start(provider, ref, TREE) as first:
            assert first == "ready"
        assert await survivors(provider, ref) == "0"

        content = bytes(range(256)) * 1000
        await provider.write_file(ref, "deep/ünï code.bin", content)
        assert await provider.read_file(ref, "deep/ünï code.bin", max_bytes=300_000) == content
        await provider.write_file(ref, "plain.bin", content)
        assert await provider.read_file(ref, "plain.bin", max_bytes=300_000) == content
        with pytest.raises(FileMissing):
            await provider.read_file(ref, "nothing", max_bytes=10)

        await provider.pause(ref)
        await provider.resume(ref)
        assert (await run(provider, ref, "wc -c <plain.bin")).text.strip() == "256000"
        await provider.destroy(ref)
    async with CloudflareProvider({**environ(bridge), "SANDBOX_API_KEY": "wrong"}) as provider:
        with pytest.raises(ProviderRefused, match="SANDBOX_API_KEY"):
            await provider.create(REQUEST)
