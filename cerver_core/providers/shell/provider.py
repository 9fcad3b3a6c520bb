"""`ShellProvider`: the contract of providers, done through the shell of a remote sandbox; the wire is the adapter's.

Under the sandbox's home (or where the adapter says) lies `cerver/`: `work/` is the workspace, `tmp/` is TMPDIR,
`packages/` and `node_modules/` hold what was installed, `run/` is our own. So a sandbox needs a POSIX shell, GNU
coreutils, findutils, grep and tar, and `/proc`: what the vendors' own images have.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, cast
from uuid import uuid4

import anyio
from pydantic import JsonValue

from cerver_core.errors import DeadlineExceeded, InvalidInput, ProviderFailed, ProviderUnavailable, TooLarge
from cerver_core.providers.abilities import Process
from cerver_core.providers.base import Command, CommandStream, Output, SandboxRef
from cerver_core.providers.checks import check_names
from cerver_core.providers.shell import requests, scripts
from cerver_core.providers.shell.background import Background
from cerver_core.providers.shell.execution import Execution, Start, told_error
from cerver_core.providers.shell.files import Files
from cerver_core.providers.shell.link import Ended, Program, ProgramStream
from cerver_core.wire.computes import Compute, FileList, FolderReport, InstallRequest, Isolation, RuntimeFound

__all__ = ["ShellProvider", "cloud_compute"]

_MOST_STATE_BYTES = 32 * 1024
_END_LIMIT_S = 15.0


class ShellProvider(ABC):
    """What every adapter shares. It satisfies `Background`, `Interactive` and `Stateful`; subclasses are the `Link`.

    A ref's `data` holds `root`, `path` and `programs`, as `set_up` found them, beside what the adapter keeps there.
    """

    base: ClassVar[str] = "home"
    """Where `cerver/` is made: `home`, `cwd` (where programs of this vendor start), or a folder."""

    def __init__(self) -> None:
        self._files = Files(self, self._ask, _root)
        self._background = Background(self._ask, _root, self._run_argv, self._end)

    @property
    def most_bytes_at_once(self) -> int | None:
        """How many bytes `put` takes in one call; any number, where an adapter does not say otherwise."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """The provider's name on the wire."""

    @abstractmethod
    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program; see `Link`."""

    @abstractmethod
    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file at an absolute path; see `Link`."""

    @abstractmethod
    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file at an absolute path; see `Link`."""

    async def set_up(self, ref: SandboxRef, *, timeout_s: float = 60.0) -> SandboxRef:
        """Make our folders in a new sandbox, and give its ref with what was found; it also proves that it runs."""
        told = (await self._ask(ref, scripts.SET_UP, self.base, timeout_s=timeout_s)).decode(errors="replace")
        lines = told.split("\n")
        if len(lines) < 3 or not lines[0].startswith("/"):
            raise ProviderUnavailable(f"{self.name} started a sandbox whose shell does not answer")
        programs: list[JsonValue] = [line for line in lines[2:] if line]
        return SandboxRef(
            provider=ref.provider,
            sandbox_id=ref.sandbox_id,
            compute_id=ref.compute_id,
            data={**ref.data, "root": lines[0], "path": lines[1], "programs": programs},
        )

    async def isolation(self, ref: SandboxRef) -> Isolation | None:
        """Say nothing: the vendor isolates, and shows no controls of its own."""
        return None

    def exec(self, ref: SandboxRef, command: Command) -> CommandStream:
        """Run a command; it has SIGTERM and half a second of grace at its deadline, none when it is cancelled."""
        return Execution(partial(self._prepare, ref, command))

    def install(self, ref: SandboxRef, request: InstallRequest, *, timeout_s: float) -> CommandStream:
        """Install with the sandbox's own pip or npm."""
        return Execution(partial(self._prepare_install, ref, request, timeout_s))

    async def write_file(self, ref: SandboxRef, path: str, content: bytes) -> None:
        """Write one file whole."""
        await self._files.write(ref, path, content)

    async def read_file(self, ref: SandboxRef, path: str, *, max_bytes: int) -> bytes:
        """Read one file."""
        return await self._files.read(ref, path, max_bytes=max_bytes)

    async def list_files(self, ref: SandboxRef, path: str, *, recursive: bool) -> FileList:
        """List a folder."""
        return await self._files.list(ref, path, recursive=recursive)

    async def upload(self, ref: SandboxRef, source: Path, path: str) -> FolderReport:
        """Copy a folder into the workspace."""
        return await self._files.upload(ref, source, path)

    async def download(self, ref: SandboxRef, path: str, target: Path) -> FolderReport:
        """Copy a folder out of the workspace."""
        return await self._files.download(ref, path, target)

    async def start(self, ref: SandboxRef, command: Command) -> Process:
        """Start a command in the background; its input stays open until it is closed."""
        requests.check_command(command)
        exec_id, root = uuid4().hex, _root(ref)
        argv = requests.code_argv(root, command, await self._long_code(ref, command, exec_id))
        script, _, *arguments = requests.run_argv(root, exec_id, command, argv)
        told = await self._ask(ref, scripts.START, script, *arguments, env=_environment(ref, command.env))
        word = told.decode(errors="replace").strip().rpartition(" ")[2]
        if word not in ("started", "moved"):
            raise told_error(word or "nothing", "the background process")
        return Process(exec_id)

    async def processes(self, ref: SandboxRef) -> Sequence[Process]:
        """List those that still run."""
        return await self._background.processes(ref)

    def output(self, ref: SandboxRef, process: Process) -> AsyncIterator[Output]:
        """Give what it printed from its start on, and follow it until it ends."""
        return self._background.output(ref, process)

    async def kill(self, ref: SandboxRef, process: Process) -> None:
        """End it and its children."""
        await self._background.kill(ref, process)

    async def write_stdin(self, ref: SandboxRef, process: Process, data: bytes, *, close: bool = False) -> None:
        """Send bytes to its standard input, and close it if asked."""
        await self._background.write_stdin(ref, process, data, close=close)

    async def get_state(self, ref: SandboxRef) -> Mapping[str, JsonValue]:
        """Read the state; empty when none was set."""
        kept = base64.b64decode(await self._ask(ref, scripts.TAKE_STATE, _root(ref)))
        value: object = json.loads(kept) if kept else {}
        return cast("dict[str, JsonValue]", value) if isinstance(value, dict) else {}

    async def set_state(self, ref: SandboxRef, state: Mapping[str, JsonValue]) -> None:
        """Replace the state; `TooLarge` beyond 32 KiB of JSON."""
        text = json.dumps(dict(state)).encode()
        if len(text) > _MOST_STATE_BYTES:
            raise TooLarge(f"the state of a sandbox may have {_MOST_STATE_BYTES} bytes; write a file instead")
        await self._ask(ref, scripts.KEEP_STATE, _root(ref), uuid4().hex, base64.b64encode(text).decode())

    async def _prepare(self, ref: SandboxRef, command: Command) -> Start:
        requests.check_command(command)
        exec_id = uuid4().hex
        file = await self._long_code(ref, command, exec_id)
        return self._started(ref, command, exec_id, requests.code_argv(_root(ref), command, file))

    async def _prepare_install(self, ref: SandboxRef, request: InstallRequest, timeout_s: float) -> Start:
        check_names(request)
        command = Command("", "shell", timeout_s, cwd=".")
        return self._started(ref, command, uuid4().hex, requests.install_argv(_root(ref), request))

    def _run_argv(self, ref: SandboxRef, command: Command, argv: tuple[str, ...]) -> CommandStream:
        async def prepare() -> Start:
            return self._started(ref, command, uuid4().hex, argv)

        return Execution(prepare)

    def _started(self, ref: SandboxRef, command: Command, exec_id: str, argv: tuple[str, ...]) -> Start:
        script, *arguments = requests.run_argv(_root(ref), exec_id, command, argv)
        program = Program(("/bin/sh", "-c", script, *arguments), _environment(ref, command.env), command.timeout_s + 10)
        what = f"{argv[0]} in {command.cwd!r}" if command.cwd else argv[0]
        return Start(
            exec_id, self.run(ref, program), partial(self._end, ref, exec_id), timeout_s=command.timeout_s, what=what
        )

    async def _long_code(self, ref: SandboxRef, command: Command, exec_id: str) -> str | None:
        if not requests.is_long(command.code):
            return None
        file = f"{_root(ref)}/run/code-{exec_id}"
        await self._files.put(ref, file, command.code.encode())
        return file

    async def _end(self, ref: SandboxRef, exec_id: str) -> None:
        await self._ask(ref, scripts.END, _root(ref), exec_id[:1], exec_id[1:], timeout_s=_END_LIMIT_S)

    async def _ask(
        self,
        ref: SandboxRef,
        script: str,
        *arguments: str,
        timeout_s: float = 60.0,
        most: int = 1024 * 1024,
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run a script to its end and give its standard output; its errors go into the message."""
        texts: dict[Literal["stdout", "stderr"], bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        program = Program(("/bin/sh", "-c", script, "cerver", *arguments), env or {}, timeout_s, says_text=True)
        code: int | None = None
        with anyio.move_on_after(timeout_s):
            async with self.run(ref, program) as events:
                async for event in events:
                    if isinstance(event, Ended):
                        code = event.exit_code
                        break
                    texts[event.stream] += event.data
                    if len(texts[event.stream]) > most:
                        raise TooLarge(f"the sandbox answered with more than {most} bytes", max_bytes=most)
            if code != 0:
                said = texts["stderr"].decode(errors="replace").strip()[-300:]
                raise ProviderFailed(f"the sandbox's shell could not do its part (code {code}): {said}")
            return bytes(texts["stdout"])
        raise DeadlineExceeded(f"the sandbox's shell did not answer within {timeout_s:g} s", provider=self.name)


def _root(ref: SandboxRef) -> str:
    root = ref.data.get("root")
    if not isinstance(root, str) or not root.startswith("/"):
        raise ProviderFailed(f"the stored sandbox {ref.sandbox_id} does not say where its workspace is")
    return root


def _environment(ref: SandboxRef, env: Mapping[str, str]) -> Mapping[str, str]:
    root, path = _root(ref), ref.data.get("path")
    if sum(len(name) + len(value) for name, value in env.items()) > 1024 * 1024:
        raise InvalidInput("the environment of a command may have 1 MiB in all")
    own = {"TMPDIR": f"{root}/tmp", "PYTHONPATH": f"{root}/packages"}  # noqa: S108 - a folder of our own
    if isinstance(path, str) and path:
        own["PATH"] = f"{root}/packages/bin:{root}/node_modules/.bin:{path}"
    return {**own, **env}


def cloud_compute(provider: str, compute_id: str, label: str, **unlike: bool) -> Compute:
    """Describe a cloud whose image is a Linux with shell, Python and Node; `unlike` says what it does otherwise."""
    capabilities = {
        "streaming": True,
        "persistence": True,
        "pause": True,
        "package_install": True,
        "public_preview": True,
        "dev_servers": True,
        "git": True,
        "local_computer": False,
        "browser": False,
        "desktop": False,
        **unlike,
    }
    return Compute(
        compute_id=compute_id,
        label=label,
        provider=provider,
        kind="cloud",
        capabilities=capabilities,
        runtimes=(
            RuntimeFound(name="shell", path="/bin/sh"),
            RuntimeFound(name="python", path="python3"),
            RuntimeFound(name="node", path="node"),
        ),
    )
