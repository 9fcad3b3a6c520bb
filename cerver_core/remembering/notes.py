"""Notes of hooks: what one says, and which documents on disk it speaks of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Document, HistoryImporter
from cerver_core.importers.files import files_under
from cerver_core.importers.sources import SOURCES
from cerver_core.importers.values import as_record, parsed, string

__all__ = ["Note", "documents_of"]

_SESSION = re.compile(r"[0-9A-Za-z-]{8,64}")
_CODEX_FOLDER = "sessions"


@dataclass(frozen=True, slots=True)
class Note:
    """What a hook told: whose transcript it is, and where; or, where that was not told, by which name to look for it.

    `place` is the folder that the agent keeps everything in, if it is not the usual one.
    """

    source: str
    path: Path | None = None
    session: str | None = None
    place: Path | None = None

    @classmethod
    def read(cls, data: bytes) -> "Note | None":
        """Read a note; null for one that says nothing."""
        try:
            told = as_record(parsed(data))
        except ValueError:
            return None
        source, path, session = string(told, "source"), string(told, "path"), string(told, "session")
        place = string(told, "place")
        if source is None or source not in SOURCES or not (path or session):
            return None
        return cls(source, Path(path) if path else None, session, Path(place) if place else None)


def documents_of(note: Note, importer: HistoryImporter, environ: Mapping[str, str]) -> Sequence[Document]:
    """List the note's conversation and, behind it, those of its sub-agents; empty while there is nothing on disk.

    Blocks: it looks at names on disk.
    """
    path = note.path or _rollout(note, environ)
    if path is None or not path.is_absolute():
        return []
    try:
        found = [*importer.find_in(path)]
        below = path.with_suffix("")
        if note.source == "claude-code" and below.is_dir():
            found += importer.find_in(below)
    except (FileMissing, InvalidInput):
        return []
    return found


def _rollout(note: Note, environ: Mapping[str, str]) -> Path | None:
    """Find the file that Codex keeps a thread in; its name ends in the thread's."""
    if note.source != "codex" or note.session is None or not _SESSION.fullmatch(note.session):
        return None
    home = Path(environ.get("HOME") or Path.home())
    root = note.place or Path(environ.get("CODEX_HOME") or home / ".codex")
    found = files_under(root / _CODEX_FOLDER, f"rollout-*{note.session}.jsonl")
    return found[-1].absolute() if found else None
