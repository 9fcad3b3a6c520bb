"""`CloudflareProvider`: sandboxes of Cloudflare through the bridge Worker `@cloudflare/sandbox/bridge` (0.12.10).

The bridge runs one program at a time and knows files below `/workspace`; the rest is the shell's matter. It has no
list, no time limit of a sandbox and no pause; a container that sleeps loses its disk, so a pause keeps an archive here.
"""

import json
import re
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.errors import ConfigurationError, FileMissing, NotFound, NotSupported
from cerver_core.providers.abilities import Preview
from cerver_core.providers.base import Output, SandboxRef, SandboxRequest
from cerver_core.providers.cloudflare.events import output_events
from cerver_core.providers.encoded import decoded, encoded_argv
from cerver_core.providers.http import CloudHttp, Content, Transport, Vendor, placeable
from cerver_core.providers.shell import ShellProvider, cloud_compute
from cerver_core.providers.shell.link import Ended, Program, ProgramStream
from cerver_core.wire.computes import Compute

__all__ = ["CloudflareProvider"]

_MOST_BYTES = 32 * 1024 * 1024
"""What the bridge takes in one file and in one archive."""

_JSON = {"Content-Type": "application/json"}
_START_S = 120.0
_MOVE_S = 900.0
_SPARE_S = 5.0
_BLOCK_BYTES = 1024 * 1024
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._-]+")
_OPEN_VARIABLES = frozenset({"PATH", "PYTHONPATH", "TMPDIR"})
"""What is no secret and may stand in a program's arguments."""


class CloudflareProvider(ShellProvider):
    """A bridge as a compute. It satisfies `Previews`, and `Pausable` where it is told where to keep archives."""

    base: ClassVar[str] = "cwd"

    def __init__(
        self, environ: Mapping[str, str], *, keep: Path | None = None, transport: Transport | None = None
    ) -> None:
        """Read `CLOUDFLARE_SANDBOX_URL`, the address of the Worker, and `SANDBOX_API_KEY`, its secret.

        Workspaces of paused sandboxes are kept under `keep`, a folder of this machine.
        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: one of them is missing.
        """
        super().__init__()
        url, key = environ.get("CLOUDFLARE_SANDBOX_URL"), environ.get("SANDBOX_API_KEY")
        if not url or not key:
            raise ConfigurationError("cloudflare needs CLOUDFLARE_SANDBOX_URL and SANDBOX_API_KEY")
        vendor = Vendor(self.name, "SANDBOX_API_KEY", (key,), request_id="cf-ray")
        self._http = CloudHttp(vendor, url, {"Authorization": f"Bearer {key}"}, transport=transport)
        self._keep = keep
        self._compute_id = ids.compute_id(self.name, self._http.base_url)

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "cloudflare"

    @property
    def most_bytes_at_once(self) -> int | None:
        """How many bytes `put` takes in one call."""
        return _MOST_BYTES

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._http.__aexit__(None, None, None)

    async def describe(self) -> Compute:
        """Say what the Worker's default image offers; nothing is asked of it."""
        return cloud_compute(
            self.name,
            self._compute_id,
            "Cloudflare Sandbox",
            persistence=self._keep is not None,
            pause=self._keep is not None,
        )

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox; its container starts with the first program, which makes our folders."""
        if not request.requirements.network:
            raise NotSupported(
                "cloudflare's bridge cannot cut a sandbox off from the network; choose another provider, or deploy a "
                "Worker whose sandboxes have no internet and ask for the network here",
                provider=self.name,
            )
        with placeable():
            told = (await self._http.json("POST", "/v1/sandbox")).get("id")
            if not isinstance(told, str) or not re.fullmatch(r"[a-z2-7]{1,128}", told):
                raise self._http.broken("made a sandbox without an id")
            ref = SandboxRef(self.name, told, self._compute_id)
            try:
                return await self.set_up(ref, timeout_s=_START_S)
            except BaseException:
                with anyio.CancelScope(shield=True), anyio.move_on_after(15):
                    await self.destroy(ref)
                raise

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the container and what was kept of it; the bridge says the same of one that is gone."""
        await self._http.whole("DELETE", _path(ref), timeout_s=_START_S)
        if self._keep is not None:
            await anyio.Path(self._kept(ref)).unlink(missing_ok=True)

    async def pause(self, ref: SandboxRef) -> None:
        """Keep an archive of the workspace on this machine, and remove the container.

        Raises:
            NotSupported: there is no folder to keep it in.
        """
        kept = self._kept(ref)
        if await anyio.Path(kept).exists():
            return
        await anyio.Path(kept.parent).mkdir(mode=0o700, parents=True, exist_ok=True)
        part = anyio.Path(kept.with_name(f"{kept.name}.{uuid4().hex}"))
        try:
            await part.touch(mode=0o600, exist_ok=False)
            async with (
                self._http.stream("POST", f"{_path(ref)}/persist", silence_s=_MOVE_S) as pieces,
                await part.open("wb") as file,
            ):
                async for piece in pieces:
                    await file.write(piece)
            await part.rename(kept)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await part.unlink(missing_ok=True)
        await self._http.whole("DELETE", _path(ref), timeout_s=_START_S)

    async def resume(self, ref: SandboxRef) -> None:
        """Put what was kept into a new container of the same id; a sandbox that was not paused is left as it is."""
        kept = anyio.Path(self._kept(ref))
        if not await kept.exists():
            return
        if (await kept.stat()).st_size <= _MOST_BYTES:
            await self._http.whole("POST", f"{_path(ref)}/hydrate", content=await kept.read_bytes(), timeout_s=_MOVE_S)
        else:
            await self._hydrate_in_parts(ref, Path(kept))
        await kept.unlink(missing_ok=True)

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Open a tunnel to a port (1024 to 65535); its address lasts as long as the container."""
        told = (await self._http.json("POST", f"{_path(ref)}/tunnel/{port}", timeout_s=_START_S)).get("url")
        if not isinstance(told, str):
            raise self._http.broken("opened a tunnel without an address")
        return Preview(told, {})

    @asynccontextmanager
    async def _run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        argv = await self._with_environment(ref, program)
        asked: dict[str, JsonValue] = {
            "argv": list(encoded_argv(argv)),
            "timeout_ms": round(min(program.timeout_s + _SPARE_S, 86_400) * 1000),
        }
        async with (
            self._http.stream(
                "POST", f"{_path(ref)}/exec", content=json.dumps(asked).encode(), headers=_JSON
            ) as pieces,
            aclosing(output_events(self._http, pieces)) as told,
            aclosing(decoded(told, self.name)) as events,
        ):
            yield events

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program, encoded: the bridge decodes what it writes as text."""
        return self._run(ref, program)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file below the workspace."""
        body: Content = content if isinstance(content, bytes) else await anyio.Path(content).read_bytes()
        await self._http.whole("PUT", f"{_path(ref)}/file{quote(path)}", content=body, timeout_s=_MOVE_S)

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file below the workspace."""
        return self._got(ref, path) if _PLAIN_PATH.fullmatch(path) else self._printed(ref, path)

    @asynccontextmanager
    async def _got(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        opened = self._http.stream("GET", f"{_path(ref)}/file{path}", silence_s=_MOVE_S)
        try:
            pieces = await opened.__aenter__()
        except NotFound as error:
            raise FileMissing(f"{path!r} does not exist in the sandbox") from error
        try:
            yield pieces
        finally:
            await opened.__aexit__(None, None, None)

    @asynccontextmanager
    async def _printed(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Read a file whose name the bridge would not find: it does not decode the path of its address."""
        async with self.run(ref, Program(("cat", "--", path), timeout_s=_MOVE_S)) as events:

            async def pieces() -> AsyncGenerator[bytes]:
                async for event in events:
                    if isinstance(event, Output) and event.stream == "stdout":
                        yield event.data
                    elif isinstance(event, Ended) and event.exit_code != 0:
                        raise FileMissing(f"{path!r} cannot be read in the sandbox")

            async with aclosing(pieces()) as read:
                yield read

    async def _with_environment(self, ref: SandboxRef, program: Program) -> tuple[str, ...]:
        """Give the command line with its environment: the bridge knows none for a single program.

        What may be secret goes in a file that the program's own shell reads and removes, and stands in no process's
        arguments. A name that no shell takes for a variable's has no such way.
        """
        exported = {name for name in program.env if name.isidentifier() and name.isascii()} - _OPEN_VARIABLES
        others = [f"{name}={value}" for name, value in program.env.items() if name not in exported]
        argv = ("env", *others, *program.argv) if others else program.argv
        if not exported:
            return argv
        file = f"{ref.data.get('root')}/run/env-{uuid4().hex}"
        lines = "".join(f"export {name}={shlex.quote(program.env[name])}\n" for name in sorted(exported))
        await self.put(ref, file, lines.encode())
        return ("sh", "-c", 'F=$1; shift; . "$F"; rm -f -- "$F"; exec "$@"', "cerver", file, *argv)

    async def _hydrate_in_parts(self, ref: SandboxRef, kept: Path) -> None:
        where = f"/workspace/.cerver-{uuid4().hex}"
        async with await anyio.open_file(kept, "rb") as file:
            number = 0
            while part := await file.read(_MOST_BYTES):
                await self.put(ref, f"{where}.{number:06}", part)
                number += 1
        script = 'cat -- "$1".* | tar -xf - -C /workspace; C=$?; rm -f -- "$1".*; exit "$C"'
        async with self.run(ref, Program(("sh", "-c", script, "cerver", where), timeout_s=_MOVE_S)) as events:
            async for event in events:
                if isinstance(event, Ended) and event.exit_code != 0:
                    raise self._http.broken("could not unpack a kept workspace: is its disk full?")

    def _kept(self, ref: SandboxRef) -> Path:
        if self._keep is None:
            raise NotSupported(
                "cloudflare cannot pause a sandbox, and no folder was given to keep its files in", provider=self.name
            )
        return self._keep / f"{ref.sandbox_id}.tar"


def _path(ref: SandboxRef) -> str:
    return f"/v1/sandbox/{quote(ref.sandbox_id, safe='')}"
