"""Gathers from the entries of one session what an outline of it is made of; whoever asks decides how much is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cerver_core.digests.actions import Change, changes_of, command_of, failed, outcome_of, still_open
from cerver_core.digests.decisions import deciding_sentences, plain_words
from cerver_core.wire.digests import Failure, Point, TouchedFile
from cerver_core.wire.transcripts import Entry

__all__ = ["Decision", "Outline"]

_MOST_DECISIONS = 150
_MOST_CALLS = 1_000
_SAME = 0.7
"""Two sentences that share so much of their words say the same; the later one stands for both."""

_CHARACTERS = 2_000
"""What is kept of a text; what is shown of it is less."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A sentence that decides something, and how clearly it does."""

    point: Point
    weight: float
    words: frozenset[str]


@dataclass(slots=True)
class _Call:
    tool_name: str | None
    command: str
    changes: Sequence[Change]


@dataclass(slots=True)
class Outline:
    """What one session's entries come to. Memory is bounded, however many there are."""

    entries: int = 0
    asked: Point | None = None
    last_asked: Point | None = None
    last_said: Point | None = None
    open_items: Sequence[str] = ()
    decisions: list[Decision] = field(default_factory=list[Decision])
    files: dict[str, TouchedFile] = field(default_factory=dict[str, TouchedFile])
    failures: dict[str, Failure] = field(default_factory=dict[str, Failure])
    _calls: dict[str, _Call] = field(default_factory=dict[str, _Call])

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in, in their order."""
        for entry in entries:
            self.entries += 1
            if entry.kind == "tool_use":
                self._take_call(entry)
            elif entry.kind == "tool_result":
                self._take_result(entry)
            elif entry.kind in {"text", "decision"} and entry.content.strip():
                self._take_text(entry)

    def chosen(self) -> Sequence[Decision]:
        """Give the decisions, the clearest first, each once, however often it was said; the later among equals."""
        chosen: list[Decision] = []
        for decision in sorted(self.decisions, key=lambda one: (-one.weight, -one.point.seq)):
            if not any(_say_the_same(decision, other) for other in chosen):
                chosen.append(decision)
        return chosen

    def _take_text(self, entry: Entry) -> None:
        if entry.role == "user":
            self.last_asked = _point(entry, entry.content)
            self.asked = self.asked or self.last_asked
        elif entry.role == "assistant":
            self.last_said = _point(entry, entry.content)
        else:
            return
        if entry.kind == "decision":
            self.decisions.append(Decision(_point(entry, entry.content), 5.0, plain_words(entry.content)))
            return
        for weight, sentence in deciding_sentences(entry.content, by_user=entry.role == "user"):
            self.decisions.append(Decision(_point(entry, sentence), weight, plain_words(sentence)))
        if len(self.decisions) > 2 * _MOST_DECISIONS:
            self.decisions = list(self.chosen()[:_MOST_DECISIONS])

    def _take_call(self, entry: Entry) -> None:
        call = _Call(entry.tool_name, command_of(entry)[:_CHARACTERS], changes_of(entry))
        opened = still_open(entry)
        if opened is not None:
            self.open_items = opened
        if entry.tool_id is None:
            self._note_files(entry.seq, call.changes)
            return
        self._calls[entry.tool_id] = call
        if len(self._calls) > _MOST_CALLS:
            del self._calls[next(iter(self._calls))]

    def _take_result(self, entry: Entry) -> None:
        call = self._calls.pop(entry.tool_id or "", None)
        if call is None:
            call = _Call(entry.tool_name, "", ())
        key = f"{call.tool_name}\0{call.command}"
        before = self.failures.get(key)
        if failed(entry):
            self.failures.pop(key, None)
            self.failures[key] = Failure(
                seq=entry.seq,
                tool_name=call.tool_name,
                command=call.command,
                outcome=outcome_of(entry.content)[:_CHARACTERS],
                times=before.times + 1 if before else 1,
            )
            return
        self._note_files(entry.seq, call.changes)
        if before is not None:
            self.failures[key] = before.model_copy(update={"mended": True})

    def _note_files(self, seq: int, changes: Sequence[Change]) -> None:
        for path, how in changes:
            before = self.files.pop(path, None)
            self.files[path] = TouchedFile(
                seq=seq, path=path[:_CHARACTERS], how=how, times=before.times + 1 if before else 1
            )


def _point(entry: Entry, text: str) -> Point:
    return Point(seq=entry.seq, at=entry.at, role=entry.role, text=text[:_CHARACTERS])


def _say_the_same(one: Decision, other: Decision) -> bool:
    """Tell whether two share most of their words, and none of those that differ is a number."""
    if any(word.isdigit() for word in one.words ^ other.words):
        return False
    return len(one.words & other.words) >= _SAME * max(1, min(len(one.words), len(other.words)))
