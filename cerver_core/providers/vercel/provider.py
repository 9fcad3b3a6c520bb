"""`VercelProvider`: sandboxes of Vercel by their names; what runs in them is the matter of commands and the shell."""

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import CerverError, Conflict, InvalidInput, NotFound, NotSupported, ProviderUnavailable
from cerver_core.providers.abilities import SESSION_LABEL, Preview, SandboxInfo
from cerver_core.providers.base import Output, SandboxRef, SandboxRequest
from cerver_core.providers.cloud import CloudProvider
from cerver_core.providers.http import CloudHttp, Transport, Vendor, placeable
from cerver_core.providers.shell import Ended, Program, ProgramStream, cloud_compute
from cerver_core.providers.vercel.commands import Commands
from cerver_core.providers.vercel.credentials import Credentials
from cerver_core.wire.computes import Compute

__all__ = ["VercelProvider"]

API_URL = "https://vercel.com/api"
"""The vendor's own (SDK 0.10.0)."""

_BOOT_S = 120.0
_STOP_S = 120.0
_POLL_S = 0.25
_SPARE_S = 600.0
_NEAR_S = 60.0
_PAGE = "50"
_MOST_PORTS = 15
_MEMORY_OF_CPU_MB = 2048
_STOPPED = ("sandbox_stopped", "sandbox_stopping", "sandbox_snapshotting")
_STATES: Mapping[str, Literal["running", "paused", "stopped"]] = {
    "running": "running",
    "pending": "running",
    "stopping": "paused",
    "snapshotting": "paused",
    "stopped": "paused",
    "failed": "stopped",
    "aborted": "stopped",
}


@dataclass(frozen=True, slots=True)
class _Session:
    """A run of a sandbox: its path, and when the vendor ends it on the monotonic clock."""

    path: str
    ends_s: float


class VercelProvider(CloudProvider):
    """Vercel as a compute. It satisfies every ability of `cerver_core.providers.abilities`, and `Pausable`."""

    def __init__(
        self, environ: Mapping[str, str], *, clock: Clock | None = None, transport: Transport | None = None
    ) -> None:
        """Read `VERCEL_OIDC_TOKEN`, or `VERCEL_TOKEN` with `VERCEL_TEAM_ID` and `VERCEL_PROJECT_ID`.

        `VERCEL_REGION` names a region, `VERCEL_API_URL` another API.
        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: the credential is not complete.
        """
        credentials = Credentials.of(environ)
        self._project = {"projectId": credentials.project_id, "teamId": credentials.team_id}
        self._team = {"teamId": credentials.team_id}
        self._region = environ.get("VERCEL_REGION") or None
        self._clock = clock or SystemClock()
        url = (environ.get("VERCEL_API_URL") or API_URL).rstrip("/")
        self._compute_id = ids.compute_id(self.name, f"{url}\0{credentials.team_id}\0{credentials.project_id}")
        vendor = Vendor(self.name, credentials.variable, (credentials.token,), request_id="x-vercel-id")
        self._http = CloudHttp(vendor, url, {"Authorization": f"Bearer {credentials.token}"}, transport=transport)
        super().__init__(self._http)
        self._commands = Commands(self._http, self._team)
        self._sessions: dict[str, _Session] = {}

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "vercel"

    async def describe(self) -> Compute:
        """Say what the vendor's default image offers; nothing is asked of the vendor."""
        return cloud_compute(self.name, self._compute_id, "Vercel Sandbox", binary_output=False)

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox and our folders in it; one that does not come up is removed."""
        needs = request.requirements
        asked: dict[str, JsonValue] = {}
        if not needs.network:
            asked["networkPolicy"] = {"mode": "deny-all"}
        if needs.memory_mb is not None:
            asked["resources"] = {"vcpus": math.ceil(needs.memory_mb / _MEMORY_OF_CPU_MB)}
        return await self._made(request.session_id, asked, needs.timeout_minutes * 60 + _SPARE_S)

    async def create_from(self, snapshot_id: str, *, session_id: str) -> SandboxRef:
        """Make a sandbox of a snapshot."""
        source: JsonValue = {"type": "snapshot", "snapshotId": snapshot_id}
        return await self._made(session_id, {"source": source}, 3 * _SPARE_S)

    async def fork(self, ref: SandboxRef, *, session_id: str) -> SandboxRef:
        """Make a second sandbox of this one's last kept state and settings."""
        body: JsonValue = {"tags": {SESSION_LABEL: session_id}, "timeout": int(3 * _SPARE_S * 1000)}
        with placeable():
            told = await self._http.json(
                "POST", f"{_path(ref)}/fork", query=self._project, body=body, timeout_s=_BOOT_S
            )
            return await self._up(told)

    async def pause(self, ref: SandboxRef) -> None:
        """Stop the sandbox: its processes end, its disk is kept."""
        told = await self._get(ref, resume=False)
        self._sessions.pop(ref.sandbox_id, None)
        if _STATES.get(_status(told), "running") == "running":
            session = self._http.text(_part(told, "sandbox"), "currentSessionId")
            try:
                await self._http.json("POST", f"{_session_path(session)}/stop", query=self._team, body={})
            except CerverError as error:
                if error.detail.get("reason") not in _STOPPED:
                    raise
        for _ in range(int(_STOP_S / _POLL_S)):
            if _status(await self._get(ref, resume=False)) in ("stopped", "failed", "aborted"):
                return
            await anyio.sleep(_POLL_S)
        raise ProviderUnavailable(f"sandbox {ref.sandbox_id} did not stop within {_STOP_S:g} s", provider=self.name)

    async def resume(self, ref: SandboxRef) -> None:
        """Start the sandbox again from its disk."""
        self._keep(ref, await self._get(ref, resume=True))

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox and the state that was kept of it; one that is gone is well gone."""
        self._sessions.pop(ref.sandbox_id, None)
        try:
            query = {**self._project, "deleteOrphanSnapshots": "true"}
            await self._http.whole("DELETE", _path(ref), query=query)
        except NotFound:
            return

    async def set_timeout(self, ref: SandboxRef, timeout_s: float) -> None:
        """Let the vendor stop the sandbox after this time from now.

        Raises:
            NotSupported: it would live longer than that already; the vendor only extends.
        """
        session = await self._session(ref)
        more_s = timeout_s - (session.ends_s - time.monotonic())
        if more_s < -_NEAR_S:
            raise NotSupported("vercel can only let a sandbox live longer; pause or destroy it to end it sooner")
        if more_s > 0:
            body: JsonValue = {"duration": math.ceil(more_s * 1000)}
            await self._http.json("POST", f"{session.path}/extend-timeout", query=self._team, body=body)
            self._sessions[ref.sandbox_id] = _Session(session.path, time.monotonic() + timeout_s)

    async def snapshot(self, ref: SandboxRef) -> str:
        """Keep the files as they are; the vendor stops the sandbox for it, and it starts again when it is used."""
        session = await self._session(ref)
        told = await self._http.json("POST", f"{session.path}/snapshot", query=self._team, body={}, timeout_s=_STOP_S)
        self._sessions.pop(ref.sandbox_id, None)
        return self._http.text(_part(told, "snapshot"), "id")

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Give the address of a port; one that was not open yet is opened. The vendor has 15 for a sandbox."""
        told = await self._get(ref, resume=True)
        self._keep(ref, told)
        found = _routes(told)
        if port not in found:
            ports: list[JsonValue] = [*found, port]
            if len(ports) > _MOST_PORTS:
                raise InvalidInput(f"vercel opens at most {_MOST_PORTS} ports of a sandbox; these are open: {[*found]}")
            told = await self._http.json("PATCH", _path(ref), query=self._project, body={"ports": ports})
            found = _routes(told) if port in _routes(told) else _routes(await self._get(ref, resume=True))
        if port not in found:
            raise ProviderUnavailable(f"vercel did not open port {port} of sandbox {ref.sandbox_id}")
        return Preview(found[port], {})

    async def sandboxes(self) -> AsyncGenerator[SandboxInfo]:
        """Go through all sandboxes of the project, page by page."""
        query = {**self._team, "project": self._project["projectId"], "limit": _PAGE}
        while True:
            told = await self._http.json("GET", "/v2/sandboxes", query=query)
            page, more = told.get("sandboxes"), _part(told, "pagination").get("next")
            for sandbox in page if isinstance(page, list) else []:
                if isinstance(sandbox, dict):
                    yield self._info(sandbox)
            if not isinstance(more, str) or not more:
                return
            query["cursor"] = more

    @asynccontextmanager
    async def _run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        session = await self._session(ref, program.timeout_s)
        try:
            async with self._commands.run(session.path, program) as events:
                yield events
        except NotFound:
            # This run of the sandbox is over; the next call asks for the one that runs then.
            self._sessions.pop(ref.sandbox_id, None)
            raise

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program; see `Link`."""
        return self._run(ref, program)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file; see `Link`."""
        await self._commands.put((await self._session(ref)).path, path, content)

    @asynccontextmanager
    async def _get_file(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        async with self._commands.get((await self._session(ref)).path, path) as pieces:
            yield pieces

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file; see `Link`."""
        return self._get_file(ref, path)

    async def _made(self, session_id: str, asked: Mapping[str, JsonValue], timeout_s: float) -> SandboxRef:
        body: dict[str, JsonValue] = {
            "projectId": self._project["projectId"],
            "persistent": True,
            "timeout": int(timeout_s * 1000),
            "tags": {SESSION_LABEL: session_id},
            **asked,
        }
        if self._region is not None:
            body["region"] = self._region
        with placeable():
            return await self._up(
                await self._http.json("POST", "/v3/sandboxes", query=self._team, body=body, timeout_s=_BOOT_S)
            )

    async def _up(self, told: Mapping[str, JsonValue]) -> SandboxRef:
        """Make our folders in a new sandbox; one in which that fails is removed."""
        ref = SandboxRef(self.name, self._http.text(_part(told, "sandbox"), "name"), self._compute_id)
        async with self.removed_on_failure(ref):
            self._keep(ref, told)
            return await self.set_up(ref)

    async def _session(self, ref: SandboxRef, need_s: float = 0.0) -> _Session:
        """Give the session that runs, for so long at least; one that stopped is started again."""
        known = self._sessions.get(ref.sandbox_id)
        if known is None or known.ends_s < time.monotonic():
            self._keep(ref, await self._get(ref, resume=True))
            known = self._sessions[ref.sandbox_id]
        if known.ends_s - time.monotonic() < need_s + _NEAR_S:
            await self.set_timeout(ref, need_s + _SPARE_S)
        return known

    async def _get(self, ref: SandboxRef, *, resume: bool) -> dict[str, JsonValue]:
        query = {**self._project, "resume": "true" if resume else "false"}
        return await self._http.json("GET", _path(ref), query=query, timeout_s=_BOOT_S)

    def _keep(self, ref: SandboxRef, told: Mapping[str, JsonValue]) -> None:
        session = _part(told, "session")
        if _status(told) in ("failed", "aborted"):
            raise Conflict(f"sandbox {ref.sandbox_id} is {_status(told)} at vercel and cannot be used")
        limit, began = session.get("timeout"), session.get("startedAt") or session.get("requestedAt")
        left_s = float(limit) / 1000 if isinstance(limit, int | float) else _SPARE_S
        if isinstance(began, int | float):
            left_s -= max(0.0, self._clock.now().timestamp() - began / 1000)
        path = _session_path(self._http.text(session, "id"))
        self._sessions[ref.sandbox_id] = _Session(path, time.monotonic() + left_s)

    def _info(self, sandbox: Mapping[str, JsonValue]) -> SandboxInfo:
        tags, created = sandbox.get("tags"), sandbox.get("createdAt")
        return SandboxInfo(
            ref=SandboxRef(self.name, self._http.text(sandbox, "name"), self._compute_id),
            state=_STATES.get(str(sandbox.get("status")), "unknown"),
            created_at=datetime.fromtimestamp(created / 1000, UTC) if isinstance(created, int | float) else None,
            labels={name: str(value) for name, value in tags.items()} if isinstance(tags, dict) else None,
        )


def _path(ref: SandboxRef) -> str:
    return f"/v2/sandboxes/{quote(ref.sandbox_id, safe='')}"


def _session_path(session_id: str) -> str:
    return f"/v2/sandboxes/sessions/{quote(session_id, safe='')}"


def _part(told: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _status(told: Mapping[str, JsonValue]) -> str:
    return str(_part(told, "session").get("status") or _part(told, "sandbox").get("status"))


def _routes(told: Mapping[str, JsonValue]) -> dict[int, str]:
    routes = told.get("routes")
    found: dict[int, str] = {}
    for route in routes if isinstance(routes, list) else []:
        if isinstance(route, dict) and not route.get("system"):
            port, url = route.get("port"), route.get("url")
            if isinstance(port, int) and isinstance(url, str):
                found[port] = url
    return found
