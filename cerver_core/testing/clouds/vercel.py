"""A stand-in for Vercel's sandboxes: their API as the vendor's client 0.10.0 speaks it, which runs on it too.

Drives, interactive sessions and network rules are left out. Output is decoded as text, as on the real wire.
"""

import base64
import codecs
import gzip
import io
import json
import tarfile
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from cerver_core.testing.clouds.faults import Faults
from cerver_core.testing.clouds.machine import Job, Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["VercelCloud"]

_PAGE = 3


@dataclass(slots=True)
class Kept:
    """One sandbox and its present run."""

    machine: Machine
    name: str
    body: dict[str, Any]
    session_id: str = field(default_factory=lambda: f"ses_{uuid.uuid4().hex[:20]}")
    past: list[str] = field(default_factory=list[str])
    status: str = "running"
    limit_ms: int = 300_000
    began_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def session(self) -> dict[str, object]:
        """The run as answers show it."""
        return {
            "id": self.session_id, "status": self.status, "timeout": self.limit_ms, "startedAt": self.began_ms,
            "requestedAt": self.began_ms, "cwd": self.machine.home, "memory": 2048, "vcpus": 1,
            "sourceSandboxName": self.name,
        }  # fmt: skip

    def sandbox(self) -> dict[str, object]:
        """The sandbox as answers show it."""
        return {
            "name": self.name, "currentSessionId": self.session_id, "status": self.status, "persistent": True,
            "cwd": self.machine.home, "tags": self.body.get("tags") or {}, "createdAt": self.began_ms,
            "updatedAt": self.began_ms, "timeout": self.limit_ms,
        }  # fmt: skip

    def whole(self) -> dict[str, object]:
        """What creating and getting it answers."""
        ports: list[int] = self.body.get("ports") or []
        routes = [
            {"url": f"https://sb-{self.name}-{port}.vercel.run", "port": port, "subdomain": f"sb-{self.name}-{port}"}
            for port in ports
        ]
        return {"sandbox": self.sandbox(), "session": self.session(), "routes": routes}


class VercelCloud:
    """A cloud of one project on a free port; use it as a context manager. `faults` lets things go wrong."""

    def __init__(self, home: Path) -> None:
        """Keep the machines under `home`, which may be shared with other clouds."""
        self._home = home
        self._served = Served(self._make)
        self.token = f"vcp_{uuid.uuid4().hex}"
        self.faults: Faults
        self._kept: dict[str, Kept] = {}
        self._snapshots: dict[str, Path] = {}

    def __enter__(self) -> Self:
        """Serve."""
        self._served.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Remove every sandbox and stop."""
        self._served.__exit__(*exc_info)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"{self._served.url}/api"

    @property
    def environ(self) -> dict[str, str]:
        """What leads an adapter here."""
        return {
            "VERCEL_TOKEN": self.token,
            "VERCEL_TEAM_ID": "team_1",
            "VERCEL_PROJECT_ID": "prj_1",
            "VERCEL_API_URL": self.url,
        }

    @property
    def count(self) -> int:
        """How many sandboxes there are."""
        return len(self._kept)

    def expire(self, name: str) -> None:
        """Let the present run of a sandbox come to the end of its time."""
        self._kept[name].status = "stopped"

    @asynccontextmanager
    async def _make(self) -> AsyncGenerator[ASGIApp]:
        async with Machines(self._home) as machines:
            self._machines = machines
            session = "/api/v2/sandboxes/sessions/{session}"
            routes = [
                Route("/api/v3/sandboxes", self._create, methods=["POST"]),
                Route("/api/v2/sandboxes", self._list, methods=["GET"]),
                Route(f"{session}/cmd", self._run, methods=["POST"]),
                Route(f"{session}/cmd/{{command}}", self._command, methods=["GET"]),
                Route(f"{session}/cmd/{{command}}/logs", self._logs, methods=["GET"]),
                Route(f"{session}/cmd/{{command}}/stdin", self._stdin, methods=["POST"]),
                Route(f"{session}/cmd/{{command}}/kill", self._kill, methods=["POST"]),
                Route(f"{session}/fs/{{action}}", self._file, methods=["POST"]),
                Route(f"{session}/{{action}}", self._act, methods=["POST"]),
                Route("/api/v2/sandboxes/{name}", self._one, methods=["GET", "DELETE", "PATCH"]),
                Route("/api/v2/sandboxes/{name}/fork", self._fork, methods=["POST"]),
            ]
            self.faults = Faults(Starlette(routes=routes))
            yield self.faults

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _problem(403, "forbidden", "Not authorized")
        return None

    def _asked(self, request: Request) -> Kept | Response:
        if (refused := self._refused(request)) is not None:
            return refused
        kept = self._kept.get(request.path_params["name"])
        return kept or _problem(404, "not_found", "Sandbox not found")

    def _session(self, request: Request) -> Kept | Response:
        if (refused := self._refused(request)) is not None:
            return refused
        session_id = request.path_params["session"]
        kept = next((kept for kept in self._kept.values() if kept.session_id == session_id), None)
        if kept is None or kept.status != "running":
            return _problem(410, "sandbox_stopped", "Sandbox has stopped execution and is no longer available")
        return kept

    async def _create(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.json()
        source: dict[str, str] = body.get("source") or {}
        if source.get("type") == "snapshot" and source["snapshotId"] not in self._snapshots:
            return _problem(404, "not_found", "Snapshot not found")
        return JSONResponse((await self._new(body, self._snapshots.get(source.get("snapshotId", "")))).whole())

    async def _new(self, body: dict[str, Any], files: Path | None) -> Kept:
        machine = await self._machines.make()
        if files is not None:
            await machine.copy_from(files)
        name = body.get("name") or f"sbx-{machine.machine_id}"
        kept = Kept(machine, name, body, limit_ms=body.get("timeout") or 300_000)
        self._kept[name] = kept
        return kept

    async def _list(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        begin = int(request.query_params.get("cursor", "0"))
        found = list(self._kept.values())
        page = found[begin : begin + min(int(request.query_params.get("limit", "20")), _PAGE)]
        following = begin + len(page)
        pages = {"count": len(page), "next": str(following) if following < len(found) else None, "prev": None}
        return JSONResponse({"sandboxes": [kept.sandbox() for kept in page], "pagination": pages})

    async def _one(self, request: Request) -> Response:
        kept = self._asked(request)
        if isinstance(kept, Response):
            return kept
        if request.method == "DELETE":
            del self._kept[kept.name]
            await self._machines.remove(kept.machine)
        elif request.method == "PATCH":
            kept.body |= await request.json()
        elif request.query_params.get("resume") == "true" and kept.status == "stopped":
            await kept.machine.halt()
            kept.past.append(kept.session_id)
            kept.session_id, kept.status = f"ses_{uuid.uuid4().hex[:20]}", "running"
            kept.began_ms = int(time.time() * 1000)
        return JSONResponse(kept.whole())

    async def _fork(self, request: Request) -> Response:
        kept = self._asked(request)
        if isinstance(kept, Response):
            return kept
        place = self._machines.place()
        await kept.machine.copy_to(place)
        return JSONResponse((await self._new({**kept.body, **await request.json(), "name": None}, place)).whole())

    def _over(self, request: Request) -> Response | None:
        """Answer the stop of a run that is over: the vendor's client stops what it leaves, also a second time."""
        session_id = request.path_params["session"]
        for kept in self._kept.values():
            if session_id in kept.past or (session_id == kept.session_id and kept.status == "stopped"):
                told = {**kept.session(), "id": session_id, "status": "stopped"}
                return JSONResponse({"session": told, "sandbox": kept.sandbox()})
        return None

    async def _act(self, request: Request) -> Response:
        kept = self._session(request)
        if isinstance(kept, Response):
            stops = request.path_params["action"] == "stop" and kept.status_code == 410
            return (self._over(request) if stops else None) or kept
        body: dict[str, Any] = await request.json() if await request.body() else {}
        match request.path_params["action"]:
            case "stop":
                kept.status = "stopped"
                await kept.machine.halt()
                return JSONResponse({"session": kept.session(), "sandbox": kept.sandbox()})
            case "extend-timeout":
                kept.limit_ms += body["duration"]
                return JSONResponse({"session": kept.session()})
            case "snapshot":
                snapshot_id = f"snap_{uuid.uuid4().hex[:20]}"
                self._snapshots[snapshot_id] = self._machines.place()
                await kept.machine.copy_to(self._snapshots[snapshot_id])
                kept.status = "stopped"
                await kept.machine.halt()
                return JSONResponse({"snapshot": _snapshot(snapshot_id, kept), "session": kept.session()})
            case action:
                return _problem(404, "not_found", f"no such action {action}")

    async def _run(self, request: Request) -> Response:
        kept = self._session(request)
        if isinstance(kept, Response):
            return kept
        body: dict[str, Any] = await request.json()
        try:
            job = await kept.machine.start(
                [body["command"], *(body.get("args") or [])],
                env=body.get("env"),
                cwd=body.get("cwd"),
                stdin=bool(body.get("attachStdin")),
            )
        except FileNotFoundError as error:
            return _problem(400, "bad_request", f"cwd {error} does not exist")
        if not body.get("wait"):
            return JSONResponse({"command": _command(kept, job)})
        return StreamingResponse(_followed(kept, job), media_type="application/x-ndjson")

    async def _command(self, request: Request) -> Response:
        found = self._job(request)
        if isinstance(found, Response):
            return found
        if request.query_params.get("wait") == "true":
            await found[1].wait()
        return JSONResponse({"command": _command(*found)})

    async def _logs(self, request: Request) -> Response:
        found = self._job(request)
        if isinstance(found, Response):
            return found
        return StreamingResponse(_outputs(found[1]), media_type="application/x-ndjson")

    async def _stdin(self, request: Request) -> Response:
        found = self._job(request)
        if isinstance(found, Response):
            return found
        kept, job = found
        body: dict[str, Any] = await request.json()
        data = base64.b64decode(body.get("data", ""))
        await job.write(data)
        if body.get("close"):
            job.close_input()
        return JSONResponse({"command": _command(kept, job), "bytesWritten": body.get("offset", 0) + len(data)})

    async def _kill(self, request: Request) -> Response:
        found = self._job(request)
        if isinstance(found, Response):
            return found
        await found[1].signal((await request.json())["signal"])
        return JSONResponse({"command": _command(*found)})

    def _job(self, request: Request) -> tuple[Kept, Job] | Response:
        kept = self._session(request)
        if isinstance(kept, Response):
            return kept
        job = kept.machine.jobs.get(request.path_params["command"].removeprefix("cmd_"))
        return _problem(404, "not_found", "Command not found") if job is None else (kept, job)

    async def _file(self, request: Request) -> Response:
        kept = self._session(request)
        if isinstance(kept, Response):
            return kept
        if request.path_params["action"] == "write":
            content, cwd = await request.body(), request.headers.get("x-cwd", kept.machine.home)
            await anyio.to_thread.run_sync(_unpack, kept.machine, content, cwd)
            return JSONResponse({})
        body: dict[str, Any] = await request.json()
        try:
            place = kept.machine.outside(str(Path(body.get("cwd") or kept.machine.home, body["path"])))
            if request.path_params["action"] == "mkdir":
                place.mkdir(parents=True, exist_ok=True)
                return JSONResponse({})
            return Response(place.read_bytes(), media_type="application/octet-stream")
        except (FileNotFoundError, NotADirectoryError):
            return _problem(404, "not_found", "File not found")
        except IsADirectoryError:
            return _problem(400, "bad_request", "Not a file")


def _snapshot(snapshot_id: str, kept: Kept) -> dict[str, object]:
    now = int(time.time() * 1000)
    return {
        "id": snapshot_id, "sourceSessionId": kept.session_id, "region": "iad1", "status": "created", "sizeBytes": 1,
        "createdAt": now, "updatedAt": now,
    }  # fmt: skip


def _command(kept: Kept, job: Job) -> dict[str, object]:
    return {
        "id": f"cmd_{job.job_id}", "name": job.argv[0], "args": list(job.argv[1:]), "cwd": job.cwd,
        "sessionId": kept.session_id, "exitCode": job.exit_code, "startedAt": kept.began_ms,
    }  # fmt: skip


async def _followed(kept: Kept, job: Job) -> AsyncGenerator[bytes]:
    yield _line({"command": {**_command(kept, job), "exitCode": None}})
    async for line in _outputs(job):
        yield line
    yield _line({"command": _command(kept, job)})


async def _outputs(job: Job) -> AsyncGenerator[bytes]:
    make = codecs.getincrementaldecoder("utf-8")
    decoders = {"stdout": make(errors="replace"), "stderr": make(errors="replace")}
    async for output in job.follow():
        text = decoders[output.stream].decode(output.data)
        if text:
            yield _line({"stream": output.stream, "data": text})


def _line(record: object) -> bytes:
    return json.dumps(record).encode() + b"\n"


def _unpack(machine: Machine, content: bytes, cwd: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
        for member in tar:
            place = machine.outside(str(Path(cwd, member.name)))
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif (file := tar.extractfile(member)) is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read())
                place.chmod(member.mode & 0o777)


def _problem(status: int, code: str, message: str) -> Response:
    headers = {"x-vercel-id": f"iad1::{uuid.uuid4().hex[:12]}"}
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
