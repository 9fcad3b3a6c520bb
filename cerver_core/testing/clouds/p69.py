"""A p69 server over machines of this one: the surface `/api/cerver/provider` of wire contract §3.3, in each generation.

The older one answers runs in its own words and knows no streams; asked so, it takes code for a prompt as it used to.
"""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Self
from uuid import uuid4

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from cerver_core.testing.clouds.faults import Faults
from cerver_core.testing.clouds.machine import Job, Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["P69Server"]

_ROOT = "/api/cerver/provider"
_LEAST_S = 5.0
_DEFAULT_S = 30.0


class P69Server:
    """The server; use it as a context manager. `url` is what `P69_BASE_URL` takes."""

    token = "p69_stand_in_token"

    def __init__(self, home: Path, *, generation: Literal["old", "new"] = "new", takes_prompts: bool = False) -> None:
        """Keep the machines under `home`."""
        self.machines: dict[str, Machine] = {}
        self._home = home
        self._generation = generation
        self._takes_prompts = takes_prompts
        self._served = Served(self._app)

    @property
    def url(self) -> str:
        """Its address."""
        return self._served.url

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which an adapter reaches it."""
        return {"P69_BASE_URL": self.url, "P69_API_TOKEN": self.token}

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._served.__exit__(*exc_info)

    @asynccontextmanager
    async def _app(self) -> AsyncGenerator[ASGIApp]:
        async with Machines(self._home) as self._machines:
            one = f"{_ROOT}/sandboxes/{{id}}"
            routes = [
                Route(_ROOT, self._describe),
                Route(f"{_ROOT}/sandboxes", self._create, methods=["POST"]),
                Route(one, self._delete, methods=["DELETE"]),
                Route(f"{one}/run", self._run, methods=["POST"]),
                Route(f"{one}/state", self._state),
                Route(f"{one}/files", self._no_files, methods=["GET", "PUT"]),
            ]
            if self._generation == "new":
                routes.append(Route(f"{one}/run/stream", self._stream, methods=["POST"]))
            self.faults = Faults(Starlette(routes=routes, exception_handlers={HTTPException: _problem}))
            yield self.faults

    def _machine(self, request: Request) -> Machine:
        self._admit(request)
        machine = self.machines.get(request.path_params["id"])
        if machine is None:
            raise HTTPException(404, "sandbox not found")
        return machine

    def _admit(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise HTTPException(401, "unauthorized")

    async def _describe(self, request: Request) -> Response:
        self._admit(request)
        return JSONResponse(
            {
                "provider": "cerver_local_provider",
                "label": "a machine",
                "mode": "local",
                "status": "ready",
                "machine_id": "m1",
                "machine_name": "stand-in",
                "last_heartbeat": None,
                "working_directory": str(self._home),
                "capabilities": {"streaming": True, "runtimes": ["shell"], "git": True},
            }
        )

    async def _create(self, request: Request) -> Response:
        self._admit(request)
        asked = await request.json()
        prefix = "shell_" if self._generation == "new" else ""
        sandbox_id = f"{prefix}{uuid4().hex[:12]}"
        self.machines[sandbox_id] = await self._machines.make()
        return JSONResponse(
            {
                "sandbox_id": sandbox_id,
                "remote_sandbox_id": sandbox_id,
                "provider": "cerver_local_provider",
                "engine": asked.get("engine"),
                "status": "ready",
                "created_at": None,
                "metadata": asked.get("metadata", {}),
                "capabilities": ["run", "stream"],
            }
        )

    async def _delete(self, request: Request) -> Response:
        machine, sandbox_id = self._machine(request), request.path_params["id"]
        del self.machines[sandbox_id]
        await self._machines.remove(machine)
        told = {"success": True, "sandbox_id": sandbox_id, "remote_sandbox_id": sandbox_id, "status": "terminated"}
        return JSONResponse(told)

    async def _begun(self, request: Request) -> tuple[Job, float]:
        machine, asked = self._machine(request), await request.json()
        limit_s = max(_LEAST_S, float(asked.get("timeout") or _DEFAULT_S))
        return await machine.start(("/bin/sh", "-c", asked["code"]), env=asked.get("envs")), limit_s

    async def _run(self, request: Request) -> Response:
        if self._takes_prompts:
            self._machine(request)
            return JSONResponse({"success": True, "action": "started", "exit_code": 0, "stdout": "Sure!", "stderr": ""})
        began = time.monotonic()
        job, limit_s = await self._begun(request)
        streams = {"stdout": b"", "stderr": b""}
        with anyio.move_on_after(limit_s) as limit:
            async for output in job.follow():
                streams[output.stream] += output.data
        code = job.exit_code
        if limit.cancelled_caught and code is None:
            await job.signal(9)
            code = 124
        told = {name: data.decode(errors="replace") for name, data in streams.items()}
        sandbox_id = request.path_params["id"]
        if self._generation == "old":
            old = {"success": code == 0, "action": "started", "command_id": job.job_id, "execution_runtime": "shell"}
            return JSONResponse({**old, **told, "exit_code": code, "session_id": sandbox_id, "can_resume": False})
        took_ms = round((time.monotonic() - began) * 1000)
        return JSONResponse(
            {**told, "exit_code": code, "duration_ms": took_ms, "sandbox_id": sandbox_id, "engine": "shell"}
        )

    async def _stream(self, request: Request) -> Response:
        job, limit_s = await self._begun(request)
        return StreamingResponse(_events(job, limit_s), media_type="text/event-stream")

    async def _state(self, request: Request) -> Response:
        self._machine(request)
        told = {"provider": "cerver_local_provider", "sandbox_id": request.path_params["id"]}
        return JSONResponse({**told, "agent": {}, "agent_counts": {"total": 0}})

    async def _no_files(self, request: Request) -> Response:
        self._machine(request)
        return JSONResponse({"detail": "files are not implemented"}, 501)


async def _events(job: Job, limit_s: float) -> AsyncGenerator[str]:
    yield _event({"type": "connected", "agentId": job.job_id, "status": "running"})
    with anyio.move_on_after(limit_s) as limit:
        async for output in job.follow():
            data = output.data.decode(errors="replace")
            yield _event({"type": "output", "stream": output.stream, "data": data})
    if limit.cancelled_caught:
        await job.signal(9)
    yield _event({"type": "exit", "exit_code": 124 if limit.cancelled_caught else job.exit_code})


def _event(told: dict[str, object]) -> str:
    return f"data: {json.dumps(told)}\n\n"


async def _problem(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"detail": error.detail if isinstance(error, HTTPException) else "failed"}, status)
