"""The contract of importers: what another program kept goes in, conversations and entries come out; nothing is stored.

`Importer` reads one whole document of text. `HistoryImporter` finds and streams the histories that a program left on
this machine: it only ever reads, and only what it found or was pointed to.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from cerver_core.wire.exports import ExportedSession
from cerver_core.wire.transcripts import NewEntry

__all__ = [
    "MAX_PROBLEMS",
    "Batch",
    "Conversation",
    "Document",
    "HistoryImporter",
    "ImportedTranscript",
    "Importer",
    "Problem",
    "Tally",
]

MAX_PROBLEMS = 20
"""How many malformed places of a document are told one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class ImportedTranscript:
    """What a document held.

    `entries` are in order, from seq 1 without gaps, each with the time and the id it had. `session` describes where
    they come from; its `session_id` is the old one and its task is among the entries if it ever was one.
    """

    session: ExportedSession
    entries: tuple[NewEntry, ...]


class Importer(Protocol):
    """Reads one kind of document."""

    @property
    def name(self) -> str:
        """The kind, as callers name it, such as `jsonl`."""
        ...

    def parse(self, document: str) -> ImportedTranscript:
        """Read a whole document.

        Raises:
            InvalidInput: a part of it cannot be read; the message names it (by line), and never shows its content.
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """One kept conversation: a file, or a part of a database at `path`.

    `id` is what its source calls it, unique among the documents of that source but for copies of one conversation;
    `parent_id` is the id of the conversation that started it. `stamp` differs whenever the document does.
    """

    source: str
    path: Path
    id: str
    size_bytes: int
    modified_at: datetime
    stamp: str
    parent_id: str | None = None


@dataclass(slots=True)
class Conversation:
    """What has been read of one conversation so far; it becomes one session.

    A document holds its main one (with the document's id) and may hold others, of sub-agents, with `parent_id`.
    `usage` counts tokens; `forked_from` names the conversations that parts of this one were copied from.
    """

    id: str
    parent_id: str | None = None
    title: str | None = None
    working_dir: str | None = None
    branch: str | None = None
    version: str | None = None
    models: list[str] = field(default_factory=list[str])
    usage: dict[str, int] = field(default_factory=dict[str, int])
    forked_from: list[str] = field(default_factory=list[str])
    rewinds: int = 0

    def facts(self) -> dict[str, JsonValue]:
        """Tell what is known, for the session's metadata; nothing that is not."""
        told: dict[str, JsonValue] = {
            "working_dir": self.working_dir,
            "branch": self.branch,
            "source_version": self.version,
            "model": self.models[-1] if self.models else None,
            "models": [*self.models] if len(self.models) > 1 else None,
            "usage": {**self.usage} if self.usage else None,
            "forked_from": [*self.forked_from] if self.forked_from else None,
            "rewinds": self.rewinds or None,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one conversation, in order, each with an id that is the same at every reading.

    `end` is the offset in the document behind what they were read from; null where offsets mean nothing (databases).
    """

    conversation: Conversation
    entries: Sequence[NewEntry]
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that could not be read; `line` counts from 1. The reason never shows the content."""

    path: Path
    line: int
    reason: str


@dataclass(slots=True)
class Tally:
    """Counts what is met while a document is read.

    `known` records are of its source's own kinds; `unknown` counts the kinds that no one here knows, which are passed
    over. `is_torn` tells that the last line is not finished; it is left for the next time. `read_to` is the offset
    behind the last finished line and `checksum` the CRC-32 of the document up to there.
    """

    path: Path
    known: int = 0
    malformed: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])
    unknown: Counter[str] = field(default_factory=Counter[str])
    is_torn: bool = False
    read_to: int = 0
    checksum: int = 0

    def complain(self, line: int, reason: str) -> None:
        """Count a malformed place, and keep it while they are few."""
        self.malformed += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.path, line, reason))


class HistoryImporter(Protocol):
    """Reads the histories that one program leaves on this machine."""

    @property
    def name(self) -> str:
        """The source, as callers name it, such as `claude-code`."""
        ...

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List what is there, parents before children; empty when there is nothing. Reads names, sizes and times."""
        ...

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: one file, or a folder of them laid out as the source does.

        Raises:
            InvalidInput: a file of this name cannot be one of this source's.
        """
        ...

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one document from its beginning, in pieces of bounded size, whatever the size of the document.

        Raises:
            InvalidInput: it is not a transcript of this source at all; what was yielded before is none either.
            FileMissing: it is no longer there.
        """
        ...

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Tell when its owner's clean-up deletes the document; null when it does not, or nobody can know."""
        ...
