"""What an adapter must be able to do itself, so that all else can be done through the sandbox's shell."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cerver_core.providers.base import Output, SandboxRef

__all__ = ["Ended", "Link", "Program", "ProgramStream"]


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run in the sandbox, with nothing around it. Its input is closed or empty.

    `env` is added to the sandbox's own. `timeout_s` is when the vendor may end it, as a net: the scripts keep the real
    deadline themselves. `cwd` is not given: the scripts go where they need to be. `says_text` means that all it writes
    is ASCII, so that a vendor whose wire carries text needs no care.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 60.0
    says_text: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a program: what the vendor says it came to; null when it does not say."""

    exit_code: int | None


ProgramStream = AbstractAsyncContextManager[AsyncIterator[Output | Ended]]
"""Yields `Output`s and then one `Ended`. Leaving it early lets go of the stream; the program may go on.

A connection that breaks raises `ProviderUnavailable`, unless the vendor lets one take up the stream again without loss.
"""


class Link(Protocol):
    """The wire of one vendor, as far as running and moving bytes go. Paths are absolute, in the sandbox.

    Every method raises `NotFound` when the sandbox is gone, and what `cerver_core.providers.http` maps.
    """

    @property
    def most_bytes_at_once(self) -> int | None:
        """How many bytes `put` takes in one call; null for any number."""
        ...

    def run(self, ref: SandboxRef, program: Program) -> ProgramStream:
        """Run a program. It is never started twice."""
        ...

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file, or one file of this machine; the folder is there. May be half written when it fails."""
        ...

    def get(self, ref: SandboxRef, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a file piece by piece; `FileMissing` when it is not there."""
        ...
