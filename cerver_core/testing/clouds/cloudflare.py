"""A stand-in for Cloudflare's sandbox bridge (`@cloudflare/sandbox` 0.12.10), over machines of this one.

What a machine's home is here is `/workspace` there. As in the bridge, what a program writes is decoded as text on its
way, the path of a file is taken as it stands in the address, and a program goes on when its caller leaves. A container
starts with the first use of an id, and again after it was removed.
"""

import base64
import codecs
import json
import re
import secrets
import shlex
import tarfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from cerver_core.testing.clouds.faults import Faults
from cerver_core.testing.clouds.machine import Job, Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["CloudflareCloud"]

_MOST_BYTES = 32 * 1024 * 1024
_WORKSPACE = "/workspace"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class CloudflareCloud:
    """The stand-in; use it as a context manager. `url` is the Worker's address; `api_key` its secret."""

    api_key = "cf_stand_in_key"

    def __init__(self, home: Path) -> None:
        """Keep the machines under `home`."""
        self.machines: dict[str, Machine] = {}
        self._home = home
        self._starting = anyio.Lock()
        self._served = Served(self._app)

    @property
    def url(self) -> str:
        """The address of the Worker."""
        return self._served.url

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which an adapter reaches it."""
        return {"CLOUDFLARE_SANDBOX_URL": self.url, "SANDBOX_API_KEY": self.api_key}

    def __enter__(self) -> Self:
        self._served.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._served.__exit__(*exc_info)

    @asynccontextmanager
    async def _app(self) -> AsyncGenerator[ASGIApp]:
        async with Machines(self._home) as self._machines:
            one = "/v1/sandbox/{id}"
            routes = [
                Route("/health", _health),
                Route("/v1/sandbox", self._create, methods=["POST"]),
                Route(one, self._delete, methods=["DELETE"]),
                Route(f"{one}/exec", self._exec, methods=["POST"]),
                Route(f"{one}/running", self._running),
                Route(f"{one}/file/{{path:path}}", self._read, methods=["GET"]),
                Route(f"{one}/file/{{path:path}}", self._write, methods=["PUT"]),
                Route(f"{one}/persist", self._persist, methods=["POST"]),
                Route(f"{one}/hydrate", self._hydrate, methods=["POST"]),
                Route(f"{one}/tunnel/{{port:int}}", self._tunnel, methods=["POST"]),
            ]
            self.faults = Faults(Starlette(routes=routes, exception_handlers={HTTPException: _problem}))
            yield self.faults

    def _admit(self, request: Request) -> None:
        if not re.fullmatch(r"[a-z2-7]{1,128}", request.path_params.get("id", "a")):
            raise HTTPException(400, "invalid_request: Invalid sandbox ID format")
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise HTTPException(401, "unauthorized: Unauthorized")

    async def _machine(self, request: Request) -> Machine:
        self._admit(request)
        async with self._starting:
            if request.path_params["id"] not in self.machines:
                self.machines[request.path_params["id"]] = await self._machines.make()
        return self.machines[request.path_params["id"]]

    async def _create(self, request: Request) -> Response:
        self._admit(request)
        return JSONResponse({"id": "".join(secrets.choice(_ALPHABET) for _ in range(26))})

    async def _delete(self, request: Request) -> Response:
        self._admit(request)
        machine = self.machines.pop(request.path_params["id"], None)
        if machine is not None:
            await self._machines.remove(machine)
        return Response(status_code=204)

    async def _running(self, request: Request) -> Response:
        await self._machine(request)
        return JSONResponse({"running": True})

    async def _exec(self, request: Request) -> Response:
        machine, asked = await self._machine(request), await request.json()
        if not isinstance(asked.get("argv"), list) or not asked["argv"]:
            raise HTTPException(400, "invalid_request: argv must be a non-empty array")
        cwd = str(self._place(machine, asked["cwd"])) if "cwd" in asked else machine.home
        job = await machine.start(("/bin/bash", "-c", shlex.join(asked["argv"])), cwd=cwd)
        return StreamingResponse(_events(job, asked.get("timeout_ms")), media_type="text/event-stream")

    def _place(self, machine: Machine, path: str) -> Path:
        """Find a path of the workspace on this machine."""
        whole = path if path.startswith("/") else f"{_WORKSPACE}/{path}"
        if whole == _WORKSPACE or whole.startswith(f"{_WORKSPACE}/"):
            whole = machine.home + whole.removeprefix(_WORKSPACE)
        try:
            place = machine.outside(whole)
            if place.is_relative_to(machine.outside(machine.home)):
                return place
        except FileNotFoundError:
            pass
        raise HTTPException(403, "invalid_request: path must resolve to a location within /workspace")

    async def _file(self, request: Request) -> Path:
        machine = await self._machine(request)
        raw = request.scope["raw_path"].decode().partition("/file/")[2]
        return self._place(machine, f"/{raw}")

    async def _read(self, request: Request) -> Response:
        place = await self._file(request)
        if not place.is_file():
            raise HTTPException(404, "workspace_read_not_found: File not found")
        return FileResponse(place, media_type="application/octet-stream")

    async def _write(self, request: Request) -> Response:
        place, content = await self._file(request), await request.body()
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, "payload_too_large: payload too large")
        if not place.parent.is_dir():
            raise HTTPException(502, "workspace_archive_write_error: write failed")
        await anyio.Path(place).write_bytes(content)
        return JSONResponse({"ok": True})

    async def _persist(self, request: Request) -> Response:
        machine = await self._machine(request)
        archive = self._machines.place().with_suffix(".tar")
        await anyio.to_thread.run_sync(_pack, machine.outside(machine.home), archive)
        return FileResponse(archive, media_type="application/octet-stream")

    async def _hydrate(self, request: Request) -> Response:
        machine, content = await self._machine(request), await request.body()
        if not content or len(content) > _MOST_BYTES:
            raise HTTPException(400, "invalid_request: tar payload empty or too large")
        archive = self._machines.place().with_suffix(".tar")
        await anyio.to_thread.run_sync(_unpack, content, archive, machine.outside(machine.home))
        return JSONResponse({"ok": True})

    async def _tunnel(self, request: Request) -> Response:
        await self._machine(request)
        port = request.path_params["port"]
        if not 1024 <= port <= 65535:
            raise HTTPException(400, "invalid_request: Invalid port")
        host = f"{request.path_params['id'][:8]}-{port}.trycloudflare.com"
        told = {"id": "tunnel", "port": port, "url": f"https://{host}", "hostname": host, "createdAt": ""}
        return JSONResponse(told)


async def _events(job: Job, timeout_ms: float | None) -> AsyncGenerator[str]:
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
    with anyio.move_on_after(timeout_ms / 1000 if timeout_ms else None) as limit:
        async for output in job.follow():
            text = decoders[output.stream].decode(output.data)
            yield f"event: {output.stream}\ndata: {base64.b64encode(text.encode()).decode()}\n\n"
    if limit.cancelled_caught:
        await job.signal(9)
        yield f"event: error\ndata: {json.dumps({'error': 'Command timeout', 'code': 'exec_error'})}\n\n"
    else:
        yield f"event: exit\ndata: {json.dumps({'exit_code': job.exit_code})}\n\n"


def _pack(source: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        tar.add(source, ".")


def _unpack(content: bytes, archive: Path, target: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(content)
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="fully_trusted")
    archive.unlink()


async def _health(request: Request) -> Response:
    del request
    return JSONResponse({"ok": True})


async def _problem(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, _, message = (error.detail if isinstance(error, HTTPException) else "error: failed").partition(": ")
    return JSONResponse({"error": message, "code": code}, status)
