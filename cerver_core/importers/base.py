"""The contract of importers: a document in, one session's description and entries out; nothing is stored here."""

from dataclasses import dataclass
from typing import Protocol

from cerver_core.wire.exports import ExportedSession
from cerver_core.wire.transcripts import NewEntry

__all__ = ["ImportedTranscript", "Importer"]


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
