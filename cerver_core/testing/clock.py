"""A clock that a test drives."""

from datetime import UTC, datetime, timedelta

__all__ = ["ManualClock"]


class ManualClock:
    """Stands still until told; may be set back, as real clocks are."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Tell the time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Tell the seconds it was moved forward."""
        return self._monotonic

    def advance(self, step: timedelta) -> None:
        """Move the wall clock by a step, forward or back; the monotonic clock only forward."""
        self._now += step
        self._monotonic += max(0.0, step.total_seconds())
