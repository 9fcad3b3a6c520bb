"""Chooses what of an outline is shown within a budget: how it ended first, then what was decided, broke and changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cerver_core.digests.outline import Outline
from cerver_core.wire.digests import DigestedSession, Failure, Point, TouchedFile
from cerver_core.wire.sessions import SessionRecord

__all__ = ["CHARACTERS_PER_TOKEN", "Outlined", "digested"]

CHARACTERS_PER_TOKEN = 4
"""About how many characters a model takes for one token."""

_FRAME = 640
"""What the lines around the sessions may take, in characters."""

_HEAD = 260
"""What a session's own facts may take, and the words before each group of its points."""

_LEAST_SESSION = 420
"""A session gets at least so much, or is left out."""

_POINT_FRAME = 36
_FILE_FRAME = 24
_FAILURE_FRAME = 60
_LONGEST_POINT, _SHORTEST_POINT = 320, 80
_LONGEST_PATH = 160
_MOST_OPEN = 10


@dataclass(frozen=True, slots=True)
class Outlined:
    """A session, what it is called, and what its entries come to."""

    record: SessionRecord
    title: str
    outline: Outline


def digested(sessions: Sequence[Outlined], max_tokens: int) -> tuple[DigestedSession, ...]:
    """Show as many of the sessions, from the first on, as get their least; what one does not need the next may take."""
    room = max(max_tokens * CHARACTERS_PER_TOKEN - _FRAME, _LEAST_SESSION)
    shown = sessions[: max(1, room // _LEAST_SESSION)]
    done: list[DigestedSession] = []
    for at, one in enumerate(shown):
        share = _Share(one.outline, room // (len(shown) - at) - _HEAD)
        done.append(share.session(one))
        room -= _HEAD + share.taken
    return tuple(done)


@dataclass(slots=True)
class _Share:
    """The room of one session, and what has been put into it."""

    outline: Outline
    room: int
    taken: int = 0
    asked: Point | None = None
    last: list[Point] = field(default_factory=list[Point])
    decisions: list[Point] = field(default_factory=list[Point])
    files: list[TouchedFile] = field(default_factory=list[TouchedFile])
    failures: list[Failure] = field(default_factory=list[Failure])
    open_items: list[str] = field(default_factory=list[str])

    def session(self, one: Outlined) -> DigestedSession:
        decisions = [decision.point for decision in self.outline.chosen()]
        files = list(reversed(self.outline.files.values()))
        failures = sorted(self.outline.failures.values(), key=lambda failure: (failure.mended, -failure.seq))
        self._ends()
        self._rest(iter(decisions), iter(files), iter(failures), iter(self.outline.open_items[:_MOST_OPEN]))
        record = one.record
        return DigestedSession(
            session_id=record.session_id,
            session_name=record.session_name,
            title=one.title,
            status=record.status,
            created_at=record.created_at,
            updated_at=record.updated_at,
            harness=record.harness,
            project_slug=record.project_slug,
            entries=record.transcript_total,
            entries_read=self.outline.entries,
            asked=self.asked,
            decisions=tuple(sorted(self.decisions, key=_seq)),
            files=tuple(sorted(self.files, key=_seq)),
            failures=tuple(sorted(self.failures, key=_seq)),
            open_items=tuple(self.open_items),
            last=tuple(sorted(self.last, key=_seq)),
            decisions_left_out=len(decisions) - len(self.decisions),
            files_left_out=len(files) - len(self.files),
            failures_left_out=len(failures) - len(self.failures),
        )

    def _ends(self) -> None:
        outline = self.outline
        for point in (outline.last_asked, outline.last_said):
            if point is not None and (cut := self._point(point)):
                self.last.append(cut)
        if outline.asked is not None and outline.asked is not outline.last_asked:
            self.asked = self._point(outline.asked)

    def _rest(
        self,
        decisions: Iterator[Point],
        files: Iterator[TouchedFile],
        failures: Iterator[Failure],
        open_items: Iterator[str],
    ) -> None:
        """Take turns, two decisions to each failure, two files and an open item, until nothing more fits."""
        before = -1
        while self.taken != before:
            before = self.taken
            for _ in range(2):
                if (decision := next(decisions, None)) and (cut := self._point(decision)):
                    self.decisions.append(cut)
            if (failure := next(failures, None)) and (broke := self._failure(failure)):
                self.failures.append(broke)
            for _ in range(2):
                if (file := next(files, None)) and (touched := self._file(file)):
                    self.files.append(touched)
            if (item := next(open_items, None)) and self._takes(len(text := _cut(item, self._longest)) + 8):
                self.open_items.append(text)

    @property
    def _longest(self) -> int:
        return max(_SHORTEST_POINT, min(_LONGEST_POINT, (self.room - self.taken) // 4))

    def _point(self, point: Point) -> Point | None:
        text = _cut(point.text, self._longest)
        return point.model_copy(update={"text": text}) if self._takes(len(text) + _POINT_FRAME) else None

    def _file(self, file: TouchedFile) -> TouchedFile | None:
        path = file.path if len(file.path) <= _LONGEST_PATH else "…" + file.path[1 - _LONGEST_PATH :]
        return file.model_copy(update={"path": path}) if self._takes(len(path) + _FILE_FRAME) else None

    def _failure(self, failure: Failure) -> Failure | None:
        command, outcome = _cut(failure.command, self._longest // 2), _cut(failure.outcome, self._longest // 2)
        if not self._takes(len(command) + len(outcome) + len(failure.tool_name or "") + _FAILURE_FRAME):
            return None
        return failure.model_copy(update={"command": command, "outcome": outcome})

    def _takes(self, size: int) -> bool:
        if self.taken + size > self.room:
            return False
        self.taken += size
        return True


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _seq(point: Point | TouchedFile | Failure) -> int:
    return point.seq
