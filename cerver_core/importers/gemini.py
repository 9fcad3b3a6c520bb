"""Gemini CLI's chats, whole documents and lines: found on disk here; `gemini_records` understands the messages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cerver_core.errors import InvalidInput
from cerver_core.importers.arrays import array_items
from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.files import file_document, files_under, first_record
from cerver_core.importers.gemini_records import GeminiRecords
from cerver_core.importers.lines import opened, read_lines
from cerver_core.importers.values import Record, as_record, parsed, record, string

__all__ = ["GeminiImporter"]

_SESSION_ID = re.compile(rb'"sessionId"\s*:\s*"([^"\\]{1,200})"')
_GLANCE_BYTES = 64 * 1024


class GeminiImporter:
    """Reads `${GEMINI_CLI_HOME:-~}/.gemini/tmp/<project>/chats/`: `*.jsonl`, and `*.json` of older versions.

    A chat in a folder below is a sub-agent's, of the chat that the folder is named for.
    """

    name = "gemini"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the chats of every project, each before its sub-agents."""
        root = Path(environ.get("GEMINI_CLI_HOME") or home) / ".gemini" / "tmp"
        return self._documents([path for path in _chats(root) if "chats" in path.parts])

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: one chat, or a folder of them."""
        if path.is_dir():
            return self._documents(_chats(path))
        if path.suffix not in {".json", ".jsonl"}:
            raise InvalidInput(f"{path} cannot be a chat of Gemini: those end in .json or .jsonl")
        return [file_document(self.name, path, _identity(path) or path.stem, _parent(path))]

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one chat."""
        parse = self.parse_lines if document.path.suffix == ".jsonl" else self.parse_document
        with opened(document.path) as stream:
            yield from parse(stream, document, tally, _working_dir(document.path))

    @staticmethod
    def parse_lines(
        stream: BinaryIO, document: Document, tally: Tally, working_dir: str | None = None
    ) -> Iterator[Batch]:
        """Read a stream of lines."""
        records = GeminiRecords(document, tally, working_dir)
        yield from read_lines(
            stream, tally, records.gathered, lambda line: records.take_in(line.value, line.number), "Gemini"
        )

    @staticmethod
    def parse_document(
        stream: BinaryIO, document: Document, tally: Tally, working_dir: str | None = None
    ) -> Iterator[Batch]:
        """Read one whole document, message by message."""
        records = GeminiRecords(document, tally, working_dir)
        about: Record = {}
        number = 0
        try:
            for text in array_items(stream, "messages", about):
                number += 1
                records.take_in(as_record(parsed(text)), number)
                records.gathered.weigh(len(text))
                if number == 1:
                    _refuse_foreign(about, tally)
                if records.gathered.is_enough:
                    yield from records.gathered.take(None)
        except ValueError as error:
            if isinstance(error, InvalidInput):
                raise
            if not tally.known:
                raise _foreign(tally) from error
            tally.is_torn = True
        records.take_in(about, 0)
        _refuse_foreign(about, tally)
        yield from records.gathered.take(None)

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Answer null: when Gemini deletes a chat depends on settings of several places."""
        del document, home, environ

    def _documents(self, paths: Sequence[Path]) -> Sequence[Document]:
        known = [(path, identity) for path in paths if (identity := _identity(path)) is not None]
        # A chat that a newer version resumed stands in both forms; the lines say more.
        in_lines = {identity for path, identity in known if path.suffix == ".jsonl"}
        found = [
            file_document(self.name, path, identity, _parent(path))
            for path, identity in known
            if path.suffix == ".jsonl" or identity not in in_lines
        ]
        return sorted(found, key=lambda document: (document.parent_id is not None, document.path))


def _chats(folder: Path) -> Sequence[Path]:
    return files_under(folder, "*.json", "*.jsonl")


def _identity(path: Path) -> str | None:
    """Read which conversation a file holds; null for one that is no chat."""
    try:
        with path.open("rb") as stream:
            found = _SESSION_ID.search(stream.read(_GLANCE_BYTES))
    except OSError:
        return None
    return found.group(1).decode("utf-8", "replace") if found else None


def _parent(path: Path) -> str | None:
    return path.parent.name if path.parent.parent.name == "chats" else None


def _working_dir(path: Path) -> str | None:
    """Learn which folder the project's chats belong to, from what stands beside them."""
    project = next((folder.parent for folder in path.parents if folder.name == "chats"), None)
    if project is None:
        return None
    try:
        return (project / ".project_root").read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        known = record(first_record(project.parent.parent / "projects.json"), "projects")
    return next((folder for folder in known if string(known, folder) == project.name), None)


def _refuse_foreign(about: Record, tally: Tally) -> None:
    if string(about, "sessionId") is None or not tally.known:
        raise _foreign(tally)


def _foreign(tally: Tally) -> InvalidInput:
    return InvalidInput(f"{tally.path} is not a transcript of Gemini: it holds no session's messages")
