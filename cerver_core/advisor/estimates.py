"""What to expect of a provider: a prior from its profile, updated by what was seen of it.

Startup times are log-normal with a Normal-Inverse-Gamma prior; failures Beta-Binomial. How wide the priors are is our
choice, and is checked by the simulation in `benchmarks/routing.py`.
"""

import math
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from cerver_core.advisor.history import EMPTY, History, Observation, observed
from cerver_core.catalog.prices import YARDSTICK, Size, cost_usd
from cerver_core.catalog.profile import ComputeProfile

__all__ = ["Expected", "Failures", "Spending", "Startup", "expect", "learn", "spending", "startup_prior"]

_Z90 = 1.645
"""Standard deviations from the middle of a normal distribution to the ends of its 90 % interval."""

_SPREAD_FRESH = 0.7
_SPREAD_STALE = 1.0
"""How far a place's own median lies from its published one, as a standard deviation of logarithms."""

_PRIOR_SHAPE = 3.0
_PRIOR_FAILURES = 0.4
_PRIOR_SUCCESSES = 19.6
"""Two starts in a hundred fail, as if twenty had been seen: no vendor publishes a figure."""


class Startup(NamedTuple):
    """The logarithm of the median startup in milliseconds: mean and standard deviation of what is believed.

    `noise` is how far single starts lie from the median, as a standard deviation of logarithms.
    """

    mean: float
    deviation: float
    noise: float

    @property
    def median_ms(self) -> float:
        """Give the expected median."""
        return math.exp(self.mean)

    @property
    def interval_ms(self) -> tuple[float, float]:
        """Give the 90 % interval of the median."""
        reach = _Z90 * self.deviation
        return math.exp(self.mean - reach), math.exp(self.mean + reach)


class Failures(NamedTuple):
    """The share of starts that fail (0 to 1): mean and standard deviation of what is believed."""

    mean: float
    deviation: float

    @property
    def interval(self) -> tuple[float, float]:
        """Give the 90 % interval, within 0 and 1."""
        reach = _Z90 * self.deviation
        return max(0.0, self.mean - reach), min(1.0, self.mean + reach)


class Spending(NamedTuple):
    """What the work costs in USD: expected, if it is short, and if it takes the whole of its time limit."""

    expected: float
    low: float
    limit: float


class Expected(NamedTuple):
    """All that is expected of one provider for one request. `spending` is null when its price is unknown."""

    startup: Startup
    failures: Failures
    spending: Spending | None
    history: History
    is_stale: bool


def expect(
    profile: ComputeProfile, history: History | None, spending: Spending | None, *, now_us: int, today: date
) -> Expected:
    """Put the profile and what was seen together."""
    past = EMPTY if history is None else history.at(now_us)
    p50, p95 = profile.boots.startup_p50_ms, profile.boots.startup_p95_ms
    is_stale = p50.is_stale(today)
    prior = startup_prior(p50.value, p95.value, is_stale=is_stale)
    return Expected(_startup(prior, past), _failures(past), spending, past, is_stale)


def spending(profile: ComputeProfile, *, minutes: float, expected_minutes: float, cpu_duty: float) -> Spending | None:
    """Price the work: for the time it is expected to take, and for all it may take."""
    if profile.price is None:
        return None
    size: Size = YARDSTICK
    expected = cost_usd(profile.price, hours=expected_minutes / 60, cpu_duty=cpu_duty, size=size)
    low = cost_usd(profile.price, hours=1 / 60, cpu_duty=cpu_duty, size=size)
    limit = cost_usd(profile.price, hours=minutes / 60, cpu_duty=cpu_duty, size=size)
    return Spending(expected, min(low, expected), max(limit, expected))


@lru_cache(maxsize=256)
def startup_prior(p50_ms: float, p95_ms: float, *, is_stale: bool = False) -> Startup:
    """Read what is believed before anything was seen from a published median and 95th percentile."""
    noise = min(1.2, max(0.1, math.log(max(p95_ms / p50_ms, 1.0)) / _Z90))
    return Startup(math.log(p50_ms), _SPREAD_STALE if is_stale else _SPREAD_FRESH, noise)


def _startup(prior: Startup, past: History) -> Startup:
    seen = past.startup
    if seen.weight <= 0:
        return prior
    worth = (prior.noise / prior.deviation) ** 2
    total = worth + seen.weight
    mean = (worth * prior.mean + seen.weight * seen.mean) / total
    shape = _PRIOR_SHAPE + seen.weight / 2
    rate = (_PRIOR_SHAPE - 1) * prior.noise**2 + seen.spread / 2
    rate += worth * seen.weight * (seen.mean - prior.mean) ** 2 / (2 * total)
    variance = rate / (shape - 1)
    return Startup(mean, math.sqrt(variance / total), math.sqrt(variance))


def _failures(past: History) -> Failures:
    failed, succeeded = _PRIOR_FAILURES + past.failed, _PRIOR_SUCCESSES + past.succeeded
    total = failed + succeeded
    mean = failed / total
    return Failures(mean, math.sqrt(mean * (1 - mean) / (total + 1)))


def learn(profile: ComputeProfile, history: History | None, seen: Observation, *, now_us: int, today: date) -> History:
    """Add one observation to what is kept of a provider."""
    expected = expect(profile, history, None, now_us=now_us, today=today)
    startup = expected.startup
    predicted = startup.mean, math.hypot(startup.deviation, startup.noise)
    return observed(expected.history, seen, now_us=now_us, longer_than=predicted)
