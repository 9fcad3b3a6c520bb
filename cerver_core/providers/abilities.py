"""What some providers can do beside the base contract: each ability is a small protocol, declared and checked.

A caller asks `isinstance(provider, Previews)`; a provider that lacks an ability lacks its methods, and the caller gets
`NotSupported` that names the provider.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from pydantic import JsonValue

from cerver_core.providers.base import Command, Output, SandboxRef

__all__ = [
    "SESSION_LABEL",
    "Background",
    "Extendable",
    "Forkable",
    "Interactive",
    "Listing",
    "Preview",
    "Previews",
    "Process",
    "SandboxInfo",
    "Snapshots",
    "Stateful",
]


SESSION_LABEL = "cerver_session"
"""The label under which `create` keeps the session's id at the provider: what a crash left is found by it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Where a port of the sandbox is reached; `headers` must go with each request, and may hold a token."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """One sandbox as the provider itself lists it. `labels` are what `create` gave it, so that a reaper knows ours."""

    ref: SandboxRef
    state: Literal["running", "paused", "stopped", "unknown"]
    created_at: datetime | None = None
    expires_at: datetime | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A process in the background of a sandbox, by the provider's own id for it."""

    process_id: str


@runtime_checkable
class Listing(Protocol):
    """A provider that can say which sandboxes it holds for this credential."""

    def sandboxes(self) -> AsyncIterator[SandboxInfo]:
        """Go through all of them, page by page."""
        ...


@runtime_checkable
class Previews(Protocol):
    """A provider that can make a port of the sandbox reachable."""

    async def preview(self, ref: SandboxRef, port: int) -> Preview:
        """Give the address of a port (1 to 65535)."""
        ...


@runtime_checkable
class Extendable(Protocol):
    """A provider whose sandboxes end by themselves after a time that can be moved."""

    async def set_timeout(self, ref: SandboxRef, timeout_s: float) -> None:
        """Let the sandbox live this long from now on."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """A provider that can keep a sandbox's files as an image of their own."""

    async def snapshot(self, ref: SandboxRef) -> str:
        """Keep the files as they are now; answers the snapshot's id."""
        ...

    async def create_from(self, snapshot_id: str, *, session_id: str) -> SandboxRef:
        """Make a sandbox whose files are those of a snapshot."""
        ...


@runtime_checkable
class Forkable(Protocol):
    """A provider that can copy a sandbox as it stands."""

    async def fork(self, ref: SandboxRef, *, session_id: str) -> SandboxRef:
        """Make a second sandbox like this one; the first goes on."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A provider that keeps a small JSON object with a sandbox (`getState` and `setState` of wire contract §3.5)."""

    async def get_state(self, ref: SandboxRef) -> Mapping[str, JsonValue]:
        """Read it; empty when none was set."""
        ...

    async def set_state(self, ref: SandboxRef, state: Mapping[str, JsonValue]) -> None:
        """Replace it."""
        ...


@runtime_checkable
class Background(Protocol):
    """A provider that can leave a process running after the call that started it."""

    async def start(self, ref: SandboxRef, command: Command) -> Process:
        """Start a command in the background; `timeout_s` bounds its life where the provider can."""
        ...

    async def processes(self, ref: SandboxRef) -> Sequence[Process]:
        """List those that still run."""
        ...

    def output(self, ref: SandboxRef, process: Process) -> AsyncIterator[Output]:
        """Give what it printed from its start on, and follow it until it ends."""
        ...

    async def kill(self, ref: SandboxRef, process: Process) -> None:
        """End it and its children. Idempotent."""
        ...


@runtime_checkable
class Interactive(Background, Protocol):
    """A provider whose background processes read what they are sent."""

    async def write_stdin(self, ref: SandboxRef, process: Process, data: bytes, *, close: bool = False) -> None:
        """Send bytes to its standard input, and close it if asked."""
        ...
