"""Reads `since` and `until` as people write them, and refuses what names no date or no time at all."""

from dataclasses import dataclass
from datetime import datetime

from cerver_core.errors import InvalidInput
from cerver_core.search.dates import read_moment

__all__ = ["Span", "read_span"]


@dataclass(frozen=True, slots=True)
class Span:
    """A time from `since` to `until`, both included; null is open."""

    since: datetime | None
    until: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment <= self.until)


def read_span(since: str | None, until: str | None, now: datetime) -> Span:
    """Read the two ends.

    Raises:
        InvalidInput: one is no date that is understood, or `since` lies after `until`.
    """
    span = Span(_moment(since, "since", now, is_end=False), _moment(until, "until", now, is_end=True))
    if span.since is not None and span.until is not None and span.since > span.until:
        raise InvalidInput(
            f"since ({span.since:%Y-%m-%d %H:%M}) lies after until ({span.until:%Y-%m-%d %H:%M}), and nothing can be "
            "from that time: exchange them, or leave one out"
        )
    return span


def _moment(text: str | None, field: str, now: datetime, *, is_end: bool) -> datetime | None:
    if text is None:
        return None
    moment = read_moment(text, now, is_end=is_end)
    if moment is None:
        raise InvalidInput(
            f"{field} is no date that is understood: {text!r}; give 2026-05-03, 2026-05-03T10:00:00Z, yesterday, 3h, "
            "2 days ago, last week or May"
        )
    return moment
