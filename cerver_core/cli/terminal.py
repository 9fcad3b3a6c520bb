"""The terminal: plain lines, JSON, tables and notes; knows whether a person is looking."""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

import anyio

from cerver_core.errors import CerverError

__all__ = ["Terminal"]

_CHUNK_BYTES = 4_096
"""What a pipe that polls as writable takes without blocking (POSIX: PIPE_BUF)."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Standard output for what was asked, standard error for everything else."""

    out: TextIO
    err: TextIO

    @classmethod
    def standard(cls) -> "Terminal":
        """Take this process's own streams."""
        return cls(sys.stdout, sys.stderr)

    @property
    def is_watched(self) -> bool:
        """Tell whether a person looks at standard output."""
        return self.out.isatty()

    def line(self, text: str = "") -> None:
        """Write one line of the answer."""
        self.out.write(text + "\n")

    def text(self, text: str) -> None:
        """Write a piece of the answer as it is."""
        self.out.write(text)

    def json(self, value: object) -> None:
        """Write the answer as JSON: indented where a person looks, else on one line."""
        self.line(json.dumps(value, ensure_ascii=False, indent=2 if self.is_watched else None))

    def note(self, text: str) -> None:
        """Say something beside the answer."""
        self.err.write(text + "\n")
        self.err.flush()

    def complain(self, code: str, message: str) -> None:
        """Say in one line what went wrong."""
        self.note(f"cerver: {code}: {' '.join(message.split())}")

    def complain_of(self, error: CerverError) -> None:
        """Say in one line what an error says."""
        self.complain(error.code, error.message)

    def flush(self) -> None:
        """Hand on what is still buffered."""
        self.out.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table: ruled and fitted to the window for a person, whole and aligned for a pipe."""
        if not self.is_watched:
            self._plain_table(columns, rows)
            return
        from cerver_core.cli.tables import print_table  # noqa: PLC0415 - rich loads only where a person looks

        print_table(self.out, columns, rows)

    def pairs(self, values: Mapping[str, str]) -> None:
        """Write names and values, aligned."""
        width = max(map(len, values), default=0)
        for name, value in values.items():
            self.line(f"{name:<{width}}  {value}")

    async def live(self, text: str, *, to_err: bool = False) -> None:
        """Write output as it comes, without blocking the event loop on a slow reader.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        stream = self.err if to_err else self.out
        stream.flush()
        handle = _pollable(stream)
        if handle is None:
            stream.write(text)
            stream.flush()
            return
        data = memoryview(text.encode(stream.encoding or "utf-8", "replace"))
        while data:
            await anyio.wait_writable(handle)
            data = data[os.write(handle, data[:_CHUNK_BYTES]) :]

    def _plain_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            self.line("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _pollable(stream: TextIO) -> int | None:
    """Give the file descriptor of a pipe, socket or terminal; null for a file or a stand-in, which never block."""
    try:
        handle = stream.fileno()
        mode = os.fstat(handle).st_mode
    except (OSError, ValueError):
        return None
    never_blocks = stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not stream.isatty())
    return None if never_blocks else handle
