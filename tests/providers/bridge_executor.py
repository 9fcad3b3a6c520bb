"""The container behind the real bridge: runs its programs on this machine, with a folder where `/workspace` is."""

import json
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream
from anyio.streams.memory import MemoryObjectSendStream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from cerver_core.testing.clouds import Served

__all__ = ["Executor"]


class Executor(Served):
    def __init__(self, home: Path, bubblewrap: str) -> None:
        super().__init__(self._app)
        self._home = home
        self._bubblewrap = bubblewrap

    @asynccontextmanager
    async def _app(self) -> AsyncGenerator[ASGIApp]:
        yield Starlette(
            routes=[
                Route("/{id}/exec", self._exec, methods=["POST"]),
                Route("/{id}/box", self._remove, methods=["DELETE"]),
                Route("/{id}/file", self._file, methods=["GET", "PUT"]),
            ]
        )

    def _folder(self, request: Request) -> Path:
        folder = self._home / request.path_params["id"]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def _exec(self, request: Request) -> Response:
        asked, folder = await request.json(), self._folder(request)
        argv = [self._bubblewrap, *_everything(), "--bind", str(folder), "/workspace"]
        argv += ["--chdir", asked["cwd"], "--setenv", "HOME", "/workspace"]
        return StreamingResponse(_told([*argv, "--", "/bin/bash", "-c", asked["command"]]))

    async def _remove(self, request: Request) -> Response:
        shutil.rmtree(self._folder(request), ignore_errors=True)
        return Response(status_code=204)

    async def _file(self, request: Request) -> Response:
        path = request.query_params["path"]
        # The bridge packs and unpacks workspaces by way of /tmp, which a program sees as it is here.
        inside = path.removeprefix("/workspace").lstrip("/")
        place = self._folder(request) / inside if path.startswith("/workspace") else Path(path)
        if request.method == "PUT":
            if not place.parent.is_dir():
                return Response(status_code=404)
            place.write_bytes(await request.body())
            return Response(status_code=204)
        return Response(place.read_bytes()) if place.is_file() else Response(status_code=404)


def _everything() -> list[str]:
    """Show all of this machine in its place."""
    argv: list[str] = []
    for entry in sorted(Path("/").iterdir()):
        if entry.is_symlink():
            argv += ["--symlink", str(entry.readlink()), str(entry)]
        elif entry.name != "workspace":
            argv += ["--dev-bind", str(entry), str(entry)]
    return argv


async def _told(argv: list[str]) -> AsyncGenerator[str]:
    to, pieces = anyio.create_memory_object_stream[dict[str, object]](16)
    environ = {"PATH": os.environ["PATH"]}
    process = await anyio.open_process(argv, stdin=None, env=environ, start_new_session=True)
    assert process.stdout is not None
    assert process.stderr is not None
    async with pieces, anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_on, process.stdout, "stdout", to.clone())
        tasks.start_soon(_pass_on, process.stderr, "stderr", to.clone())
        to.close()
        async for piece in pieces:
            yield json.dumps(piece) + "\n"
        code = await process.wait()
        yield json.dumps({"exitCode": code if code >= 0 else 128 - code}) + "\n"
    await process.aclose()


async def _pass_on(source: ByteReceiveStream, stream: str, to: MemoryObjectSendStream[dict[str, object]]) -> None:
    async with to:
        async for data in source:
            await to.send({"stream": stream, "data": data.decode(errors="replace")})
