"""A stand-in for E2B: its control API and its in-sandbox daemon, on one address; the vendor's client 2.63.0 runs on it.

Both are what `E2B_API_URL` and `E2B_SANDBOX_URL` are set to. Compression and the file-system service are left out.
"""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cerver_core.testing.clouds.envd import Envd
from cerver_core.testing.clouds.faults import Faults
from cerver_core.testing.clouds.machine import Machine, Machines
from cerver_core.testing.clouds.serving import Served

__all__ = ["E2bCloud"]

_PAGE = 3


@dataclass(slots=True)
class Kept:
    """One sandbox as the control API knows it."""

    machine: Machine
    template: str
    metadata: dict[str, str]
    ends_at: datetime
    state: str = "running"
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def sandbox_id(self) -> str:
        """The id on the wire."""
        return f"i{self.machine.machine_id}"

    def created(self) -> dict[str, object]:
        """What creating it answers."""
        return {
            "templateID": self.template, "sandboxID": self.sandbox_id, "clientID": "stand-in", "envdVersion": "0.6.13",
            "envdAccessToken": self.token, "domain": None, "alias": "base",
        }  # fmt: skip

    def listed(self) -> dict[str, object]:
        """What a list shows of it."""
        return {
            "templateID": self.template, "sandboxID": self.sandbox_id, "clientID": "stand-in", "envdVersion": "0.6.13",
            "startedAt": self.started_at.isoformat(), "endAt": self.ends_at.isoformat(), "cpuCount": 2,
            "memoryMB": 512, "diskSizeMB": 10240, "state": self.state, "metadata": self.metadata, "alias": "base",
        }  # fmt: skip


class E2bCloud:
    """A cloud of one account on a free port; use it as a context manager. `faults` lets things go wrong."""

    def __init__(self, home: Path) -> None:
        """Keep the machines under `home`, which may be shared with other clouds."""
        self._home = home
        self._served = Served(self._make)
        self.api_key = f"e2b_{uuid.uuid4().hex}"
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
        """The address of both planes."""
        return self._served.url

    @property
    def environ(self) -> dict[str, str]:
        """What leads an adapter here."""
        return {"E2B_API_KEY": self.api_key, "E2B_API_URL": self.url, "E2B_SANDBOX_URL": self.url}

    @property
    def count(self) -> int:
        """How many sandboxes there are."""
        return len(self._kept)

    def expire(self, sandbox_id: str) -> None:
        """Let a sandbox come to the end of its time, as the edge sees it: it is gone."""
        self._kept.pop(sandbox_id)

    @asynccontextmanager
    async def _make(self) -> AsyncGenerator[ASGIApp]:
        async with Machines(self._home) as machines:
            self._machines = machines
            envd = Envd(self._running)
            control = [
                Route("/v2/sandboxes", self._create, methods=["POST"]),
                Route("/sandboxes", self._create, methods=["POST"]),
                Route("/v2/sandboxes", self._list, methods=["GET"]),
                Route("/sandboxes/{id}", self._one, methods=["GET", "DELETE"]),
                Route("/v2/sandboxes/{id}/connect", self._connect, methods=["POST"]),
                Route("/sandboxes/{id}/{action}", self._act, methods=["POST"]),
            ]
            self.faults = Faults(Starlette(routes=[*control, *envd.routes]))
            yield self.faults

    def _running(self, request: Request) -> Kept | Response:
        sandbox_id = request.headers.get("e2b-sandbox-id", "")
        kept = self._kept.get(sandbox_id)
        if kept is None or kept.state != "running":
            told = {"sandboxId": sandbox_id, "message": "The sandbox was not found", "code": 502}
            return JSONResponse(told, 502)
        if request.headers.get("x-access-token") != kept.token:
            return JSONResponse({"code": 401, "message": "unauthorized access"}, 401)
        return kept

    def _asked(self, request: Request) -> Kept | Response:
        if (refused := self._refused(request)) is not None:
            return refused
        sandbox_id = request.path_params["id"]
        kept = self._kept.get(sandbox_id)
        return kept or _problem(404, f"sandbox {sandbox_id} not found")

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("x-api-key") == self.api_key:
            return None
        return _problem(401, "Invalid API key, please visit https://e2b.dev/docs/api-key for more information")

    async def _create(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.json()
        template = body["templateID"]
        if template != "base" and template not in self._snapshots:
            return _problem(404, f"template '{template}' not found")
        kept = await self._new(template, body.get("metadata") or {}, body.get("timeout", 300))
        return JSONResponse(kept.created(), 201)

    async def _new(self, template: str, metadata: dict[str, str], timeout_s: int) -> Kept:
        machine = await self._machines.make()
        if template in self._snapshots:
            await machine.copy_from(self._snapshots[template])
        kept = Kept(machine, template, metadata, datetime.now(UTC) + timedelta(seconds=timeout_s))
        self._kept[kept.sandbox_id] = kept
        return kept

    async def _list(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        begin = int(request.query_params.get("nextToken", "0"))
        limit = min(int(request.query_params.get("limit", "100")), _PAGE)
        states = request.query_params.get("state", "running,paused").split(",")
        found = [kept for kept in self._kept.values() if kept.state in states]
        page = [kept.listed() for kept in found[begin : begin + limit]]
        more = {"x-next-token": str(begin + limit)} if begin + limit < len(found) else None
        return JSONResponse(page, headers=more)

    async def _one(self, request: Request) -> Response:
        kept = self._asked(request)
        if isinstance(kept, Response):
            return kept
        if request.method == "GET":
            return JSONResponse({**kept.listed(), "envdAccessToken": kept.token, "domain": None})
        del self._kept[kept.sandbox_id]
        await self._machines.remove(kept.machine)
        return Response(status_code=204)

    async def _connect(self, request: Request) -> Response:
        kept = self._asked(request)
        if isinstance(kept, Response):
            return kept
        was_paused, kept.state = kept.state == "paused", "running"
        kept.ends_at = datetime.now(UTC) + timedelta(seconds=(await request.json()).get("timeout", 300))
        return JSONResponse(kept.created(), 201 if was_paused else 200)

    async def _act(self, request: Request) -> Response:
        kept = self._asked(request)
        if isinstance(kept, Response):
            return kept
        body: dict[str, Any] = await request.json() if await request.body() else {}
        match request.path_params["action"]:
            case "timeout":
                kept.ends_at = datetime.now(UTC) + timedelta(seconds=body["timeout"])
                return Response(status_code=204)
            case "pause":
                return await self._pause(kept, keeps_memory=body.get("memory", True))
            case "snapshots":
                snapshot_id = f"snap-{uuid.uuid4().hex[:12]}"
                self._snapshots[snapshot_id] = self._machines.place()
                await kept.machine.copy_to(self._snapshots[snapshot_id])
                return JSONResponse({"snapshotID": snapshot_id, "names": []}, 201)
            case "fork":
                return await self._fork(kept, body)
            case action:
                return _problem(404, f"no such action {action}")

    async def _pause(self, kept: Kept, *, keeps_memory: bool) -> Response:
        if kept.state == "paused":
            return _problem(409, f"sandbox {kept.sandbox_id} is already paused")
        kept.state = "paused"
        if not keeps_memory:
            await kept.machine.halt()
        return Response(status_code=204)

    async def _fork(self, kept: Kept, body: dict[str, Any]) -> Response:
        place = self._machines.place()
        await kept.machine.copy_to(place)
        self._snapshots[place.name] = place
        made = [
            await self._new(place.name, kept.metadata, body.get("timeout", 300)) for _ in range(body.get("count", 1))
        ]
        return JSONResponse([{"sandbox": one.created()} for one in made], 201)


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"code": status, "message": message}, status)
