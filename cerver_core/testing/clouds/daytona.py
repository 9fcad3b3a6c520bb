"""A stand-in for Daytona: its REST API for sandboxes, and the toolbox of each, over machines of this one.

A sandbox is `creating` when it is answered, and `started` when it is asked for again. The log of a command carries
lines, marked by stream, as the vendor's shell makes them: a NUL is lost, and half a line waits for its end. Commands of
a session share no shell here.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, cast
from uuid import uuid4

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from cerver_core.providers.base import Output
from cerver_core.testing.clouds.daytona_files import bulk_download, download, file_info, folder, upload
from cerver_core.testing.clouds.faults import Faults
from cerver_core.testing.clouds.machine import Job, Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["DaytonaCloud", "DaytonaSandbox"]

Endpoint = Callable[[Request], Awaitable[Response]]

_MARKS = {"stdout": b"\x01\x01\x01", "stderr": b"\x02\x02\x02"}
_PAGE = 2
"""How many sandboxes a page of the list holds at most, so that there are pages."""

_EXECUTE_S = 10


@dataclass(slots=True)
class DaytonaSandbox:
    """One sandbox and what the API says of it."""

    sandbox_id: str
    machine: Machine
    asked: dict[str, object]
    state: str = "creating"
    sandbox_class: str = "container"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    auto_destroy_at: datetime | None = None
    sessions: dict[str, dict[str, Job]] = field(default_factory=dict[str, dict[str, Job]])

    @property
    def labels(self) -> dict[str, str]:
        """What it was labelled with."""
        labels = self.asked.get("labels")
        return cast("dict[str, str]", labels) if isinstance(labels, dict) else {}

    def shown(self, url: str) -> dict[str, object]:
        """Write it as the API does."""
        until = None if self.auto_destroy_at is None else self.auto_destroy_at.isoformat()
        return {
            "id": self.sandbox_id,
            "organizationId": "org",
            "name": self.asked.get("name") or self.sandbox_id,
            "snapshot": self.asked.get("snapshot") or "default",
            "user": "daytona",
            "env": self.asked.get("env") or {},
            "labels": self.labels,
            "public": False,
            "networkBlockAll": bool(self.asked.get("networkBlockAll")),
            "kvm": False,
            "target": "us",
            "cpu": 1,
            "gpu": 0,
            "memory": 1,
            "disk": 3,
            "state": self.state,
            "autoStopInterval": self.asked.get("autoStopInterval", 15),
            "autoDestroyAt": until,
            "createdAt": self.created_at.isoformat(),
            "updatedAt": self.created_at.isoformat(),
            "sandboxClass": self.sandbox_class,
            "toolboxProxyUrl": f"{url}/toolbox",
        }


class DaytonaCloud:
    """The stand-in; use it as a context manager. `url` is what `DAYTONA_API_URL` takes; `api_key` is the one key."""

    api_key = "dtn_stand_in_key"

    def __init__(self, home: Path, *, sandbox_class: str = "container") -> None:
        """Keep the machines under `home`; `sandbox_class` is that of new sandboxes."""
        self.sandboxes: dict[str, DaytonaSandbox] = {}
        self.snapshots: dict[str, Path] = {}
        self.created_state = "creating"
        """The state in which a new sandbox is answered first."""
        self.broken_logs = 0
        """How many of the next logs break off after their first message."""
        self.preview_url = "https://{port}-{sandbox_id}.proxy.stand-in.example"
        """Where previews lead; the commands really run on this machine, so `http://127.0.0.1:{port}` leads there."""
        self._class = sandbox_class
        self._home = home
        self._served = Served(self._app, ws="websockets-sansio")

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"{self._served.url}/api"

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which an adapter reaches it."""
        return {"DAYTONA_API_KEY": self.api_key, "DAYTONA_API_URL": self.url}

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._served.__exit__(*exc_info)

    @asynccontextmanager
    async def _app(self) -> AsyncGenerator[ASGIApp]:
        async with Machines(self._home) as self._machines:
            self.faults = Faults(Starlette(routes=self._routes(), exception_handlers={HTTPException: _problem}))
            yield self.faults

    def _routes(self) -> list[Route | WebSocketRoute]:
        one, box, shell = "/api/sandbox/{id}", "/toolbox/{id}", "/toolbox/{id}/process/session"
        return [
            Route("/api/sandbox", self._create, methods=["POST"]),
            Route("/api/sandbox", self._list),
            Route("/api/sandbox", self._list, methods=["GET"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(f"{one}/toolbox-proxy-url", self._toolbox_url),
            Route(f"{one}/ports/{{port:int}}/preview-url", self._preview),
            Route(f"{one}/autostop/{{minutes:int}}", self._autostop, methods=["POST"]),
            Route(f"{one}/ttl/{{minutes:int}}", self._ttl, methods=["POST"]),
            Route(f"{one}/snapshot", self._snapshot, methods=["POST"]),
            Route(f"{one}/fork", self._fork, methods=["POST"]),
            Route(f"{one}/{{verb}}", self._move, methods=["POST"]),
            Route(f"{box}/process/execute", self._execute, methods=["POST"]),
            Route(shell, self._open_session, methods=["POST"]),
            Route(f"{shell}/{{session}}", self._close_session, methods=["DELETE"]),
            Route(f"{shell}/{{session}}/exec", self._run, methods=["POST"]),
            Route(f"{shell}/{{session}}/command/{{command}}", self._command),
            Route(f"{shell}/{{session}}/command/{{command}}/input", self._input, methods=["POST"]),
            WebSocketRoute(f"{shell}/{{session}}/command/{{command}}/logs", self._logs),
            Route(f"{box}/files/bulk-upload", self._with_machine(upload), methods=["POST"]),
            Route(f"{box}/files/bulk-download", self._with_machine(bulk_download), methods=["POST"]),
            Route(f"{box}/files/download", self._with_machine(download)),
            Route(f"{box}/files/info", self._with_machine(file_info)),
            Route(f"{box}/files", self._with_machine(folder)),
        ]

    def _found(self, request: Request | WebSocket, *, started: bool = True) -> DaytonaSandbox:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise HTTPException(401, "Invalid credentials")
        sandbox = self.sandboxes.get(request.path_params["id"])
        if sandbox is None or sandbox.state == "destroyed":
            raise HTTPException(404, f"Sandbox with ID or name {request.path_params['id']} not found")
        if started and request.url.path.startswith("/toolbox") and sandbox.state != "started":
            raise HTTPException(400, "Sandbox is not running")
        return sandbox

    def _with_machine(self, answer: Callable[[Machine, Request], Awaitable[Response]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await answer(self._found(request).machine, request)

        return endpoint

    def _shown(self, sandbox: DaytonaSandbox) -> Response:
        return JSONResponse(sandbox.shown(self._served.url))

    async def _create(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise HTTPException(401, "Invalid credentials")
        asked = await request.json()
        sandbox = DaytonaSandbox(
            str(uuid4()), await self._machines.make(), asked, self.created_state, sandbox_class=self._class
        )
        kept = self.snapshots.get(str(asked.get("snapshot")))
        if kept is not None:
            await sandbox.machine.copy_from(kept)
        self.sandboxes[sandbox.sandbox_id] = sandbox
        return self._shown(sandbox)

    async def _list(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise HTTPException(401, "Invalid credentials")
        labels = json.loads(request.query_params.get("labels") or "{}")
        fitting = [sandbox for sandbox in self.sandboxes.values() if labels.items() <= sandbox.labels.items()]
        begin = int(request.query_params.get("cursor") or 0)
        cursor = str(begin + _PAGE) if begin + _PAGE < len(fitting) else None
        items = [sandbox.shown(self._served.url) for sandbox in fitting[begin : begin + _PAGE]]
        return JSONResponse({"items": items, "nextCursor": cursor})

    async def _get(self, request: Request) -> Response:
        sandbox = self._found(request)
        if sandbox.state == "creating":
            sandbox.state = "started"
        return self._shown(sandbox)

    async def _delete(self, request: Request) -> Response:
        sandbox = self._found(request)
        del self.sandboxes[sandbox.sandbox_id]
        await self._machines.remove(sandbox.machine)
        sandbox.state = "destroyed"
        return self._shown(sandbox)

    async def _toolbox_url(self, request: Request) -> Response:
        self._found(request)
        return JSONResponse({"url": f"{self._served.url}/toolbox"})

    async def _preview(self, request: Request) -> Response:
        sandbox, port = self._found(request), request.path_params["port"]
        url = self.preview_url.format(port=port, sandbox_id=sandbox.sandbox_id)
        return JSONResponse({"sandboxId": sandbox.sandbox_id, "url": url, "token": f"token-for-{port}"})

    async def _autostop(self, request: Request) -> Response:
        sandbox = self._found(request)
        sandbox.asked["autoStopInterval"] = request.path_params["minutes"]
        return self._shown(sandbox)

    async def _ttl(self, request: Request) -> Response:
        sandbox = self._found(request)
        sandbox.auto_destroy_at = sandbox.created_at + timedelta(minutes=request.path_params["minutes"])
        return self._shown(sandbox)

    async def _snapshot(self, request: Request) -> Response:
        sandbox, asked = self._found(request), await request.json()
        if sandbox.sandbox_class == "container":
            raise HTTPException(400, "Snapshots from a running sandbox are not supported for this sandbox class")
        self.snapshots[asked["name"]] = self._machines.place()
        await sandbox.machine.copy_to(self.snapshots[asked["name"]])
        return self._shown(sandbox)

    async def _fork(self, request: Request) -> Response:
        sandbox, asked = self._found(request), await request.json()
        if sandbox.sandbox_class == "container":
            raise HTTPException(400, "Fork is not supported for this sandbox class")
        place = self._machines.place()
        await sandbox.machine.copy_to(place)
        fork = DaytonaSandbox(str(uuid4()), await self._machines.make(), asked, sandbox_class=self._class)
        await fork.machine.copy_from(place)
        self.sandboxes[fork.sandbox_id] = fork
        return self._shown(fork)

    async def _move(self, request: Request) -> Response:
        sandbox, verb = self._found(request), request.path_params["verb"]
        if verb == "start":
            if sandbox.state == "started":
                raise HTTPException(400, "Sandbox is not in a startable state")
            sandbox.state = "started"
        elif verb in ("stop", "pause"):
            if verb == "pause" and sandbox.sandbox_class == "container":
                raise HTTPException(400, "Pause is not supported for this sandbox class")
            if sandbox.state != "started":
                raise HTTPException(400, "Sandbox is not started")
            await sandbox.machine.halt()
            sandbox.sessions.clear()
            sandbox.state = "stopped"
        else:
            raise HTTPException(404, f"Cannot POST {request.url.path}")
        return self._shown(sandbox)

    async def _execute(self, request: Request) -> Response:
        sandbox, asked = self._found(request), await request.json()
        argv = ("/bin/sh", "-c", asked["command"])
        try:
            job = await sandbox.machine.start(argv, env=asked.get("envs"), cwd=asked.get("cwd"))
        except FileNotFoundError:
            raise HTTPException(400, f"chdir {asked['cwd']}: no such file or directory") from None
        with anyio.move_on_after(asked.get("timeout") or _EXECUTE_S):
            code = await job.wait()
            result = b"".join(output.data for output in job.outputs).decode(errors="replace")
            return JSONResponse({"exitCode": code, "result": result})
        await job.signal(9)
        raise HTTPException(408, "command execution timeout")

    async def _open_session(self, request: Request) -> Response:
        sandbox, asked = self._found(request), await request.json()
        if asked["sessionId"] in sandbox.sessions:
            raise HTTPException(409, "session already exists")
        sandbox.sessions[asked["sessionId"]] = {}
        return Response(status_code=201)

    async def _close_session(self, request: Request) -> Response:
        sandbox = self._found(request)
        for job in self._session(sandbox, request).values():
            await job.signal(9)
        del sandbox.sessions[request.path_params["session"]]
        return Response(status_code=204)

    def _session(self, sandbox: DaytonaSandbox, request: Request | WebSocket) -> dict[str, Job]:
        session = sandbox.sessions.get(request.path_params["session"])
        if session is None:
            raise HTTPException(404, "session not found")
        return session

    def _job(self, request: Request | WebSocket) -> Job:
        job = self._session(self._found(request), request).get(request.path_params["command"])
        if job is None:
            raise HTTPException(404, "command not found")
        return job

    async def _run(self, request: Request) -> Response:
        sandbox, asked = self._found(request), await request.json()
        session = self._session(sandbox, request)
        job = await sandbox.machine.start(("/bin/sh", "-c", asked["command"]), stdin=True)
        session[job.job_id] = job
        if asked.get("runAsync") or asked.get("async"):
            return JSONResponse({"cmdId": job.job_id}, 202)
        code = await job.wait()
        streams = {"stdout": b"", "stderr": b""}
        for output in job.outputs:
            streams[output.stream] += output.data
        told = {name: data.decode(errors="replace") for name, data in streams.items()}
        return JSONResponse({"cmdId": job.job_id, "exitCode": code, "output": "".join(told.values()), **told})

    async def _command(self, request: Request) -> Response:
        job = self._job(request)
        code = {} if job.exit_code is None else {"exitCode": job.exit_code}
        return JSONResponse({"id": job.job_id, "command": job.argv[-1], **code})

    async def _input(self, request: Request) -> Response:
        job = self._job(request)
        await job.write((await request.json())["data"].encode())
        return Response(status_code=204)

    async def _logs(self, socket: WebSocket) -> None:
        try:
            job = self._job(socket)
        except HTTPException as error:
            await socket.send_denial_response(JSONResponse({"message": error.detail}, error.status_code))
            return
        await socket.accept()
        try:
            async for line in _marked(job.follow()):
                await socket.send_bytes(line)
                if self.broken_logs > 0:
                    self.broken_logs -= 1
                    await socket.close(1011, "broken on purpose")
                    return
            await socket.close(1000)
        except WebSocketDisconnect:
            return


async def _marked(outputs: AsyncIterator[Output]) -> AsyncGenerator[bytes]:
    """Mark what comes, a line at a time, as a shell that reads lines does."""
    held = {"stdout": b"", "stderr": b""}
    async for output in outputs:
        *lines, rest = (held[output.stream] + output.data.replace(b"\0", b"")).split(b"\n")
        held[output.stream] = rest
        if lines:
            yield b"".join(_MARKS[output.stream] + line + b"\n" for line in lines)
    for stream, rest in held.items():
        if rest:
            yield _MARKS[stream] + rest + b"\n"


async def _problem(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Internal server error"
    return JSONResponse({"statusCode": status, "message": detail, "error": detail}, status)
