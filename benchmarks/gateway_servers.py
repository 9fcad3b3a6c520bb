"""The process that the gateway's benchmark loads: a gateway, and beside it Starlette answering constants."""

import gc
import json
import os
import sys
from functools import partial
from pathlib import Path

import anyio
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cerver_core.api import Host
from cerver_core.clock import SystemClock
from cerver_core.config import Settings
from cerver_core.gateway import create_app
from cerver_core.gateway.ratelimits import Rate, RateLimits
from cerver_core.gateway.server import Server, bind
from cerver_core.hosting import open_host
from cerver_core.wire.transcripts import AppendEntries, AppendReply

__all__ = ["constant_app"]

_READ: list[bytes] = []
"""The answer of a read, byte for byte as the gateway gives it; the benchmark hands it over."""


def constant_app(host: Host) -> Starlette:
    """Make the rival: the same key check and the same body models, no store and no session."""

    async def append(request: Request) -> Response:
        await host.authenticate(request.headers["authorization"].removeprefix("Bearer "))
        body = AppendEntries.model_validate_json(await request.body())
        last = len(body.entries)
        return _json(AppendReply(session_id=request.path_params["id"], seqs=(last,), added=last, last_seq=last))

    async def read(request: Request) -> Response:
        await host.authenticate(request.headers["authorization"].removeprefix("Bearer "))
        return Response(_READ[0], media_type="application/json")

    async def keep(request: Request) -> Response:
        _READ[:] = [await request.body()]
        return Response()

    others = [Route(f"/v2/other{number}", keep, methods=["PUT"]) for number in range(40)]
    return Starlette(
        routes=[
            *others,
            Route("/v2/sessions/{id}/transcript", append, methods=["POST"]),
            Route("/v2/sessions/{id}", read, methods=["GET"]),
            Route("/keep", keep, methods=["POST"]),
        ]
    )


def _json(reply: BaseModel) -> Response:
    return Response(reply.model_dump_json(by_alias=True), media_type="application/json")


async def _serve(home: Path) -> None:
    settings = Settings.from_environ({"CERVER_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"]})
    async with open_host(settings, is_local_compute=True) as host:
        token = await host.first_key()
        listeners = [bind("127.0.0.1", 0) for _ in range(2)]
        ports = [listener.getsockname()[1] for listener in listeners]
        ours = create_app(
            host, rates=RateLimits(SystemClock(), key=Rate(per_s=1e9, burst=1_000_000_000), streams=10_000)
        )
        rival = constant_app(host)
        rival.state.serving = ours.state.serving
        async with anyio.create_task_group() as tasks:
            for app, listener in zip((ours, rival), listeners, strict=True):
                tasks.start_soon(partial(Server(app).serve, sockets=[listener]))
            print(json.dumps({"ports": ports, "token": token, "pid": os.getpid()}), flush=True)
            gc.collect()
            gc.freeze()  # as `cerver serve` does
            await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(_serve, Path(sys.argv[1]), backend_options={"use_uvloop": True})
