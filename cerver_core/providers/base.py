"""The contract of providers: make a sandbox, run code in it, move files, destroy it.

Providers are stateless: every method takes the serialisable `SandboxRef` that `create` returned, so that any process
serves any session after a restart. What a provider keeps in memory is a cache that it can build again from the ref.
Redaction, transcripts and output caps live above; a provider yields bytes as they come.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import JsonValue

from cerver_core.wire.computes import (
    Compute,
    FileList,
    FolderReport,
    InstallRequest,
    Isolation,
    Requirements,
    Runtime,
)

__all__ = [
    "Command",
    "CommandStream",
    "Exited",
    "Output",
    "Pausable",
    "Provider",
    "SandboxRef",
    "SandboxRequest",
]


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """What to make: a sandbox for one session that meets the requirements."""

    session_id: str
    requirements: Requirements


@dataclass(frozen=True, slots=True)
class SandboxRef:
    """A sandbox, in a form that can be stored. `data` is the provider's own; it holds no credential."""

    provider: str
    sandbox_id: str
    compute_id: str
    data: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Command:
    """One execution. `env` is added to the sandbox's own clean environment; it may hold secrets and is never logged.

    `cwd` is relative to the workspace; null means where the session stands. `timeout_s` is enforced by the provider,
    on its own side where it can.
    """

    code: str
    runtime: Runtime
    timeout_s: float
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes of one stream, as they came; a piece may end in the middle of a character."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The last event. `exit_code` is 124 after a timeout, 128 + N after signal N.

    `orphan_held_output`: a process left behind held the pipe open; what it writes later is not delivered.
    `notes` say what the caller should know, for instance a limit that killed the command.
    """

    exit_code: int
    duration_ms: float
    timed_out: bool = False
    orphan_held_output: bool = False
    notes: tuple[str, ...] = ()


CommandStream = AbstractAsyncContextManager[AsyncIterator[Output | Exited]]
"""Yields `Output`s and then one `Exited`. Entering starts the command; leaving before `Exited` kills its whole tree."""


class Provider(Protocol):
    """One kind of compute. An async context manager: leaving it ends every process it holds on this machine."""

    @property
    def name(self) -> str:
        """The provider's name on the wire, such as `local`."""
        ...

    async def __aenter__(self) -> Self:
        """Get ready to serve."""
        ...

    async def __aexit__(self, *exc_info: object) -> None:
        """End what this process holds; sandboxes themselves stay, for the next process."""
        ...

    async def describe(self) -> Compute:
        """Say what this compute is and can do, from probes, not from hopes."""
        ...

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make a sandbox with an empty workspace.

        Raises:
            ProviderUnavailable: none can be had here now; the caller may try another provider.
            IsolationUnavailable: the asked level cannot be had; `detail` says why. Nothing is left behind.
            RuntimeMissing: the required runtime is not there.
        """
        ...

    async def isolation(self, ref: SandboxRef) -> Isolation | None:
        """Say which isolation holds for this sandbox; null where the notion does not apply."""
        ...

    def exec(self, ref: SandboxRef, command: Command) -> CommandStream:
        """Run a command. Its standard input is closed.

        Entering raises `RuntimeMissing`, `PathEscapesWorkspace` or `FileMissing` (for `cwd`), `ProviderUnavailable`.
        """
        ...

    async def write_file(self, ref: SandboxRef, path: str, content: bytes) -> None:
        """Write one file whole, atomically, making parents; see `cerver_core.api.files` for the errors."""
        ...

    async def read_file(self, ref: SandboxRef, path: str, *, max_bytes: int) -> bytes:
        """Read one file; `TooLarge` beyond `max_bytes`."""
        ...

    async def list_files(self, ref: SandboxRef, path: str, *, recursive: bool) -> FileList:
        """List a folder, sorted by path, at most 10,000 entries."""
        ...

    async def upload(self, ref: SandboxRef, source: Path, path: str) -> FolderReport:
        """Copy a folder of this machine into the workspace."""
        ...

    async def download(self, ref: SandboxRef, path: str, target: Path) -> FolderReport:
        """Copy a folder of the workspace to this machine."""
        ...

    def install(self, ref: SandboxRef, request: InstallRequest, *, timeout_s: float) -> CommandStream:
        """Install packages into the workspace, as a command whose output can be followed."""
        ...

    async def destroy(self, ref: SandboxRef) -> None:
        """End every process of the sandbox, whichever process started it, and remove the workspace. Idempotent."""
        ...


@runtime_checkable
class Pausable(Protocol):
    """A provider that can free a sandbox's processes and keep its files."""

    async def pause(self, ref: SandboxRef) -> None:
        """End every process of the sandbox, whichever process of this user started it; keep the workspace."""
        ...

    async def resume(self, ref: SandboxRef) -> None:
        """Get a paused sandbox ready again; its files are as they were."""
        ...
