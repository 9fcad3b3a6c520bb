"""Codex's rollout files: found on disk and read line by line; `codex_lines` understands the lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.codex_lines import CodexLines, parent_of
from cerver_core.importers.files import file_document, files_under, first_record
from cerver_core.importers.lines import opened, read_lines
from cerver_core.importers.values import record, string

__all__ = ["CodexImporter"]

_FOLDERS = ("sessions", "archived_sessions")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


class CodexImporter:
    """Reads `${CODEX_HOME:-~/.codex}/sessions/YYYY/MM/DD/rollout-*.jsonl`, and those that Codex archived.

    Its SQLite side stores are left alone: they hold nothing of the conversation that the rollouts do not.
    """

    name = "codex"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the rollouts, oldest first."""
        root = Path(environ.get("CODEX_HOME") or home / ".codex")
        return self._documents([path for folder in _FOLDERS for path in files_under(root / folder, "rollout-*.jsonl")])

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: a rollout, or a folder of them."""
        if path.is_dir():
            return self._documents(files_under(path, "rollout-*.jsonl"))
        if path.suffix != ".jsonl":
            raise InvalidInput(f"{path} cannot be a rollout of Codex: those end in .jsonl")
        return self._documents([path])

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one file."""
        with opened(document.path) as stream:
            yield from self.parse(stream, document, tally)

    @staticmethod
    def parse(stream: BinaryIO, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read a stream of lines."""
        lines = CodexLines(document, tally)
        yield from read_lines(stream, tally, lines.gathered, lines.take_in, "Codex")

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Answer null: Codex keeps its rollouts."""
        del document, home, environ

    def _documents(self, paths: Sequence[Path]) -> Sequence[Document]:
        found = [file_document(self.name, path, *_identity(path)) for path in paths]
        return sorted(found, key=lambda document: (document.parent_id is not None, document.path.name))


def _identity(path: Path) -> tuple[str, str | None]:
    """Name the conversation of a file, and the one that started it."""
    first = first_record(path)
    meta = record(first, "payload") or first
    named = _UUID.search(path.stem)
    return string(meta, "id") or (named.group() if named else path.stem), parent_of(meta)
