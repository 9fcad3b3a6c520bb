"""What an import tells: what was found and is at risk, how far it is, what came of it; nothing is imported here."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from pydantic import JsonValue

from cerver_core.cli.terminal import Terminal
from cerver_core.clock import SystemClock
from cerver_core.histories import HistoryImport, Imported, Standing
from cerver_core.importers.base import Document
from cerver_core.render.escape import visible_line

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["Progress", "Survey", "report_json", "show_import", "show_survey", "waiting"]

_AT_RISK = timedelta(days=7)
_PROBLEMS_SHOWN = 20


@dataclass(slots=True)
class Survey:
    """One source: what was found of it, and later what came of each document."""

    source: str
    histories: HistoryImport
    is_asked_for: bool = False
    """Whether a path was named, so that a document that is no transcript is a failure."""

    documents: list[Document] = field(default_factory=list[Document])
    to_read: list[Document] = field(default_factory=list[Document])
    standings: dict[Standing, int] = field(default_factory=lambda: {"new": 0, "grown": 0, "unchanged": 0})
    at_risk: list[datetime] = field(default_factory=list[datetime])
    imported: list[Imported] = field(default_factory=list[Imported])

    def add(self, document: Document, standing: Standing, expires_at: datetime | None) -> None:
        """Take a document in; what is not imported and is deleted within a week (or already due) is at risk."""
        self.documents.append(document)
        self.standings[standing] += 1
        if standing == "unchanged":
            return
        self.to_read.append(document)
        if expires_at is not None and expires_at < SystemClock().now() + _AT_RISK:
            self.at_risk.append(expires_at)

    @property
    def is_fine(self) -> bool:
        """Tell whether what was named could be imported."""
        return not (self.is_asked_for and self.imported and all(done.refused for done in self.imported))

    @property
    def size_bytes(self) -> int:
        """Add the sizes up."""
        return sum(document.size_bytes for document in self.documents)

    def span(self) -> tuple[str, str]:
        """Give the days of the oldest and the newest change."""
        days = sorted(document.modified_at for document in self.documents)
        return (f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}") if days else ("", "")


class Progress:
    """A bar on standard error while a person looks; silent otherwise. Bytes of documents are its measure."""

    def __init__(self, terminal: Terminal, surveys: Sequence[Survey]) -> None:
        self._terminal = terminal
        self._total = sum(document.size_bytes for survey in surveys for document in survey.to_read)
        self._count = sum(len(survey.to_read) for survey in surveys)
        self._before = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._terminal.err.isatty() and self._total:
            self._bar = _bar(self._terminal)
            self._task = self._bar.add_task(f"{self._count:,} documents", total=self._total)
            self._bar.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def reach(self, document: Document, offset: int) -> None:
        """Move to an offset within a document."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._before + min(offset, document.size_bytes))

    def finish(self, document: Document) -> None:
        """Move behind a document."""
        self._before += document.size_bytes
        self.reach(document, 0)


def _bar(terminal: Terminal) -> "Bar":
    # rich loads only where a person looks.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return RichProgress(*columns, console=Console(file=terminal.err), transient=True)


@contextmanager
def waiting(terminal: Terminal, text: str) -> Generator[None]:
    """Say what takes its time: with a clock while a person looks, else in one line."""
    if not terminal.err.isatty():
        terminal.note(text)
        yield
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as RichProgress  # noqa: PLC0415
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(file=terminal.err), transient=True) as clock:
        clock.add_task(text, total=None)
        yield


def show_survey(terminal: Terminal, surveys: Sequence[Survey]) -> None:
    """Show what there is, and what its owner is about to delete."""
    rows = [
        (
            survey.source,
            f"{len(survey.documents):,}",
            f"{survey.standings['new']:,}",
            f"{survey.standings['grown']:,}",
            _size(survey.size_bytes),
            *survey.span(),
            f"{len(survey.at_risk):,}" if survey.at_risk else "",
        )
        for survey in surveys
    ]
    terminal.table(("source", "found", "new", "grown", "size", "oldest", "newest", "at risk"), rows)
    for survey in surveys:
        if survey.at_risk:
            terminal.note(_risk(survey))
    terminal.note("nothing was imported (--dry-run)")


def show_import(terminal: Terminal, surveys: Sequence[Survey]) -> None:
    """Show what came of it; what could not be read is named on standard error."""
    rows = [
        (
            survey.source,
            f"{len(survey.documents):,}",
            f"{survey.standings['unchanged']:,}",
            f"{sum(done.created for done in survey.imported):,}",
            f"{sum(done.added for done in survey.imported):,}",
            f"{sum(done.tally.malformed for done in survey.imported):,}",
            f"{sum(done.refused is not None for done in survey.imported):,}",
        )
        for survey in surveys
    ]
    terminal.table(("source", "found", "unchanged", "new sessions", "new entries", "bad lines", "refused"), rows)
    terminal.flush()
    for text in _complaints([done for survey in surveys for done in survey.imported]):
        terminal.note(visible_line(text, 500))


def _complaints(imported: Sequence[Imported]) -> list[str]:
    """Say what could not be imported, or not yet."""
    texts = [f"refused: {done.refused}" for done in imported if done.refused]
    bad = [f"{bad.path}:{bad.line}: {bad.reason}; passed over" for done in imported for bad in done.tally.problems]
    texts += bad[:_PROBLEMS_SHOWN]
    if (more := sum(done.tally.malformed for done in imported) - len(bad[:_PROBLEMS_SHOWN])) > 0:
        texts.append(f"{more:,} more malformed places; --json lists more of them")
    texts += [f"{done.document.path}: its last line is not finished; import again later" for done in _torn(imported)]
    if differing := sum(done.differing for done in imported):
        texts.append(f"{differing:,} entries stand here with another body, and stay as they are")
    if too_large := sum(done.too_large for done in imported):
        texts.append(f"{too_large:,} entries were too large")
    if unknown := sum(sum(done.tally.unknown.values()) for done in imported):
        texts.append(
            f"{unknown:,} records of kinds that this version does not know were passed over; --json lists them"
        )
    return texts


def _torn(imported: Sequence[Imported]) -> list[Imported]:
    return [done for done in imported if done.tally.is_torn]


def report_json(surveys: Sequence[Survey]) -> JsonValue:
    """Tell all of it."""
    return {"sources": [_survey_json(survey) for survey in surveys]}


def _survey_json(survey: Survey) -> JsonValue:
    oldest, newest = survey.span()
    imported = survey.imported
    return {
        "source": survey.source,
        "documents": len(survey.documents),
        "size_bytes": survey.size_bytes,
        "oldest": oldest or None,
        "newest": newest or None,
        **survey.standings,
        "at_risk": len(survey.at_risk),
        "first_deleted_at": min(survey.at_risk).isoformat() if survey.at_risk else None,
        "sessions": [session for done in imported for session in done.sessions],
        "new_sessions": sum(done.created for done in imported),
        "new_entries": sum(done.added for done in imported),
        "differing_entries": sum(done.differing for done in imported),
        "too_large_entries": sum(done.too_large for done in imported),
        "malformed": sum(done.tally.malformed for done in imported),
        "problems": [
            {"path": str(bad.path), "line": bad.line, "reason": bad.reason}
            for done in imported
            for bad in done.tally.problems
        ],
        "refused": [{"path": str(done.document.path), "reason": done.refused} for done in imported if done.refused],
        "unfinished": [str(done.document.path) for done in _torn(imported)],
        "unknown_kinds": _unknown(imported),
    }


def _unknown(imported: Sequence[Imported]) -> dict[str, JsonValue]:
    kinds = sorted({kind for done in imported for kind in done.tally.unknown})
    return {kind: sum(done.tally.unknown[kind] for done in imported) for kind in kinds}


def _risk(survey: Survey) -> str:
    first = min(survey.at_risk).astimezone(UTC)
    return (
        f"{survey.source}: {len(survey.at_risk):,} of what is not imported is deleted by its own clean-up within "
        f"a week, the first on {first:%Y-%m-%d} or when it starts next"
    )


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1_000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1_000
    return f"{size:,.1f} GB"
