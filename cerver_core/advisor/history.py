"""What was seen of one provider, kept as a few sums that forget; what follows from them is in `estimates.py`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

__all__ = [
    "BASE_COOL_DOWN_S",
    "EJECT_AFTER",
    "EMPTY",
    "History",
    "Moments",
    "Observation",
    "observed",
]

EJECT_AFTER = 2
"""Failures in a row after which a provider is not asked for a while."""

BASE_COOL_DOWN_S = 300.0
"""How long, the first time; doubled with each failure that follows, up to the longest. Our choice."""

_LONGEST_COOL_DOWN_S = 3_600.0
_HALF_LIFE_US = 7 * 24 * 3_600 * 1_000_000
_KEPT_PER_OBSERVATION = 0.96
"""What an observation weighs after the next one: places drift, and 25 observations are enough to know one."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One try. `startup_ms` is how long it took until it answered; with `ok` false, how long until it was given up.

    `is_timeout`: it was given up at a limit, so that the true time is longer than `startup_ms`.
    """

    ok: bool
    startup_ms: float | None = None
    is_timeout: bool = False


class Moments(NamedTuple):
    """Weight, mean and sum of squared deviations of logarithms of milliseconds."""

    weight: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def with_value(self, value: float, variance: float = 0.0) -> "Moments":
        """Add one value; a positive variance says that it is only known so far."""
        weight = self.weight + 1
        step = value - self.mean
        mean = self.mean + step / weight
        return Moments(weight, mean, self.spread + step * (value - mean) + variance)

    def forgotten(self, factor: float) -> "Moments":
        """Let everything weigh less."""
        return Moments(self.weight * factor, self.mean, self.spread * factor)


class History(NamedTuple):
    """What is kept of a provider. Sums forget; `attempts` and `answered` count everything.

    `failed` counts a whole outage as one failure: those of one outage are not independent of each other.
    `consecutive` failures in a row; `ejections` in a row without an answer in between; `ejected_until_us` the end of
    the present cool-down. After it the provider is half open: the next try decides.
    """

    startup: Moments = Moments()
    succeeded: float = 0.0
    failed: float = 0.0
    attempts: int = 0
    answered: int = 0
    consecutive: int = 0
    ejections: int = 0
    ejected_until_us: int | None = None
    at_us: int = 0

    def is_ejected(self, now_us: int) -> bool:
        """Tell whether it is not to be asked now."""
        return self.ejected_until_us is not None and now_us < self.ejected_until_us

    def is_half_open(self, now_us: int) -> bool:
        """Tell whether the next try decides."""
        return self.ejections > 0 and not self.is_ejected(now_us)

    def at(self, now_us: int) -> "History":
        """Give it as it weighs at a later time."""
        age_us = now_us - self.at_us
        if age_us <= 0 or not (self.startup.weight or self.succeeded or self.failed):
            return self
        factor = 0.5 ** (age_us / _HALF_LIFE_US)
        return self._replace(
            startup=self.startup.forgotten(factor),
            succeeded=self.succeeded * factor,
            failed=self.failed * factor,
            at_us=now_us,
        )

    def to_json(self) -> dict[str, JsonValue]:
        """Write it as the store keeps it."""
        return {
            "startup": [self.startup.weight, self.startup.mean, self.startup.spread],
            "succeeded": self.succeeded,
            "failed": self.failed,
            "attempts": self.attempts,
            "answered": self.answered,
            "consecutive": self.consecutive,
            "ejections": self.ejections,
            "ejected_until_us": self.ejected_until_us,
            "at_us": self.at_us,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, JsonValue]) -> "History":
        """Read what `to_json` wrote."""
        startup = kept.get("startup")
        weight, mean, spread = (float(str(part)) for part in startup) if isinstance(startup, list) else (0.0, 0.0, 0.0)
        until = kept.get("ejected_until_us")
        return cls(
            startup=Moments(weight, mean, spread),
            succeeded=float(str(kept.get("succeeded", 0))),
            failed=float(str(kept.get("failed", 0))),
            attempts=int(str(kept.get("attempts", 0))),
            answered=int(str(kept.get("answered", 0))),
            consecutive=int(str(kept.get("consecutive", 0))),
            ejections=int(str(kept.get("ejections", 0))),
            ejected_until_us=None if until is None else int(str(until)),
            at_us=int(str(kept.get("at_us", 0))),
        )


EMPTY = History()
"""Nothing was seen yet."""


def observed(history: History, seen: Observation, *, now_us: int, longer_than: tuple[float, float]) -> History:
    """Add one observation.

    `longer_than` is the mean and the standard deviation of the logarithm of the startup as expected before: what a
    timeout is worth is read from it (a timeout says only that it would have taken longer).
    """
    past = history.at(now_us)
    startup = past.startup
    if seen.startup_ms is not None and (seen.ok or seen.is_timeout):
        value, variance = math.log(max(seen.startup_ms, 0.1)), 0.0
        if seen.is_timeout:
            value, variance = _censored(value, *longer_than)
        startup = startup.forgotten(_KEPT_PER_OBSERVATION).with_value(value, variance)
    counted = past._replace(startup=startup, attempts=past.attempts + 1, at_us=now_us)
    if seen.ok:
        return counted._replace(
            succeeded=past.succeeded * _KEPT_PER_OBSERVATION + 1,
            failed=past.failed * _KEPT_PER_OBSERVATION,
            answered=past.answered + 1,
            consecutive=0,
            ejections=0,
            ejected_until_us=None,
        )
    return _failed(counted, past, now_us)


def _failed(counted: History, past: History, now_us: int) -> History:
    consecutive = past.consecutive + 1
    if past.consecutive == 0:
        kept = _KEPT_PER_OBSERVATION
        counted = counted._replace(failed=past.failed * kept + 1, succeeded=past.succeeded * kept)
    counted = counted._replace(consecutive=consecutive)
    if consecutive < EJECT_AFTER or past.is_ejected(now_us):
        return counted
    cool_down_s = min(_LONGEST_COOL_DOWN_S, BASE_COOL_DOWN_S * 2.0**past.ejections)
    return counted._replace(ejections=past.ejections + 1, ejected_until_us=now_us + round(cool_down_s * 1_000_000))


def _censored(limit: float, mean: float, deviation: float) -> tuple[float, float]:
    """Give mean and variance of a normal value of which only is known that it is above a limit."""
    deviation = max(deviation, 1e-6)
    bound = (limit - mean) / deviation
    if bound > 5:  # far in the tail the formula loses its digits, and the limit itself is as good
        return limit + deviation / bound, (deviation / bound) ** 2
    density = math.exp(-bound * bound / 2) / math.sqrt(2 * math.pi)
    beyond = density / (0.5 * math.erfc(bound / math.sqrt(2)))
    return mean + deviation * beyond, deviation * deviation * (1 + bound * beyond - beyond * beyond)
