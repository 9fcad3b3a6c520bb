"""An execution through Cerver, warm, over a bare asyncio subprocess of the same command, at each isolation level."""

import asyncio
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from benchmarks.figure import Figure, median
from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.providers.base import Command, Provider, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.providers.local.levels import LEVELS
from cerver_core.wire.computes import ExecRequest, IsolationLevel, Requirements, Runtime
from cerver_core.wire.sessions import CreateSession

__all__ = ["measure"]

_ROUNDS = 60
_WARM_UP = 5
_SHELL_MOST = 1.3
_PYTHON_MOST = 0.4

Act = Callable[[], Awaitable[object]]


def measure() -> list[Figure]:
    """Measure round after round: ours and the bare one in turn."""
    return anyio.run(_measure)


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as folder:
        async with LocalProvider(Path(folder)) as provider:
            compute = await provider.describe()
            levels: list[IsolationLevel] = [level for level in LEVELS if level not in compute.unavailable_levels]
            python = next(runtime.path for runtime in compute.runtimes if runtime.name == "python")
            bare = [_bare("/bin/sh", "-c", "true")] + ([] if python is None else [_bare(python, "-c", "pass")])
            figures = [figure for level in levels for figure in await _of_the_provider(provider, level, bare)]
        settings = Settings.from_environ({"CERVER_HOME": folder, "HOME": folder})
        async with connect(settings) as cerver:
            return figures + [figure for level in levels for figure in await _of_the_engine(cerver, level, bare)]


async def _of_the_provider(provider: Provider, level: IsolationLevel, bare: list[Act]) -> list[Figure]:
    ref = await provider.create(SandboxRequest(f"bench-{level}", Requirements(isolation=level)))

    def act(code: str, runtime: Runtime) -> Act:
        async def run() -> None:
            async with provider.exec(ref, Command(code, runtime, 60)) as events:
                async for _ in events:
                    pass

        return run

    samples = await _in_turn([*[act("true", "shell"), act("pass", "python")][: len(bare)], *bare])
    await provider.destroy(ref)
    return _figures(f"provider, {level}", samples)


async def _of_the_engine(cerver: Cerver, level: IsolationLevel, bare: list[Act]) -> list[Figure]:
    session_id = (await cerver.sessions.create(CreateSession(requirements=Requirements(isolation=level)))).session_id

    def act(code: str, runtime: Runtime) -> Act:
        return lambda: cerver.computes.exec(session_id, ExecRequest(code=code, runtime=runtime))

    samples = await _in_turn([*[act("true", "shell"), act("pass", "python")][: len(bare)], *bare])
    await cerver.sessions.terminate(session_id, delete_workspace=True)
    return _figures(f"engine, {level}", samples)


def _figures(where: str, samples: list[list[float]]) -> list[Figure]:
    ours, bare = samples[: len(samples) // 2], samples[len(samples) // 2 :]
    kinds = (("shell `true`", "bare `sh -c true`", _SHELL_MOST), ("python `pass`", "`python3 -c pass`", _PYTHON_MOST))
    return [
        Figure(f"{kind}, {where}", median(mine), "ms", median(theirs), rival, most)
        for (kind, rival, most), mine, theirs in zip(kinds, ours, bare, strict=False)
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


def _bare(*command: str) -> Act:
    async def act() -> None:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
        await process.communicate()

    return act
