"""`DaytonaProvider`: sandboxes of Daytona by its REST API; what runs in them is the toolbox's and the shell's matter.

Proven against our stand-in, which the vendor's own client (0.226.1) drives too.
"""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import ConfigurationError, NotFound, NotSupported, ProviderFailed, ProviderUnavailable
from cerver_core.providers.abilities import SESSION_LABEL, Preview, SandboxInfo
from cerver_core.providers.base import SandboxRef, SandboxRequest
from cerver_core.providers.cloud import CloudProvider
from cerver_core.providers.daytona.toolbox import Toolbox
from cerver_core.providers.http import CloudHttp, Transport, Vendor, placeable
from cerver_core.providers.shell import cloud_compute
from cerver_core.providers.shell.link import Program, ProgramStream
from cerver_core.providers.sockets import Sockets
from cerver_core.wire.computes import Compute

__all__ = ["DaytonaProvider"]

API_URL = "https://app.daytona.io/api"
"""The vendor's own (SDK 0.226.1)."""

_BOOT_S = 120.0
_POLL_S = (0.05, 0.1, 0.2, 0.5)
_PAGE = "100"
_SPARE_MINUTES = 15
"""How long a sandbox may idle before the vendor stops it, beyond its longest execution."""

_BROKEN = ("error", "build_failed", "destroyed", "destroying", "unknown")
_AT_REST = ("stopped", "paused", "archiving", "archived")
_STATES: Mapping[str, Literal["running", "paused", "stopped"]] = {
    "started": "running",
    "starting": "running",
    "stopped": "stopped",
    "stopping": "stopped",
    "archived": "stopped",
    "paused": "paused",
    "pausing": "paused",
}


class DaytonaProvider(CloudProvider):
    """Daytona as a compute. It satisfies every ability but none of it copies memory: forks are for virtual machines."""

    def __init__(
        self, environ: Mapping[str, str], *, clock: Clock | None = None, transport: Transport | None = None
    ) -> None:
        """Read `DAYTONA_API_KEY`, or `DAYTONA_JWT_TOKEN` with `DAYTONA_ORGANIZATION_ID`.

        `DAYTONA_API_URL` is another API, `DAYTONA_TARGET` a region, and `DAYTONA_SNAPSHOT` what new sandboxes are made
        of, instead of the vendor's defaults.
        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: there is no credential.
        """
        key, token, organization = (
            environ.get(f"DAYTONA_{name}") for name in ("API_KEY", "JWT_TOKEN", "ORGANIZATION_ID")
        )
        if not key and not (token and organization):
            raise ConfigurationError("daytona needs DAYTONA_API_KEY, or DAYTONA_JWT_TOKEN and DAYTONA_ORGANIZATION_ID")
        credential = key or token or ""
        url = (environ.get("DAYTONA_API_URL") or API_URL).rstrip("/")
        headers = {"Authorization": f"Bearer {credential}"}
        if not key and organization:
            headers["X-Daytona-Organization-ID"] = organization
        self._target = environ.get("DAYTONA_TARGET") or None
        self._snapshot = environ.get("DAYTONA_SNAPSHOT") or None
        self._clock = clock or SystemClock()
        self._compute_id = ids.compute_id(self.name, f"{url}\0{organization or ''}\0{self._target or ''}")
        vendor = Vendor(self.name, "DAYTONA_API_KEY" if key else "DAYTONA_JWT_TOKEN", (credential,))
        self._http = CloudHttp(vendor, url, headers, transport=transport)
        sockets = Sockets(self._http, headers)
        super().__init__(self._http, sockets)
        self._toolbox = Toolbox(self._http, sockets)

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "daytona"

    async def describe(self) -> Compute:
        """Say what the vendor's default image offers; nothing is asked of the vendor."""
        return cloud_compute(self.name, self._compute_id, "Daytona")

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox and wait until it answers; one that does not come up is removed."""
        needs = request.requirements
        asked: dict[str, JsonValue] = {"autoStopInterval": needs.timeout_minutes + _SPARE_MINUTES}
        if not needs.network:
            asked["networkBlockAll"] = True
        if needs.memory_mb is not None:
            asked["memory"] = math.ceil(needs.memory_mb / 1024)
        return await self._made(request.session_id, asked, self._snapshot)

    async def _made(self, session_id: str, asked: dict[str, JsonValue], snapshot: str | None) -> SandboxRef:
        body: dict[str, JsonValue] = {"labels": {SESSION_LABEL: session_id}, **asked}
        if snapshot is not None:
            body["snapshot"] = snapshot
        if self._target is not None:
            body["target"] = self._target
        with placeable():
            return await self._awaited(await self._http.json("POST", "/sandbox", body=body, timeout_s=_BOOT_S))

    async def _awaited(self, sandbox: Mapping[str, JsonValue]) -> SandboxRef:
        """Wait for a new sandbox to come up and make our folders in it; one that does not is removed."""
        sandbox_id = self._http.text(sandbox, "id")
        ref = SandboxRef(self.name, sandbox_id, self._compute_id)
        async with self.removed_on_failure(ref):
            sandbox = await self._until(ref, "started", sandbox)
            toolbox = f"{self._http.text(sandbox, 'toolboxProxyUrl').rstrip('/')}/{sandbox_id}"
            kind = sandbox.get("sandboxClass")
            data: dict[str, JsonValue] = {"toolbox": toolbox, "class": kind if isinstance(kind, str) else "container"}
            return await self.set_up(SandboxRef(self.name, sandbox_id, self._compute_id, data))

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox; one that is gone is well gone."""
        try:
            await self._http.whole("DELETE", _path(ref))
        except NotFound:
            return

    async def pause(self, ref: SandboxRef) -> None:
        """Stop the sandbox: its processes end, its disk stays."""
        sandbox = await self._http.json("GET", _path(ref))
        if sandbox.get("state") in _AT_REST:
            return
        if sandbox.get("state") != "stopping":
            sandbox = await self._http.json("POST", f"{_path(ref)}/stop", timeout_s=_BOOT_S)
        await self._until(ref, "stopped", sandbox)

    async def resume(self, ref: SandboxRef) -> None:
        """Start the sandbox again."""
        sandbox = await self._http.json("GET", _path(ref))
        if _STATES.get(str(sandbox.get("state"))) != "running":
            sandbox = await self._http.json("POST", f"{_path(ref)}/start", timeout_s=_BOOT_S)
        await self._until(ref, "started", sandbox)

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Give the address of a port; the header holds the token that opens it."""
        told = await self._http.json("GET", f"{_path(ref)}/ports/{port}/preview-url")
        return Preview(self._http.text(told, "url"), {"x-daytona-preview-token": self._http.text(told, "token")})

    async def set_timeout(self, ref: SandboxRef, timeout_s: float) -> None:
        """Let the vendor destroy the sandbox after this time, in whole minutes, whatever runs in it then."""
        sandbox = await self._http.json("GET", _path(ref))
        age_s = (self._clock.now() - datetime.fromisoformat(self._http.text(sandbox, "createdAt"))).total_seconds()
        await self._http.json("POST", f"{_path(ref)}/ttl/{max(1, math.ceil((age_s + timeout_s) / 60))}")

    async def snapshot(self, ref: SandboxRef) -> str:
        """Keep the files of a virtual machine as a snapshot of the account; its name is made here."""
        self._check_machine(ref, "snapshots of a running sandbox")
        name = f"cerver-{uuid4().hex}"
        await self._http.json("POST", f"{_path(ref)}/snapshot", body={"name": name}, timeout_s=_BOOT_S)
        return name

    async def create_from(self, snapshot_id: str, *, session_id: str) -> SandboxRef:
        """Make a sandbox of a snapshot."""
        return await self._made(session_id, {}, snapshot_id)

    async def fork(self, ref: SandboxRef, *, session_id: str) -> SandboxRef:
        """Copy a virtual machine as it stands."""
        self._check_machine(ref, "forks")
        made = await self._http.json("POST", f"{_path(ref)}/fork", body={"name": f"cerver-{session_id}"})
        with placeable():
            return await self._awaited(made)

    async def sandboxes(self) -> AsyncIterator[SandboxInfo]:
        """Go through all sandboxes that Cerver made with this credential."""
        cursor: str | None = None
        while True:
            query = {"limit": _PAGE, **({} if cursor is None else {"cursor": cursor})}
            page = await self._http.json("GET", "/sandbox", query=query)
            items = page.get("items")
            for item in items if isinstance(items, list) else []:
                if isinstance(item, dict) and SESSION_LABEL in _labels(item):
                    yield self._info(item)
            told = page.get("nextCursor")
            if not isinstance(told, str) or told == cursor:
                return
            cursor = told

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program in a session of the toolbox."""
        return self._toolbox.run(_toolbox(ref), program)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file through the toolbox."""
        await self._toolbox.put(_toolbox(ref), path, content)

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file through the toolbox."""
        return self._toolbox.get(_toolbox(ref), path)

    async def _until(self, ref: SandboxRef, state: str, sandbox: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """Ask until the sandbox is in a state; it has been asked once."""
        pauses = iter(_POLL_S)
        pause = _POLL_S[-1]
        with anyio.move_on_after(_BOOT_S):
            while sandbox.get("state") != state:
                if sandbox.get("state") in _BROKEN:
                    why = sandbox.get("errorReason") or sandbox["state"]
                    raise ProviderUnavailable(f"daytona could not bring the sandbox up: {why}", provider=self.name)
                pause = next(pauses, pause)
                await anyio.sleep(pause)
                sandbox = await self._http.json("GET", _path(ref))
            return sandbox
        told = sandbox.get("state")
        raise ProviderUnavailable(f"daytona's sandbox is still {told} after {_BOOT_S:g} s", provider=self.name)

    def _info(self, item: Mapping[str, JsonValue]) -> SandboxInfo:
        sandbox_id = self._http.text(item, "id")
        toolbox = f"{self._http.text(item, 'toolboxProxyUrl').rstrip('/')}/{sandbox_id}"
        created, ends = item.get("createdAt"), item.get("autoDestroyAt")
        return SandboxInfo(
            ref=SandboxRef(self.name, sandbox_id, self._compute_id, {"toolbox": toolbox}),
            state=_STATES.get(str(item.get("state")), "unknown"),
            created_at=datetime.fromisoformat(created) if isinstance(created, str) else None,
            expires_at=datetime.fromisoformat(ends) if isinstance(ends, str) else None,
            labels=_labels(item),
        )

    def _check_machine(self, ref: SandboxRef, what: str) -> None:
        if ref.data.get("class") == "container":
            raise NotSupported(
                f"daytona offers {what} for virtual machines only, and this sandbox is a container: "
                "set DAYTONA_SNAPSHOT to a snapshot of class linux-vm",
                provider=self.name,
            )


def _labels(item: Mapping[str, JsonValue]) -> dict[str, str]:
    labels = item.get("labels")
    return {key: str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}


def _path(ref: SandboxRef) -> str:
    return f"/sandbox/{quote(ref.sandbox_id, safe='')}"


def _toolbox(ref: SandboxRef) -> str:
    url = ref.data.get("toolbox")
    if not isinstance(url, str):
        raise ProviderFailed(f"the stored sandbox {ref.sandbox_id} does not say where its toolbox is")
    return url
