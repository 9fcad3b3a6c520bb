"""Cursor's chats: its command line's, from lines; its editor's, from a database, are read by `cursor_bubbles`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Batch, Conversation, Document, Tally
from cerver_core.importers.cursor_bubbles import find_composers, read_composer
from cerver_core.importers.files import file_document, files_under
from cerver_core.importers.lines import Gathered, Line, Recent, opened, read_lines
from cerver_core.importers.values import Record, as_record, entry, record, string, text_of

__all__ = ["CursorImporter"]

_STAMP = re.compile(
    r"<timestamp>\s*\w+, (?P<day>[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2} [AP]M)"
    r"(?: \(UTC(?:(?P<hours>[+-]\d{1,2})(?::(?P<minutes>\d{2}))?)?\))?"
)


class CursorImporter:
    """Reads `User/globalStorage/state.vscdb` of the editor and `~/.cursor/projects/*/agent-transcripts/**/*.jsonl`.

    The lines carry no times: a prompt often tells its own, else the file's last change stands for all.
    """

    name = "cursor"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the chats of the editor, then those of the command line."""
        found = [document for path in _databases(home, environ) for document in find_composers(self.name, path)]
        projects = Path(environ.get("CURSOR_CONFIG_DIR") or home / ".cursor") / "projects"
        return [
            *found,
            *self._transcripts([p for p in files_under(projects, "*.jsonl") if "agent-transcripts" in p.parts]),
        ]

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: a database, a transcript, or a folder of transcripts."""
        if path.is_dir():
            return self._transcripts(files_under(path, "*.jsonl"))
        if path.suffix == ".vscdb":
            return find_composers(self.name, path)
        if path.suffix == ".jsonl":
            return self._transcripts([path])
        raise InvalidInput(f"{path} cannot be of Cursor: its chats are in *.jsonl and in state.vscdb")

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one chat."""
        if document.path.suffix == ".vscdb":
            yield from read_composer(document, tally)
            return
        with opened(document.path) as stream:
            yield from self.parse(stream, document, tally)

    @staticmethod
    def parse(stream: BinaryIO, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read a stream of the command line's lines."""
        lines = _Lines(document, tally)
        yield from read_lines(stream, tally, lines.gathered, lines.take_in, "Cursor")

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Answer null: Cursor keeps its chats."""
        del document, home, environ

    def _transcripts(self, paths: Sequence[Path]) -> Sequence[Document]:
        found = [file_document(self.name, path, path.stem, _parent(path)) for path in paths]
        return sorted(found, key=lambda document: (document.parent_id is not None, document.path))


class _Lines:
    def __init__(self, document: Document, tally: Tally) -> None:
        self.gathered = Gathered()
        self._tally = tally
        self._main = Conversation(document.id, parent_id=document.parent_id)
        self._at = document.modified_at
        self._tools: Recent[str, str] = Recent(5_000)

    def take_in(self, line: Line) -> None:
        """Take one line in."""
        role, message = string(line.value, "role"), record(line.value, "message")
        if role not in {"user", "assistant"} or "content" not in message:
            self._tally.unknown[(string(line.value, "type") or role or "none")[:40]] += 1
            return
        self._tally.known += 1
        content = message["content"]
        if role == "user":
            self._at = _told_time(text_of(content)) or self._at
        for position, block in enumerate(content if isinstance(content, list) else [content]):
            value = as_record(block)
            if string(value, "type") == "tool_use":
                self._call(line, position, value)
            elif string(value, "type") == "tool_result":
                self._result(line, position, value)
            else:
                speaker = "user" if role == "user" else "assistant"
                said = entry(speaker, text_of(block), key=f"byte-{line.begin}:{position}", at=self._at)
                self.gathered.add(self._main, said)

    def _call(self, line: Line, position: int, block: Record) -> None:
        tool_id, tool_name = string(block, "id"), string(block, "name")
        if tool_id and tool_name:
            self._tools.keep(tool_id, tool_name)
        asked = entry(
            *("assistant", ""),
            key=f"byte-{line.begin}:{position}",
            at=self._at,
            kind="tool_use",
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=block.get("input"),
        )
        self.gathered.add(self._main, asked)

    def _result(self, line: Line, position: int, block: Record) -> None:
        tool_id = string(block, "tool_use_id")
        answered = entry(
            *("tool", text_of(block.get("content"))),
            key=f"byte-{line.begin}:{position}",
            at=self._at,
            kind="tool_result",
            tool_id=tool_id,
            tool_name=self._tools.get(tool_id or ""),
            is_error=block.get("is_error") is True,
        )
        self.gathered.add(self._main, answered)


def _databases(home: Path, environ: Mapping[str, str]) -> Sequence[Path]:
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    roots = (config, home / "Library" / "Application Support")
    paths = (root / "Cursor" / "User" / "globalStorage" / "state.vscdb" for root in roots)
    return [path for path in paths if path.is_file()]


def _parent(path: Path) -> str | None:
    return path.parent.parent.name if path.parent.name == "subagents" else None


def _told_time(text: str) -> datetime | None:
    """Read the time that a prompt tells of itself."""
    found = _STAMP.search(text, 0, 2_000)
    if found is None:
        return None
    try:
        local = datetime.strptime(found["day"], "%b %d, %Y, %I:%M %p")
        hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
        offset = timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes)
        return local.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
