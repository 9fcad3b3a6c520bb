"""Time, passed in wherever it is needed, so that a test can drive it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "SystemClock", "from_us", "to_us"]


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Tell the wall-clock time, aware, in UTC. It may jump; never subtract two of these for an interval."""
        ...

    def monotonic(self) -> float:
        """Tell seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Tell the wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds from an arbitrary start; never goes back."""
        return time.monotonic()


def to_us(moment: datetime) -> int:
    """Turn an aware moment into whole microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Turn microseconds since 1970-01-01 UTC into an aware moment."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
