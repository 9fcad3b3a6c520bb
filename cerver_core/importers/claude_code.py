"""Claude Code's session files: found on disk and read line by line; `claude_code_lines` understands the lines."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.claude_code_lines import ClaudeCodeLines
from cerver_core.importers.files import file_document, files_under, first_record
from cerver_core.importers.lines import opened, read_lines
from cerver_core.importers.values import Record, as_record, parsed, string

__all__ = ["ClaudeCodeImporter"]

_CLEAN_UP_DAYS = 30
"""What Claude Code deletes after, unless its settings say otherwise (`cleanupPeriodDays`)."""


class ClaudeCodeImporter:
    """Reads `${CLAUDE_CONFIG_DIR:-~/.claude}/projects/<project>/<session>.jsonl` and the sub-agents' files below.

    A sub-agent is a conversation of its own, under that of its session, whether it has a file (`subagents/agent-*` or
    an older `agent-*` beside the session's) or stands among the session's lines.
    """

    name = "claude-code"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the sessions of every project, each before its sub-agents."""
        return self._documents(files_under(_config(home, environ) / "projects", "*.jsonl"))

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: a session's file, a project's folder, or a folder of projects."""
        if path.is_dir():
            return self._documents(files_under(path, "*.jsonl"))
        if path.suffix != ".jsonl":
            raise InvalidInput(f"{path} cannot be a session of Claude Code: those end in .jsonl")
        return self._documents([path])

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one file."""
        with opened(document.path) as stream:
            yield from self.parse(stream, document, tally, _sidecar(document))

    @staticmethod
    def parse(stream: BinaryIO, document: Document, tally: Tally, about: Record | None = None) -> Iterator[Batch]:
        """Read a stream of lines; `about` is what stands beside a sub-agent's file."""
        lines = ClaudeCodeLines(document, tally, title=string(about or {}, "description"))
        yield from read_lines(stream, tally, lines.gathered, lines.take_in, "Claude Code")

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Tell when Claude Code's clean-up deletes the file: so many days after it was last written."""
        config = _config(home, environ)
        if not document.path.is_relative_to(config):
            return None
        try:
            days = as_record(parsed((config / "settings.json").read_bytes())).get("cleanupPeriodDays")
        except (OSError, ValueError):
            days = None
        kept_days = days if isinstance(days, int) and 0 <= days < 100_000 else _CLEAN_UP_DAYS
        return document.modified_at + timedelta(days=kept_days)

    def _documents(self, paths: Sequence[Path]) -> Sequence[Document]:
        found = [file_document(self.name, path, *_identity(path)) for path in paths if not _is_other(path)]
        return sorted(found, key=lambda document: (document.parent_id is not None, document.path))


def _config(home: Path, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")


def _is_other(path: Path) -> bool:
    """Tell the lines that are kept beside sessions and are none, such as what a tool spilled."""
    return "tool-results" in path.parts


def _identity(path: Path) -> tuple[str, str | None]:
    """Name the conversation of a file, and the one above it."""
    if not path.stem.startswith("agent-"):
        return path.stem, None
    agent = path.stem.removeprefix("agent-")
    if "subagents" in path.parts:
        above = path.parts[len(path.parts) - 1 - path.parts[::-1].index("subagents") - 1]
        return f"{above}/{agent}", above
    parent = string(first_record(path), "sessionId")
    return (f"{parent}/{agent}", parent) if parent else (agent, None)


def _sidecar(document: Document) -> Record:
    if document.parent_id is None:
        return {}
    try:
        return as_record(parsed(document.path.with_suffix(".meta.json").read_bytes()))
    except (OSError, ValueError):
        return {}
