"""An execution through the adapters of clouds: over a bare request to the same stand-in, and over the vendor's client.

The stand-ins run in this process, in a thread of their own, and run every command for real; so a figure holds what the
vendor's side costs here, which is far less than a real one's distance.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
from e2b import AsyncSandbox
from vercel.sandbox import SandboxClient, SandboxCredentials, SandboxServiceOptions

from benchmarks.figure import Figure, median
from cerver_core.providers.base import Command, Provider, SandboxRequest
from cerver_core.providers.e2b import E2bProvider
from cerver_core.providers.e2b.connect import frame
from cerver_core.providers.vercel import VercelProvider
from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.clouds.vercel import VercelCloud
from cerver_core.wire.computes import Requirements

__all__ = ["measure"]

_ROUNDS = 40
_WARM_UP = 5
_OVERHEAD_MOST = 1.5
_IMPORTS = 7
_IMPORT_MOST_MS = 30.0

Act = Callable[[], Awaitable[object]]


def measure() -> list[Figure]:
    """Measure round after round: ours, the bare one and the vendor's in turn."""
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as folder:
        figures = anyio.run(_of_e2b, Path(folder)) + anyio.run(_of_vercel, Path(folder))
    return figures + [_import_figure(name) for name in ("e2b", "vercel")]


async def _of_e2b(home: Path) -> list[Figure]:
    with E2bCloud(home) as cloud:
        sandbox = await AsyncSandbox.create(
            api_key=cloud.api_key, api_url=cloud.url, sandbox_url=cloud.url, http_version="1.1"
        )
        async with E2bProvider(cloud.environ) as provider, httpx2.AsyncClient() as http:
            headers = {
                "E2b-Sandbox-Id": sandbox.sandbox_id,
                "X-Access-Token": str(sandbox.connection_config.sandbox_headers["X-Access-Token"]),
                "Content-Type": "application/connect+json",
            }
            content = frame({"process": {"cmd": "/bin/sh", "args": ["-c", "true"], "envs": {}}, "stdin": False})

            async def bare() -> None:
                url = f"{cloud.url}/process.Process/Start"
                (await http.post(url, content=content, headers=headers)).raise_for_status()

            async with _ours(provider) as ours:
                samples = await _in_turn([ours, bare, lambda: sandbox.commands.run("true")])
        await sandbox.kill()
    return _figures("e2b", samples, "e2b 2.63.0, which runs a login shell")


async def _of_vercel(home: Path) -> list[Figure]:
    with VercelCloud(home) as cloud:

        async def credentials() -> SandboxCredentials:
            return SandboxCredentials(token=cloud.token, team_id="team_1", project_id="prj_1")

        options = SandboxServiceOptions(base_url=cloud.url, credentials_factory=credentials)
        client = SandboxClient.create(options=options)
        async with (
            VercelProvider(cloud.environ) as provider,
            httpx2.AsyncClient() as http,
            client.create_sandbox() as sandbox,
        ):
            url = f"{cloud.url}/v2/sandboxes/sessions/{sandbox.current_session_id}/cmd"
            body = json.dumps({"command": "sh", "args": ["-c", "true"], "wait": True, "logs": True}).encode()
            headers = {"Authorization": f"Bearer {cloud.token}", "Content-Type": "application/json"}

            async def bare() -> None:
                answer = await http.post(f"{url}?wait=true&logs=true", content=body, headers=headers)
                answer.raise_for_status()

            async with _ours(provider) as ours:
                run = sandbox.run_process
                samples = await _in_turn([ours, bare, lambda: run("sh", ["-c", "true"], capture_output=True)])
        await client.aclose()
    return _figures("vercel", samples, "vercel-sandbox 0.10.0")


@asynccontextmanager
async def _ours(provider: Provider) -> AsyncGenerator[Act]:
    ref = await provider.create(SandboxRequest("bench", Requirements()))

    async def act() -> None:
        async with provider.exec(ref, Command("true", "shell", 60)) as events:
            async for _ in events:
                pass

    yield act
    await provider.destroy(ref)


def _figures(name: str, samples: list[list[float]], vendor: str) -> list[Figure]:
    ours, bare, theirs = (median(taken) for taken in samples)
    note = "ours finds the folder, keeps the deadline and tells both streams' ends inside; the bare one runs `true`"
    return [
        Figure(f"{name}, shell `true`", ours, "ms", bare, "bare httpx2 request", _OVERHEAD_MOST, note=note),
        Figure(f"{name}, shell `true`", ours, "ms", theirs, vendor, 1.0),
    ]


async def _in_turn(acts: list[Act]) -> list[list[float]]:
    samples: list[list[float]] = [[] for _ in acts]
    for number in range(_WARM_UP + _ROUNDS):
        for act, taken in zip(acts, samples, strict=True):
            began = time.perf_counter()
            await act()
            if number >= _WARM_UP:
                taken.append((time.perf_counter() - began) * 1000)
    return samples


def _import_figure(name: str) -> Figure:
    """Measure the CPU time that an adapter's import adds to that of httpx2 and of the contract of providers."""
    before = "import httpx2, anyio, cerver_core.providers.base, cerver_core.providers.abilities"
    added = _import_ms(f"{before}, cerver_core.providers.{name}") - _import_ms(before)
    return Figure(f"import of {name}, over httpx2 and the contract", added, "ms CPU", to_reach=_IMPORT_MOST_MS)


def _import_ms(code: str) -> float:
    probe = f"{code}\nimport time; print(time.process_time())"
    taken = [
        float(subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True).stdout) * 1000
        for _ in range(_IMPORTS)
    ]
    return median(taken)
