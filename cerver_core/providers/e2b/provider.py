"""`E2bProvider`: sandboxes of E2B by its control API; what runs in them is the daemon's and the shell's matter."""

import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote

from pydantic import JsonValue

from cerver_core import ids
from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import ConfigurationError, Conflict, NotFound, ProviderUnavailable
from cerver_core.providers.abilities import SESSION_LABEL, Preview, SandboxInfo
from cerver_core.providers.base import SandboxRef, SandboxRequest
from cerver_core.providers.cloud import CloudProvider
from cerver_core.providers.e2b.daemon import Daemon, Reached
from cerver_core.providers.http import CloudHttp, Transport, Vendor, placeable
from cerver_core.providers.shell import Program, ProgramStream, cloud_compute
from cerver_core.wire.computes import Compute

__all__ = ["E2bProvider"]

_DOMAIN = "e2b.app"
_TEMPLATE = "base"
_BOOT_S = 90.0
_SPARE_S = 600
"""How long a sandbox lives beyond the execution it was last asked for. Afterwards the vendor pauses it."""

_NEAR_S = 60.0
_PAGE = "100"


class E2bProvider(CloudProvider):
    """E2B as a compute. It satisfies every ability of `cerver_core.providers.abilities`, and `Pausable`."""

    def __init__(
        self, environ: Mapping[str, str], *, clock: Clock | None = None, transport: Transport | None = None
    ) -> None:
        """Read `E2B_API_KEY`.

        `E2B_DOMAIN`, or `E2B_API_URL` and `E2B_SANDBOX_URL`, lead to another host that speaks this wire, as
        the vendor's own client reads them; `E2B_TEMPLATE` names what new sandboxes are made of, instead of `base`.
        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: there is no credential.
        """
        key = environ.get("E2B_API_KEY")
        if not key:
            raise ConfigurationError("e2b needs E2B_API_KEY")
        self._domain = environ.get("E2B_DOMAIN") or _DOMAIN
        self._sandbox_url = (environ.get("E2B_SANDBOX_URL") or "").rstrip("/") or None
        self._template = environ.get("E2B_TEMPLATE") or _TEMPLATE
        self._clock = clock or SystemClock()
        url = (environ.get("E2B_API_URL") or f"https://api.{self._domain}").rstrip("/")
        self._compute_id = ids.compute_id(self.name, url)
        self._http = CloudHttp(Vendor(self.name, "E2B_API_KEY", (key,)), url, {"X-API-KEY": key}, transport=transport)
        daemon = Vendor(self.name, "E2B_API_KEY (it gave no token for this sandbox)", (key,))
        # A client of its own: the key is for the control API, and never goes into a sandbox.
        self._inside = CloudHttp(
            daemon, self._sandbox_url or f"https://sandbox.{self._domain}", {}, transport=transport
        )
        super().__init__(self._http, self._inside)
        self._daemon = Daemon(self._inside, self._reached, lambda ref: self._known.pop(ref.sandbox_id, None))
        self._known: dict[str, tuple[Reached, float]] = {}

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "e2b"

    async def describe(self) -> Compute:
        """Say what the vendor's default template offers; nothing is asked of the vendor."""
        return cloud_compute(self.name, self._compute_id, "E2B" if self._domain == _DOMAIN else f"E2B ({self._domain})")

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox and our folders in it; one that does not come up is removed."""
        needs = request.requirements
        return await self._made(
            request.session_id, self._template, needs.timeout_minutes * 60 + _SPARE_S, network=needs.network
        )

    async def create_from(self, snapshot_id: str, *, session_id: str) -> SandboxRef:
        """Make a sandbox of a snapshot."""
        return await self._made(session_id, snapshot_id, 3 * _SPARE_S)

    async def fork(self, ref: SandboxRef, *, session_id: str) -> SandboxRef:
        """Make a second sandbox like this one, with the processes that run in it; its label stays that of the first."""
        with placeable():
            answer = await self._http.whole(
                "POST", f"{_path(ref)}/fork", content=json.dumps({"count": 1, "timeout": 3 * _SPARE_S}).encode(),
                headers={"Content-Type": "application/json"}, timeout_s=_BOOT_S,
            )  # fmt: skip
            results: object = json.loads(answer)
            result = cast("list[object]", results)[0] if isinstance(results, list) and results else None
            sandbox = cast("dict[str, JsonValue]", result).get("sandbox") if isinstance(result, dict) else None
            if not isinstance(sandbox, dict):
                raise ProviderUnavailable(f"e2b could not fork sandbox {ref.sandbox_id}", provider=self.name)
            return await self._up(sandbox, 3 * _SPARE_S)

    async def pause(self, ref: SandboxRef) -> None:
        """Keep the disk and let go of the rest; every process ends."""
        self._known.pop(ref.sandbox_id, None)
        try:
            await self._http.json("POST", f"{_path(ref)}/pause", body={"memory": False}, timeout_s=_BOOT_S)
        except Conflict:
            return

    async def resume(self, ref: SandboxRef) -> None:
        """Start it again from its disk."""
        await self._connect(ref, 3 * _SPARE_S)

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox; one that is gone is well gone."""
        self._known.pop(ref.sandbox_id, None)
        try:
            await self._http.whole("DELETE", _path(ref))
        except NotFound:
            return

    async def set_timeout(self, ref: SandboxRef, timeout_s: float) -> None:
        """Let the vendor pause the sandbox after this time from now."""
        await self._http.json("POST", f"{_path(ref)}/timeout", body={"timeout": math.ceil(timeout_s)})
        known = self._known.get(ref.sandbox_id)
        if known is not None:
            self._known[ref.sandbox_id] = (known[0], time.monotonic() + timeout_s)

    async def snapshot(self, ref: SandboxRef) -> str:
        """Keep the sandbox as it stands as a template of the account."""
        told = await self._http.json("POST", f"{_path(ref)}/snapshots", body={}, timeout_s=_BOOT_S)
        return self._http.text(told, "snapshotID")

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Give the address of a port; the header, if any, holds the token that opens it."""
        sandbox = await self._http.json("GET", _path(ref))
        domain = sandbox.get("domain")
        host = f"{port}-{ref.sandbox_id}.{domain if isinstance(domain, str) and domain else self._domain}"
        token = ref.data.get("traffic")
        return Preview(f"https://{host}", {"e2b-traffic-access-token": token} if isinstance(token, str) else {})

    async def sandboxes(self) -> AsyncGenerator[SandboxInfo]:
        """Go through all sandboxes of the account, page by page."""
        query = {"limit": _PAGE, "state": "running,paused"}
        while True:
            told: dict[str, str] = {}
            page: object = json.loads(await self._http.whole("GET", "/v2/sandboxes", query=query, told=told) or b"[]")
            for sandbox in cast("list[dict[str, JsonValue]]", page) if isinstance(page, list) else []:
                yield self._info(sandbox)
            if not told.get("x-next-token"):
                return
            query["nextToken"] = told["x-next-token"]

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program; see `Link`."""
        return self._daemon.run(ref, program)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file; see `Link`."""
        await self._daemon.put(ref, path, content)

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file; see `Link`."""
        return self._daemon.get(ref, path)

    async def _made(self, session_id: str, template: str, timeout_s: int, *, network: bool = True) -> SandboxRef:
        body: dict[str, JsonValue] = {
            "templateID": template,
            "timeout": timeout_s,
            "autoPause": True,
            "allow_internet_access": network,
            "metadata": {SESSION_LABEL: session_id},
        }
        with placeable():
            sandbox = await self._http.json("POST", "/v2/sandboxes", body=body, timeout_s=_BOOT_S)
            return await self._up(sandbox, timeout_s)

    async def _up(self, sandbox: Mapping[str, JsonValue], timeout_s: float) -> SandboxRef:
        """Make our folders in a new sandbox; one in which that fails is removed."""
        ref = SandboxRef(self.name, self._http.text(sandbox, "sandboxID"), self._compute_id)
        async with self.removed_on_failure(ref):
            self._keep(ref, sandbox, timeout_s)
            traffic = sandbox.get("trafficAccessToken")
            data: dict[str, JsonValue] = {"traffic": traffic} if isinstance(traffic, str) else {}
            return await self.set_up(SandboxRef(ref.provider, ref.sandbox_id, ref.compute_id, data))

    async def _reached(self, ref: SandboxRef, need_s: float) -> Reached:
        """Say how the daemon of a sandbox is reached, for so long; one that the vendor paused is started again."""
        known = self._known.get(ref.sandbox_id)
        if known is None:
            sandbox = await self._http.json("GET", _path(ref))
            ends = datetime.fromisoformat(self._http.text(sandbox, "endAt"))
            left_s = (ends - self._clock.now()).total_seconds()
            if sandbox.get("state") == "paused":
                await self._connect(ref, math.ceil(need_s) + _SPARE_S)
            else:
                self._keep(ref, sandbox, left_s)
            known = self._known[ref.sandbox_id]
        if known[1] - time.monotonic() < need_s + _NEAR_S:
            await self.set_timeout(ref, need_s + _SPARE_S)
        return known[0]

    async def _connect(self, ref: SandboxRef, timeout_s: int) -> None:
        sandbox = await self._http.json(
            "POST", f"/v2{_path(ref)}/connect", body={"timeout": timeout_s}, timeout_s=_BOOT_S
        )
        self._keep(ref, sandbox, timeout_s)

    def _keep(self, ref: SandboxRef, sandbox: Mapping[str, JsonValue], left_s: float) -> None:
        token, domain = sandbox.get("envdAccessToken"), sandbox.get("domain")
        headers = {"E2b-Sandbox-Id": ref.sandbox_id, "E2b-Sandbox-Port": "49983"}
        if isinstance(token, str) and token:
            headers["X-Access-Token"] = token
        place = domain if isinstance(domain, str) and domain else self._domain
        shared = f"https://sandbox.{place}" if place == _DOMAIN else f"https://49983-{ref.sandbox_id}.{place}"
        self._known[ref.sandbox_id] = Reached(self._sandbox_url or shared, headers), time.monotonic() + left_s

    def _info(self, sandbox: Mapping[str, JsonValue]) -> SandboxInfo:
        metadata, state = sandbox.get("metadata"), sandbox.get("state")
        return SandboxInfo(
            ref=SandboxRef(self.name, self._http.text(sandbox, "sandboxID"), self._compute_id),
            state="running" if state == "running" else "paused" if state == "paused" else "unknown",
            created_at=_time(sandbox.get("startedAt")),
            expires_at=_time(sandbox.get("endAt")),
            labels={name: str(value) for name, value in metadata.items()} if isinstance(metadata, dict) else None,
        )


def _path(ref: SandboxRef) -> str:
    return f"/sandboxes/{quote(ref.sandbox_id, safe='')}"


def _time(value: JsonValue) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
