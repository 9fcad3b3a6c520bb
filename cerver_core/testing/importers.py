"""What every importer of histories must do, whatever it reads: inherit, override `sample`, run.

The sample is a small history with the traps of its source; the suite reads it, breaks it and reads it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Batch, Conversation, Document, HistoryImporter, Tally
from cerver_core.wire.transcripts import NewEntry

__all__ = ["ImporterContract", "Sample", "read_document", "spoken"]

_ENTRY: TypeAdapter[NewEntry] = TypeAdapter(NewEntry)
_LARGEST_BATCH = 1_000


@dataclass(frozen=True)
class Sample:
    """A history on disk: where its source would keep it, and what must come out of it.

    `spoken` are (conversation id, role, kind, content) of the first conversation's entries, in order; `calls` are the
    (tool name, is_error) of all results.
    """

    importer: HistoryImporter
    home: Path
    environ: dict[str, str]
    documents: Sequence[str]
    spoken: Sequence[tuple[str, str, str]]
    calls: Sequence[tuple[str, bool]]
    facts: dict[str, object] = field(default_factory=dict[str, object])
    title: str | None = None
    parents: dict[str, str] = field(default_factory=dict[str, str])


def read_document(importer: HistoryImporter, document: Document) -> tuple[list[Batch], Tally]:
    """Read one document whole."""
    tally = Tally(document.path)
    return list(importer.read(document, tally)), tally


def spoken(batches: Sequence[Batch], conversation_id: str) -> list[tuple[str, str, str]]:
    """Give the role, kind and content of one conversation's entries."""
    return [
        (entry.role, entry.kind, entry.content)
        for batch in batches
        if batch.conversation.id == conversation_id
        for entry in batch.entries
    ]


class ImporterContract:
    """One importer, held to what all of them promise."""

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        """Give the history to read; the inheriting class overrides this."""
        raise AssertionError("the inheriting class gives the fixture")

    def test_it_finds_what_its_source_keeps_parents_first(self, sample: Sample) -> None:
        found = sample.importer.find(sample.home, sample.environ)
        assert [document.id for document in found] == list(sample.documents)
        assert {document.source for document in found} == {sample.importer.name}
        seen: set[str] = set()
        for document in found:
            assert document.parent_id is None or document.parent_id in seen
            seen.add(document.id)

    def test_where_nothing_is_kept_it_finds_nothing(self, sample: Sample, tmp_path: Path) -> None:
        empty = tmp_path / "nobody"
        empty.mkdir()
        assert list(sample.importer.find(empty, {})) == []
        assert list(empty.iterdir()) == []

    def test_it_tells_what_was_said_run_and_answered(self, sample: Sample) -> None:
        batches = self._everything(sample)
        assert spoken(batches, sample.documents[0]) == list(sample.spoken)
        results = [entry for batch in batches for entry in batch.entries if entry.kind == "tool_result"]
        assert [(entry.tool_name, entry.is_error is True) for entry in results] == list(sample.calls)

    def test_every_result_has_its_call(self, sample: Sample) -> None:
        entries = [entry for batch in self._everything(sample) for entry in batch.entries]
        asked = {entry.tool_id for entry in entries if entry.kind == "tool_use"}
        answered = {entry.tool_id for entry in entries if entry.kind == "tool_result"}
        assert answered <= asked
        assert None not in answered

    def test_it_tells_where_with_which_model_and_at_what_cost(self, sample: Sample) -> None:
        main = self._conversation(sample, sample.documents[0])
        assert main.facts() == sample.facts
        assert main.title == sample.title

    def test_sub_agents_are_conversations_under_theirs(self, sample: Sample) -> None:
        parents = {batch.conversation.id: batch.conversation.parent_id for batch in self._everything(sample)}
        assert {identity: parent for identity, parent in parents.items() if parent is not None} == sample.parents

    def test_every_entry_is_one_that_cerver_takes(self, sample: Sample) -> None:
        for batch in self._everything(sample):
            assert 0 < len(batch.entries) <= _LARGEST_BATCH
            for entry in batch.entries:
                again = _ENTRY.validate_json(entry.model_dump_json(exclude_unset=True))
                assert again.model_dump(exclude_unset=True) == entry.model_dump(exclude_unset=True)
                assert entry.at is not None
                assert entry.at.tzinfo is not None

    def test_ids_are_unique_within_a_conversation_and_the_same_at_every_reading(self, sample: Sample) -> None:
        first, second = ([_identities(batch) for batch in self._everything(sample)] for _ in range(2))
        assert first == second
        keys = [key for batch in first for key in batch]
        assert len(keys) == len(set(keys))

    def test_reading_changes_nothing_on_disk(self, sample: Sample) -> None:
        before = _files(sample.home)
        self._everything(sample)
        assert _files(sample.home) == before

    def test_what_is_no_transcript_of_its_source_is_refused_whole(self, sample: Sample) -> None:
        document = sample.importer.find(sample.home, sample.environ)[0]
        for foreign in (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b'{"name": "left-pad"}\n', b"[1, 2]\n" * 50):
            document.path.write_bytes(foreign)
            batches = sample.importer.read(document, Tally(document.path))
            with pytest.raises(InvalidInput, match="is not a"):
                next(batches)

    def test_a_document_that_went_away_is_missing(self, sample: Sample) -> None:
        document = sample.importer.find(sample.home, sample.environ)[0]
        document.path.unlink()
        with pytest.raises(FileMissing):
            read_document(sample.importer, document)

    @staticmethod
    def _everything(sample: Sample) -> list[Batch]:
        found = sample.importer.find(sample.home, sample.environ)
        return [batch for document in found for batch in read_document(sample.importer, document)[0]]

    def _conversation(self, sample: Sample, identity: str) -> Conversation:
        return next(b.conversation for b in self._everything(sample) if b.conversation.id == identity)


def _identities(batch: Batch) -> list[tuple[str, str | None]]:
    return [(batch.conversation.id, entry.id) for entry in batch.entries]


def _files(home: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in home.rglob("*") if path.is_file()}
