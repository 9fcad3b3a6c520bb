"""The daemon of the stand-in for E2B: processes over Connect with JSON, files over REST."""

import base64
import json
import signal
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Protocol

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cerver_core.testing.clouds.machine import Job, Machine

__all__ = ["Envd"]

_HEAD = struct.Struct(">BI")
_MEDIA = "application/connect+json"


class Kept(Protocol):
    """A sandbox that runs."""

    machine: Machine


class Envd:
    """The daemons of all sandboxes; `running` finds the one that a request means, or says why not."""

    def __init__(self, running: Callable[[Request], Kept | Response]) -> None:
        self._running = running
        self.routes = [
            Route("/health", self._health, methods=["GET"]),
            Route("/files", self._read, methods=["GET"]),
            Route("/files", self._write, methods=["POST"]),
            Route("/process.Process/Start", self._start, methods=["POST"]),
            Route("/process.Process/Connect", self._follow, methods=["POST"]),
            Route("/process.Process/{call}", self._unary, methods=["POST"]),
        ]

    async def _health(self, request: Request) -> Response:
        kept = self._running(request)
        return kept if isinstance(kept, Response) else Response(status_code=204)

    async def _read(self, request: Request) -> Response:
        kept = self._running(request)
        if isinstance(kept, Response):
            return kept
        path = request.query_params["path"]
        try:
            content = kept.machine.outside(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return JSONResponse({"code": 404, "message": f"path '{path}' does not exist"}, 404)
        except IsADirectoryError:
            return JSONResponse({"code": 400, "message": f"path '{path}' is a directory"}, 400)
        return StreamingResponse(_blocks(content), media_type="application/octet-stream")

    async def _write(self, request: Request) -> Response:
        kept = self._running(request)
        if isinstance(kept, Response):
            return kept
        if request.headers.get("content-type", "").startswith("multipart/"):
            async with request.form(max_part_size=1024 * 1024 * 1024) as form:
                file = form["file"]
                assert not isinstance(file, str)
                content, name = await file.read(), file.filename or ""
        else:
            content, name = await request.body(), ""
        path = request.query_params.get("path") or name
        place = kept.machine.outside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return JSONResponse([{"name": place.name, "type": "file", "path": path}])

    async def _start(self, request: Request) -> Response:
        kept = self._running(request)
        if isinstance(kept, Response):
            return kept
        asked = _message(await request.body())
        process, limit_ms = asked["process"], request.headers.get("connect-timeout-ms")
        try:
            job = await kept.machine.start(
                [process["cmd"], *process.get("args", [])],
                env=process.get("envs"),
                cwd=process.get("cwd"),
                stdin=asked.get("stdin", True),
            )
        except FileNotFoundError as error:
            why = {"code": "invalid_argument", "message": f"cwd '{error}' does not exist"}
            return Response(_frame({"error": why}, 2), media_type=_MEDIA)
        return _told(request, job, None if limit_ms is None else int(limit_ms) / 1000)

    async def _follow(self, request: Request) -> Response:
        kept = self._running(request)
        if isinstance(kept, Response):
            return kept
        job = _job(kept.machine, _message(await request.body()))
        if job is None:
            why = {"code": "not_found", "message": "process not found"}
            return Response(_frame({"error": why}, 2), media_type=_MEDIA)
        return _told(request, job, None, begin=len(job.outputs))

    async def _unary(self, request: Request) -> Response:
        kept = self._running(request)
        if isinstance(kept, Response):
            return kept
        asked: dict[str, Any] = json.loads(await request.body() or b"{}")
        if request.path_params["call"] == "List":
            return JSONResponse({"processes": [_shown(job) for job in kept.machine.jobs.values() if _runs(job)]})
        job = _job(kept.machine, asked)
        if job is None:
            return JSONResponse({"code": "not_found", "message": "process not found"}, 404)
        match request.path_params["call"]:
            case "SendSignal":
                await job.signal(getattr(signal, asked["signal"].removeprefix("SIGNAL_")))
            case "SendInput":
                await job.write(base64.b64decode(asked["input"]["stdin"]))
            case "CloseStdin":
                job.close_input()
            case _:
                return JSONResponse({"code": "unimplemented", "message": "not in this stand-in"}, 501)
        return JSONResponse({})


def _told(request: Request, job: Job, limit_s: float | None, begin: int = 0) -> Response:
    ping_s = float(request.headers.get("keepalive-ping-interval", "90"))
    return StreamingResponse(_events(job, limit_s, ping_s, begin), media_type=_MEDIA)


async def _events(job: Job, limit_s: float | None, ping_s: float, given: int) -> AsyncGenerator[bytes]:
    deadline = anyio.current_time() + (limit_s if limit_s is not None else float("inf"))
    yield _frame({"event": {"start": {"pid": job.pid}}})
    while True:
        more: bool | None = None
        with anyio.move_on_after(min(ping_s, deadline - anyio.current_time())):
            more = await job.more(given)
        if more is None and anyio.current_time() >= deadline:
            # The real one kills the process when its request's time is over.
            await job.signal(signal.SIGKILL)
            yield _frame({"error": {"code": "deadline_exceeded", "message": "context deadline exceeded"}}, 2)
            return
        if more is None:
            yield _frame({"event": {"keepalive": {}}})
        elif more:
            output = job.outputs[given]
            given += 1
            yield _frame({"event": {"data": {output.stream: base64.b64encode(output.data).decode()}}})
        else:
            yield _frame({"event": {"end": _end(job)}})
            yield _frame({}, 2)
            return


def _end(job: Job) -> dict[str, object]:
    if job.was_signalled:
        return {"exitCode": -1, "status": "signal: killed", "error": "signal: killed"}
    if not job.exit_code:
        return {"exited": True, "status": "exit status 0"}
    status = f"exit status {job.exit_code}"
    return {"exitCode": job.exit_code, "exited": True, "status": status, "error": status}


def _shown(job: Job) -> dict[str, object]:
    return {"config": {"cmd": job.argv[0], "args": list(job.argv[1:]), "cwd": job.cwd}, "pid": job.pid}


def _runs(job: Job) -> bool:
    return job.exit_code is None


def _job(machine: Machine, asked: dict[str, Any]) -> Job | None:
    pid = asked.get("process", {}).get("pid")
    return next((job for job in machine.jobs.values() if job.pid == pid and _runs(job)), None)


def _frame(message: object, flags: int = 0) -> bytes:
    content = json.dumps(message).encode()
    return _HEAD.pack(flags, len(content)) + content


def _message(body: bytes) -> dict[str, Any]:
    _, size = _HEAD.unpack_from(body)
    return json.loads(body[_HEAD.size : _HEAD.size + size])


async def _blocks(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), 65536):
        yield content[begin : begin + 65536]
