"""`KeepingCloudflareProvider`: pauses of Cloudflare's sandboxes, by archives that are kept on this machine.

A container that sleeps loses its disk, and the bridge has no pause.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import anyio

from cerver_core.providers.base import SandboxRef
from cerver_core.providers.cloudflare.provider import MOST_BYTES, MOVE_S, START_S, CloudflareProvider, path_of
from cerver_core.providers.http import Transport
from cerver_core.providers.shell.link import Ended, Program

__all__ = ["KeepingCloudflareProvider"]


class KeepingCloudflareProvider(CloudflareProvider):
    """A bridge as a compute that satisfies `Pausable` too."""

    keeps_files: ClassVar[bool] = True

    def __init__(self, environ: Mapping[str, str], *, keep: Path, transport: Transport | None = None) -> None:
        """Keep the workspaces of paused sandboxes under `keep`, a folder of this machine; see `CloudflareProvider`."""
        super().__init__(environ, transport=transport)
        self._keep = keep

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the container and what was kept of it."""
        await super().destroy(ref)
        await anyio.Path(self._kept(ref)).unlink(missing_ok=True)

    async def pause(self, ref: SandboxRef) -> None:
        """Keep an archive of the workspace on this machine, and remove the container."""
        kept = self._kept(ref)
        if await anyio.Path(kept).exists():
            return
        await anyio.Path(kept.parent).mkdir(mode=0o700, parents=True, exist_ok=True)
        part = anyio.Path(kept.with_name(f"{kept.name}.{uuid4().hex}"))
        try:
            await part.touch(mode=0o600, exist_ok=False)
            async with (
                self._http.stream("POST", f"{path_of(ref)}/persist", silence_s=MOVE_S) as pieces,
                await part.open("wb") as file,
            ):
                async for piece in pieces:
                    await file.write(piece)
            await part.rename(kept)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await part.unlink(missing_ok=True)
        await self._http.whole("DELETE", path_of(ref), timeout_s=START_S)

    async def resume(self, ref: SandboxRef) -> None:
        """Put what was kept into a new container of the same id; a sandbox that was not paused is left as it is."""
        kept = anyio.Path(self._kept(ref))
        if not await kept.exists():
            return
        if (await kept.stat()).st_size <= MOST_BYTES:
            await self._http.whole("POST", f"{path_of(ref)}/hydrate", content=await kept.read_bytes(), timeout_s=MOVE_S)
        else:
            await self._hydrate_in_parts(ref, Path(kept))
        await kept.unlink(missing_ok=True)

    async def _hydrate_in_parts(self, ref: SandboxRef, kept: Path) -> None:
        where = f"/workspace/.cerver-{uuid4().hex}"
        async with await anyio.open_file(kept, "rb") as file:
            number = 0
            while part := await file.read(MOST_BYTES):
                await self.put(ref, f"{where}.{number:06}", part)
                number += 1
        script = 'cat -- "$1".* | tar -xf - -C /workspace; C=$?; rm -f -- "$1".*; exit "$C"'
        async with self.run(ref, Program(("sh", "-c", script, "cerver", where), timeout_s=MOVE_S)) as events:
            async for event in events:
                if isinstance(event, Ended) and event.exit_code != 0:
                    raise self._http.broken("could not unpack a kept workspace: is its disk full?")

    def _kept(self, ref: SandboxRef) -> Path:
        return self._keep / f"{ref.sandbox_id}.tar"
