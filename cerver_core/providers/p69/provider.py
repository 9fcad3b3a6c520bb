"""`P69Provider`: sandboxes of a local provider server over HTTP; everything but running code is the shell's matter.

The server has no files, no pause and no time limit of a sandbox. Code goes to it as text of a shell; a server of the
older generation, which would hand it to a coding agent, is found out by a harmless line and refused.
"""

import base64
import json
import math
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import anyio
from pydantic import JsonValue

from cerver_core import ids
from cerver_core.errors import (
    CerverError,
    ConfigurationError,
    FileMissing,
    IsolationUnavailable,
    NotFound,
    NotSupported,
    ProviderUnavailable,
)
from cerver_core.providers.base import Output, SandboxRef, SandboxRequest
from cerver_core.providers.cloud import CloudProvider
from cerver_core.providers.encoded import Text, decoded, encoded_argv
from cerver_core.providers.http import CloudHttp, Transport, Vendor, placeable
from cerver_core.providers.p69.wire import run_events, run_reply
from cerver_core.providers.shell.link import Ended, Program, ProgramStream
from cerver_core.wire.computes import Compute, RuntimeFound

__all__ = ["P69Provider"]

_ROOT = "/api/cerver/provider"
_LEAST_S = 5
"""The server takes no shorter time for a run (wire contract §3.3)."""

_SPARE_S = 5.0
_LIMIT_S = 30.0
_DAY_S = 86_400
_PUT_BYTES = 48 * 1024
"""What fits in one argument of a program when it is written as base64."""

_HALT = r"""
n=0
while [ $n -lt 200 ]; do
  s=$(LC_ALL=C grep -lsF -e "TMPDIR=$1/tmp" /proc/[0-9]*/environ | cut -d / -f 3)
  [ -n "$s" ] || exit 0
  kill -STOP $s; kill -KILL $s
  sleep 0.01; n=$((n+1))
done 2>/dev/null
exit 1
"""
"""root -> ends every process that has the sandbox's own folder for its temporary files."""

_TIMED_OUT = 124
_NO_STREAM = (404, 405, 501)


class P69Provider(CloudProvider):
    """A p69 server as a compute."""

    base: ClassVar[str] = "cwd"

    def __init__(self, environ: Mapping[str, str], *, transport: Transport | None = None) -> None:
        """Read `P69_BASE_URL`, and `P69_API_TOKEN` if the server asks for one.
        `transport` makes what connects, where that is to be guarded.

        Raises:
            ConfigurationError: there is no address.
        """
        url, token = environ.get("P69_BASE_URL"), environ.get("P69_API_TOKEN")
        if not url:
            raise ConfigurationError("p69 needs P69_BASE_URL, the address of the local provider server")
        vendor = Vendor(self.name, "P69_API_TOKEN", (token,) if token else ())
        self._http = CloudHttp(vendor, url, {"Authorization": f"Bearer {token}"} if token else {}, transport=transport)
        super().__init__(self._http)
        self._compute_id = ids.compute_id(self.name, self._http.base_url)

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "p69"

    @property
    def most_bytes_at_once(self) -> int | None:
        """How many bytes `put` takes in one call."""
        return _PUT_BYTES

    async def describe(self) -> Compute:
        """Ask the server what it is; one that does not answer is `offline`."""
        try:
            told = await self._http.json("GET", _ROOT, timeout_s=_SPARE_S)
        except CerverError:
            told = {"status": "offline"}
        machine, capabilities = told.get("machine_name"), told.get("capabilities")
        flags = {key: value for key, value in capabilities.items() if isinstance(value, bool)} if isinstance(
            capabilities, dict
        ) else {}  # fmt: skip
        return Compute(
            compute_id=self._compute_id,
            label=str(told.get("label") or machine or "p69"),
            provider=self.name,
            status="offline" if told.get("status") == "offline" else "ready",
            kind="cloud",
            capabilities={**flags, "streaming": True, "package_install": True, "public_preview": False},
            runtimes=(RuntimeFound(name="shell", path="/bin/sh"),),
        )

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox with a shell, and find out that it is one."""
        needs = request.requirements
        if not needs.network:
            raise NotSupported("p69 cannot cut a sandbox off from the network", provider=self.name)
        if needs.isolation is not None and not needs.allow_weaker:
            raise IsolationUnavailable(
                f"a p69 server does not say how it isolates, and {needs.isolation} is asked for: choose another "
                "provider, or allow less with allow_weaker",
                provider=self.name,
                asked=needs.isolation,
            )
        asked: dict[str, JsonValue] = {
            "engine": "shell",
            "timeout_ms": needs.timeout_minutes * 60_000,
            "metadata": {"cerver_session_id": request.session_id, "workload": "general"},
        }
        with placeable():
            told = (await self._http.json("POST", f"{_ROOT}/sandboxes", body=asked, timeout_s=_LIMIT_S * 4)).get(
                "sandbox_id"
            )
            if not isinstance(told, str) or not told:
                raise self._http.broken("made a sandbox without an id")
            ref = SandboxRef(self.name, told, self._compute_id)
            async with self.removed_on_failure(ref):
                await self._check_shell(ref)
                return await self.set_up(ref)

    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox with its folder; one that is gone is well gone."""
        try:
            await self._http.whole("DELETE", _path(ref), query={"cleanup_worktree": "true"})
        except NotFound:
            return

    async def pause(self, ref: SandboxRef) -> None:
        """End every process that was run in the sandbox; the server has no pause of its own, and keeps the files."""
        async with self.run(ref, Program(("sh", "-c", _HALT, "cerver", str(ref.data.get("root"))))) as events:
            async for event in events:
                if isinstance(event, Ended) and event.exit_code != 0:
                    raise ProviderUnavailable("a process of the p69 sandbox could not be ended", provider=self.name)

    async def resume(self, ref: SandboxRef) -> None:
        """Check that the sandbox is there."""
        if not await self._is_there(ref):
            raise NotFound("the p69 sandbox is gone: its server was started again, or it was removed by hand")

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program, encoded: what it writes goes through JSON."""
        return self._run(ref, program)

    @asynccontextmanager
    async def _run(self, ref: SandboxRef, program: Program) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        body: dict[str, JsonValue] = {
            "code": shlex.join(encoded_argv(program.argv)),
            "timeout": min(max(_LEAST_S, math.ceil(program.timeout_s + _SPARE_S)), _DAY_S),
            "envs": dict(program.env),
        }
        async with aclosing(self._told(ref, body)) as told, aclosing(decoded(told, self.name)) as events:
            yield events

    async def _told(self, ref: SandboxRef, body: dict[str, JsonValue]) -> AsyncGenerator[Text]:
        """Give what a run writes: as it comes, or whole from a server that does not stream."""
        opened = self._http.stream(
            "POST", f"{_path(ref)}/run/stream", content=_json(body), headers={"Content-Type": "application/json"}
        )
        try:
            pieces = await opened.__aenter__()
        except CerverError as error:
            if error.detail.get("status") not in _NO_STREAM or not await self._is_there(ref):
                raise
        else:
            try:
                async with aclosing(run_events(self._http, pieces)) as texts:
                    async for text in texts:
                        yield text
            finally:
                await opened.__aexit__(None, None, None)
            return
        limit_s = float(str(body["timeout"])) + _LIMIT_S
        reply = run_reply(self._http, await self._http.json("POST", f"{_path(ref)}/run", body=body, timeout_s=limit_s))
        yield "stderr", reply.stderr.encode()
        yield "stdout", reply.stdout.encode()
        if reply.exit_code == _TIMED_OUT and "\n=" not in f"\n{reply.stdout}":
            yield "stdout", f"\n={_TIMED_OUT}\n".encode()

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a small file by a program that decodes it."""
        data = content if isinstance(content, bytes) else await anyio.Path(content).read_bytes()
        script = 'printf %s "$2" | base64 -d >"$1"'
        argv = ("sh", "-c", script, "cerver", path, base64.b64encode(data).decode())
        async with self.run(ref, Program(argv)) as events:
            async for event in events:
                if isinstance(event, Ended) and event.exit_code != 0:
                    raise self._http.broken(f"could not write a file of its sandbox (code {event.exit_code})")

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file by a program that prints it."""
        return self._got(ref, path)

    @asynccontextmanager
    async def _got(self, ref: SandboxRef, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        async with (
            self.run(ref, Program(("cat", "--", path), timeout_s=_LIMIT_S * 30)) as events,
            aclosing(_printed(events, path)) as pieces,
        ):
            yield pieces

    async def _check_shell(self, ref: SandboxRef) -> None:
        """Find out what `code` is to the server, by a line that does no harm as a prompt either."""
        if ref.sandbox_id.startswith("shell_"):
            return
        body: dict[str, JsonValue] = {"code": "printf '%s-%s' cerver shell", "timeout": _LEAST_S}
        reply = run_reply(
            self._http, await self._http.json("POST", f"{_path(ref)}/run", body=body, timeout_s=_LIMIT_S * 2)
        )
        if reply.stdout.strip() != "cerver-shell":
            raise ProviderUnavailable(
                "this p69 server hands code to a coding agent instead of a shell: update the relay that serves it",
                provider=self.name,
            )

    async def _is_there(self, ref: SandboxRef) -> bool:
        """Tell a server without streams from a sandbox that is gone."""
        try:
            await self._http.json("GET", f"{_path(ref)}/state")
        except NotFound:
            return False
        return True


async def _printed(events: AsyncIterator[Output | Ended], path: str) -> AsyncGenerator[bytes]:
    async for event in events:
        if isinstance(event, Output):
            if event.stream == "stdout":
                yield event.data
        elif event.exit_code != 0:
            raise FileMissing(f"{path!r} cannot be read in the sandbox")


def _json(body: dict[str, JsonValue]) -> bytes:
    return json.dumps(body).encode()


def _path(ref: SandboxRef) -> str:
    return f"{_ROOT}/sandboxes/{quote(ref.sandbox_id, safe='')}"
