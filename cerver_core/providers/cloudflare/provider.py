"""`CloudflareProvider`: sandboxes of Cloudflare through the bridge Worker `@cloudflare/sandbox/bridge` (0.12.10).

The bridge runs one program at a time and knows files below `/workspace`; the rest is the shell's matter. It has no
list, no time limit of a sandbox and no pause.
"""

import json
import re
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.errors import ConfigurationError, FileMissing, NotFound, NotSupported
from cerver_core.providers.abilities import Preview
from cerver_core.providers.base import Output, SandboxRef, SandboxRequest
from cerver_core.providers.cloud import CloudProvider
from cerver_core.providers.cloudflare.events import output_events
from cerver_core.providers.encoded import decoded, encoded_argv
from cerver_core.providers.http import CloudHttp, Content, Transport, Vendor, placeable
from cerver_core.providers.shell import cloud_compute
from cerver_core.providers.shell.link import Ended, Program, ProgramStream
from cerver_core.wire.computes import Compute

__all__ = ["MOST_BYTES", "MOVE_S", "START_S", "CloudflareProvider", "path_of"]

MOST_BYTES = 32 * 1024 * 1024
"""What the bridge takes in one file and in one archive."""

_JSON = {"Content-Type": "application/json"}
START_S = 120.0
"""How long a container may take to start or end, in seconds."""

MOVE_S = 900.0
"""How long a file or an archive may take, in seconds."""

_SPARE_S = 5.0
_BLOCK_BYTES = 1024 * 1024
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._-]+")
_OPEN_VARIABLES = frozenset({"PATH", "PYTHONPATH", "TMPDIR"})
"""What is no secret and may stand in a program's arguments."""


class CloudflareProvider(CloudProvider):
    """A bridge as a compute. It satisfies `Previews`; see `KeepingCloudflareProvider` for pauses."""

    base: ClassVar[str] = "cwd"
    keeps_files: ClassVar[bool] = False
    """Whether the files of a sandbox outlive its container."""

    def __init__(self, environ: Mapping[str, str], *, transport: Transport | None = None) -> None:
        """Read `CLOUDFLARE_SANDBOX_URL`, the address of the Worker, and `SANDBOX_API_KEY`, its secret.

        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: one of them is missing.
        """
        url, key = environ.get("CLOUDFLARE_SANDBOX_URL"), environ.get("SANDBOX_API_KEY")
        if not url or not key:
            raise ConfigurationError("cloudflare needs CLOUDFLARE_SANDBOX_URL and SANDBOX_API_KEY")
        vendor = Vendor(self.name, "SANDBOX_API_KEY", (key,), request_id="cf-ray")
        self._http = CloudHttp(vendor, url, {"Authorization": f"Bearer {key}"}, transport=transport)
        super().__init__(self._http)
        self._compute_id = ids.compute_id(self.name, self._http.base_url)

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "cloudflare"

    @property
    def most_bytes_at_once(self) -> int | None:
        """How many bytes `put` takes in one call."""
        return MOST_BYTES

    async def describe(self) -> Compute:
        """Say what the Worker's default image offers; nothing is asked of it."""
        kept = self.keeps_files
        return cloud_compute(self.name, self._compute_id, "Cloudflare Sandbox", persistence=kept, pause=kept)

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
            async with self.removed_on_failure(ref):
                return await self.set_up(ref, timeout_s=START_S)

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the container; the bridge says the same of one that is gone."""
        await self._http.whole("DELETE", path_of(ref), timeout_s=START_S)

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Open a tunnel to a port (1024 to 65535); its address lasts as long as the container."""
        told = (await self._http.json("POST", f"{path_of(ref)}/tunnel/{port}", timeout_s=START_S)).get("url")
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
                "POST", f"{path_of(ref)}/exec", content=json.dumps(asked).encode(), headers=_JSON
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
        await self._http.whole("PUT", f"{path_of(ref)}/file{quote(path)}", content=body, timeout_s=MOVE_S)

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file below the workspace."""
        return self._got(ref, path) if _PLAIN_PATH.fullmatch(path) else self._printed(ref, path)

    @asynccontextmanager
    async def _got(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        opened = self._http.stream("GET", f"{path_of(ref)}/file{path}", silence_s=MOVE_S)
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
        async with self.run(ref, Program(("cat", "--", path), timeout_s=MOVE_S)) as events:

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


def path_of(ref: SandboxRef) -> str:
    """Give the path of a sandbox at the bridge."""
    return f"/v1/sandbox/{quote(ref.sandbox_id, safe='')}"
