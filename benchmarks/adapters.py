"""An execution through the adapters of clouds: over a bare request to the same stand-in, and over the vendor's client.

The stand-ins run every command for real, each in a process of its own beside this one; so a figure holds what the
vendor's side costs here, which is far less than a real one's distance.
"""

import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx2
from e2b import AsyncSandbox
from vercel.sandbox import SandboxClient, SandboxCredentials, SandboxServiceOptions

from benchmarks.cloud_process import serving
from benchmarks.figure import Figure, median
from cerver_core.providers.base import Command, Provider, SandboxRef, SandboxRequest
from cerver_core.providers.cloudflare import CloudflareProvider
from cerver_core.providers.daytona import DaytonaProvider
from cerver_core.providers.e2b import E2bProvider
from cerver_core.providers.e2b.connect import frame
from cerver_core.providers.p69 import P69Provider
from cerver_core.providers.vercel import VercelProvider
from cerver_core.wire.computes import Requirements

__all__ = ["measure"]

_ROUNDS = 40
_WARM_UP = 5
_OVERHEAD_MOST = 1.5
_IMPORTS = 7
_IMPORT_MOST_MS = 30.0

Act = Callable[[], Awaitable[object]]
Environ = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Rivals:
    """The bare request that runs `true`, and the vendor's client doing it, where there is one for this Python."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    client: Act | None = None
    client_name: str = ""


def measure() -> list[Figure]:
    """Measure round after round: ours, the bare one and the vendor's in turn."""
    figures: list[Figure] = []
    for name in _CASES:
        with serving(name) as environ:
            figures += anyio.run(_executions, name, environ)
    return figures + [_import_figure(name) for name in _CASES]


async def _executions(name: str, environ: Environ) -> list[Figure]:
    make, rivals_of = _CASES[name]
    async with make(environ) as provider, httpx2.AsyncClient() as http:
        ref = await provider.create(SandboxRequest("bench", Requirements()))

        async def ours() -> None:
            async with provider.exec(ref, Command("true", "shell", 60)) as events:
                async for _ in events:
                    pass

        async with rivals_of(environ, ref) as rivals:

            async def bare() -> None:
                answer = await http.post(rivals.url, content=rivals.body, headers=rivals.headers)
                answer.raise_for_status()

            acts: list[Act] = [ours, bare]

            taken = await _in_turn(acts if rivals.client is None else [*acts, rivals.client])
        await provider.destroy(ref)
    what = f"{name}, shell `true`"
    note = "ours finds the folder, keeps the deadline and tells both streams' ends inside; the bare one runs `true`"
    figures = [Figure(what, taken[0], "ms", taken[1], "bare httpx2 request", _OVERHEAD_MOST, note=note)]
    if rivals.client is not None:
        figures.append(Figure(what, taken[0], "ms", taken[2], rivals.client_name, 1.0))
    return figures


async def _in_turn(acts: list[Act]) -> list[float]:
    samples: list[list[float]] = [[] for _ in acts]
    for number in range(_WARM_UP + _ROUNDS):
        for act, taken in zip(acts, samples, strict=True):
            began = time.perf_counter()
            await act()
            if number >= _WARM_UP:
                taken.append((time.perf_counter() - began) * 1000)
    return [median(taken) for taken in samples]


@asynccontextmanager
async def _e2b(environ: Environ, ref: SandboxRef) -> AsyncGenerator[_Rivals]:
    del ref
    url = environ["E2B_API_URL"]
    sandbox = await AsyncSandbox.create(
        api_key=environ["E2B_API_KEY"], api_url=url, sandbox_url=environ["E2B_SANDBOX_URL"], http_version="1.1"
    )
    headers = {
        "E2b-Sandbox-Id": sandbox.sandbox_id,
        "X-Access-Token": str(sandbox.connection_config.sandbox_headers["X-Access-Token"]),
        "Content-Type": "application/connect+json",
    }
    body = frame({"process": {"cmd": "/bin/sh", "args": ["-c", "true"], "envs": {}}, "stdin": False})
    yield _Rivals(
        f"{url}/process.Process/Start", body, headers,
        lambda: sandbox.commands.run("true"), "e2b 2.63.0, which runs a login shell",
    )  # fmt: skip
    await sandbox.kill()


@asynccontextmanager
async def _vercel(environ: Environ, ref: SandboxRef) -> AsyncGenerator[_Rivals]:
    del ref
    token, team, project = (environ[f"VERCEL_{name}"] for name in ("TOKEN", "TEAM_ID", "PROJECT_ID"))

    async def credentials() -> SandboxCredentials:
        return SandboxCredentials(token=token, team_id=team, project_id=project)

    options = SandboxServiceOptions(base_url=environ["VERCEL_API_URL"], credentials_factory=credentials)
    client = SandboxClient.create(options=options)
    async with client.create_sandbox() as sandbox:
        url = f"{environ['VERCEL_API_URL']}/v2/sandboxes/sessions/{sandbox.current_session_id}/cmd?wait=true&logs=true"
        body = json.dumps({"command": "sh", "args": ["-c", "true"], "wait": True, "logs": True}).encode()
        run = sandbox.run_process
        yield _Rivals(
            url, body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            lambda: run("sh", ["-c", "true"], capture_output=True), "vercel-sandbox 0.10.0",
        )  # fmt: skip
    await client.aclose()


@asynccontextmanager
async def _cloudflare(environ: Environ, ref: SandboxRef) -> AsyncGenerator[_Rivals]:
    url = f"{environ['CLOUDFLARE_SANDBOX_URL']}/v1/sandbox/{ref.sandbox_id}/exec"
    body = json.dumps({"argv": ["sh", "-c", "true"], "timeout_ms": 60_000}).encode()
    yield _Rivals(url, body, _bearer(environ["SANDBOX_API_KEY"]))


@asynccontextmanager
async def _daytona(environ: Environ, ref: SandboxRef) -> AsyncGenerator[_Rivals]:
    body = json.dumps({"command": "true"}).encode()
    yield _Rivals(f"{ref.data['toolbox']}/process/execute", body, _bearer(environ["DAYTONA_API_KEY"]))


@asynccontextmanager
async def _p69(environ: Environ, ref: SandboxRef) -> AsyncGenerator[_Rivals]:
    url = f"{environ['P69_BASE_URL']}/api/cerver/provider/sandboxes/{ref.sandbox_id}/run"
    body = json.dumps({"code": "true", "timeout": 60}).encode()
    yield _Rivals(url, body, _bearer(environ["P69_API_TOKEN"]))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


_CASES: Mapping[
    str,
    tuple[Callable[[Environ], Provider], Callable[[Environ, SandboxRef], AbstractAsyncContextManager[_Rivals]]],
] = {
    "e2b": (E2bProvider, _e2b),
    "vercel": (VercelProvider, _vercel),
    "daytona": (DaytonaProvider, _daytona),
    "cloudflare": (CloudflareProvider, _cloudflare),
    "p69": (P69Provider, _p69),
}


def _import_figure(name: str) -> Figure:
    """Measure the CPU time that an adapter's import adds to that of httpx2 and of the contract of providers."""
    before = "import httpx2, anyio, cerver_core.providers.base, cerver_core.providers.abilities"
    added = _import_ms(f"{before}, cerver_core.providers.{name}") - _import_ms(before)
    return Figure(f"import of {name}, over httpx2 and the contract", added, "ms CPU", to_reach=_IMPORT_MOST_MS)


def _import_ms(code: str) -> float:
    """Measure an import of modules that were compiled before, as they are after the first use."""
    probe = f"{code}\nimport time; print(time.process_time())"
    taken = [
        float(subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True).stdout) * 1000
        for _ in range(_IMPORTS + 1)
    ]
    return median(taken[1:])
