"""Acme's sandboxes as a compute of Cerver: nine methods, here over folders and plain processes of this machine.

A stand-in for your vendor: put your API's calls where the processes and folders are. It isolates nothing.
"""

import json
import os
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream
from anyio.streams.memory import MemoryObjectSendStream
from pydantic import JsonValue

from cerver_core.errors import ConfigurationError, FileMissing, NotFound
from cerver_core.providers.base import Output
from cerver_core.providers.nine import RunResult
from cerver_core.providers.shell.link import Ended

__all__ = ["AcmeSandboxes", "make_provider"]

_KILL_ALL = 'for f in $(grep -lsF -e "HOME=$1" /proc/[0-9]*/environ); do f=${f#/proc/}; kill -KILL "${f%/*}"; done'


def make_provider(environ: Mapping[str, str]) -> "AcmeSandboxes":
    """Make the provider of what the environment says; the entry point."""
    home = environ.get("ACME_HOME")
    if not home:
        raise ConfigurationError("acme needs ACME_HOME, the folder of its sandboxes")
    return AcmeSandboxes(Path(home))


class AcmeSandboxes:
    """The nine methods."""

    provider_name = "acme"
    carries_text = False
    # Declare `cuts_network = True` when create_sandbox honours network=False, and `isolation_level` when every sandbox
    # is isolated so well. These are plain processes: without the declarations, who asks for either is refused.

    def __init__(self, home: Path) -> None:
        self._home = home

    async def create_sandbox(self, session_id: str, *, network: bool, timeout_s: float) -> str:
        """Make a folder. A vendor that declares `cuts_network` passes `network` on; here it is always true."""
        assert network, "cuts_network is not declared"
        del session_id, timeout_s
        sandbox_id = uuid.uuid4().hex
        await anyio.Path(self._home / sandbox_id).mkdir(parents=True)
        return sandbox_id

    async def run_sandbox(self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float) -> RunResult:
        """Run a line of shell and wait for it."""
        written = {"stdout": b"", "stderr": b""}
        with anyio.move_on_after(timeout_s):
            async with self.run_sandbox_stream(sandbox_id, code, env=env, timeout_s=timeout_s) as events:
                async for event in events:
                    if isinstance(event, Ended):
                        return RunResult(written["stdout"], written["stderr"], event.exit_code or 0)
                    written[event.stream] += event.data
        return RunResult(written["stdout"], written["stderr"], 124)

    @asynccontextmanager
    async def run_sandbox_stream(
        self, sandbox_id: str, code: str, *, env: Mapping[str, str], timeout_s: float
    ) -> AsyncGenerator[AsyncIterator[Output | Ended]]:
        """Run a line of shell and give what it writes as it comes."""
        del timeout_s
        folder = self._folder(sandbox_id)
        own = {"HOME": str(folder), "PATH": os.defpath + os.pathsep + os.environ.get("PATH", "")}
        process = await anyio.open_process(
            ["/bin/sh", "-c", code], stdin=None, cwd=folder, env={**own, **env}, start_new_session=True
        )
        assert process.stdout is not None
        assert process.stderr is not None
        to, events = anyio.create_memory_object_stream[Output | Ended](16)
        async with events, anyio.create_task_group() as tasks:
            tasks.start_soon(_pass_on, process.stdout, "stdout", to.clone())
            tasks.start_soon(_pass_on, process.stderr, "stderr", to.clone())
            to.close()

            async def told() -> AsyncGenerator[Output | Ended]:
                async for event in events:
                    yield event
                code = await process.wait()
                yield Ended(code if code >= 0 else 128 - code)

            yield told()
            tasks.cancel_scope.cancel()
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.wait()
            await process.aclose()

    async def install_package(self, sandbox_id: str, package: str) -> RunResult | None:
        """Leave it to the sandbox's own pip or npm."""
        del sandbox_id, package
        return None

    async def write_file(self, sandbox_id: str, path: str, content: bytes) -> None:
        """Write a file."""
        self._folder(sandbox_id)
        await anyio.Path(path).write_bytes(content)

    async def read_file(self, sandbox_id: str, path: str) -> bytes:
        """Read a file."""
        self._folder(sandbox_id)
        try:
            return await anyio.Path(path).read_bytes()
        except FileNotFoundError as error:
            raise FileMissing(f"{path!r} does not exist in the sandbox") from error

    async def get_state(self, sandbox_id: str) -> Mapping[str, JsonValue]:
        """Read the state, which lies beside the sandbox's folder."""
        kept = anyio.Path(self._folder(sandbox_id).with_suffix(".json"))
        return json.loads(await kept.read_text("utf-8")) if await kept.exists() else {}

    async def set_state(self, sandbox_id: str, state: Mapping[str, JsonValue]) -> None:
        """Replace the state."""
        await anyio.Path(self._folder(sandbox_id).with_suffix(".json")).write_text(json.dumps(dict(state)), "utf-8")

    async def delete_sandbox(self, sandbox_id: str) -> None:
        """End what runs in the folder, and remove it."""
        folder = self._home / sandbox_id
        await anyio.run_process(["sh", "-c", _KILL_ALL, "acme", str(folder)], check=False)
        await anyio.run_process(["chmod", "-R", "u+rwx", str(folder)], check=False)
        await anyio.run_process(["rm", "-rf", "--", str(folder)], check=False)
        await anyio.Path(folder.with_suffix(".json")).unlink(missing_ok=True)

    def _folder(self, sandbox_id: str) -> Path:
        folder = self._home / sandbox_id
        if not folder.is_dir():
            raise NotFound(f"there is no sandbox {sandbox_id} at acme (any more)")
        return folder


async def _pass_on(source: ByteReceiveStream, name: str, to: MemoryObjectSendStream[Output | Ended]) -> None:
    async with to:
        async for data in source:
            await to.send(Output("stdout" if name == "stdout" else "stderr", data))
