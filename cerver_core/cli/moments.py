"""Points in time as they are typed on a command line."""

import re
from datetime import UTC, datetime, timedelta

from cerver_core.clock import SystemClock
from cerver_core.errors import InvalidInput
from cerver_core.importers.values import time_of

__all__ = ["moment_since"]

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def moment_since(text: str | None) -> datetime | None:
    """Read the value of `--since`: a date, or so many hours, days or weeks ago; null when it was left out.

    Raises:
        InvalidInput: it is neither.
    """
    if text is None:
        return None
    if span := _SPAN.fullmatch(text):
        return SystemClock().now() - timedelta(hours=int(span.group(1)) * _HOURS[span.group(2)])
    moment = time_of(text)
    if moment is None:
        raise InvalidInput(f"--since {text!r} is no time: say 2026-05-01, or 12h, 30d, 8w for so long ago")
    return moment.astimezone(UTC)
