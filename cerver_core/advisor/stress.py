"""What the samples of a stress test say: medians with intervals, a winner or a tie, what more samples would do."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from cerver_core.advisor.reasons import duration
from cerver_core.wire.routing import ProviderVerdict, Recommendation
from cerver_core.wire.stress import StressAdvice, StressKind, StressReport, StressRequest, StressSamples

__all__ = ["STRESSES", "Difference", "Sampled", "Temperature", "asked", "report"]

Temperature = str
_RESAMPLES = 400
_MOST_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was measured of one provider: times in milliseconds, cold and warm, and what failed and why."""

    provider: str
    cold_ms: Sequence[float] = ()
    warm_ms: Sequence[float] = ()
    reasons: Sequence[str] = ()
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """How much longer the second takes than the first, in milliseconds, and the 90 % interval of that."""

    value: float
    low: float
    high: float

    @property
    def is_tie(self) -> bool:
        """Tell whether zero lies in the interval."""
        return self.low <= 0 <= self.high


def report(
    request: StressRequest,
    sampled: Sequence[Sampled],
    *,
    test_id: str,
    stopped_because: str | None = None,
) -> StressReport:
    """Compare by the cold times. The two best decide: is the interval of their difference on one side of zero?"""
    answered = sorted((one for one in sampled if one.cold_ms), key=lambda one: (median(one.cold_ms), one.provider))
    difference = _difference(answered[0].cold_ms, answered[1].cold_ms, request.seed) if len(answered) > 1 else None
    is_tie = difference is not None and difference.is_tie
    winner = answered[0].provider if answered and not is_tie else None
    summary, advice = _words(request, answered, difference)
    costs = [one.cost_usd for one in sampled if one.cost_usd is not None]
    return StressReport(
        test_id=test_id,
        kind=request.kind,
        mode=request.mode,
        simulated=False,
        workload=request.workload,
        sample_size=request.sample_size,
        winner=winner,
        tie=is_tie,
        summary=summary,
        report=advice,
        results=tuple(row for one in sampled for row in _rows(one, request.seed)),
        difference_ms=None if difference is None else round(difference.value, 3),
        difference_low_ms=None if difference is None else round(difference.low, 3),
        difference_high_ms=None if difference is None else round(difference.high, 3),
        more_samples_needed=_more(difference, request.sample_size) if is_tie else None,
        cost_usd=round(sum(costs), 8) if costs else None,
        stopped_because=stopped_because,
    )


def _rows(one: Sampled, seed: int) -> list[StressSamples]:
    rows = [_row(one, "cold", one.cold_ms, seed)]
    if one.warm_ms:
        rows.append(_row(one, "warm", one.warm_ms, seed))
    return rows


def _row(one: Sampled, temperature: Temperature, samples_ms: Sequence[float], seed: int) -> StressSamples:
    low, high = _interval(samples_ms, seed)
    is_cold = temperature == "cold"
    return StressSamples.model_validate(
        {
            "provider": one.provider,
            "temperature": temperature,
            "n": len(samples_ms),
            "failed": len(one.reasons) if is_cold else 0,
            "median_ms": round(median(samples_ms), 3) if samples_ms else None,
            "low_ms": low,
            "high_ms": high,
            "samples_ms": tuple(round(value, 3) for value in samples_ms),
            "cost_usd": one.cost_usd if is_cold else None,
            "reasons": tuple(dict.fromkeys(one.reasons)) if is_cold else (),
        }
    )


def _interval(samples: Sequence[float], seed: int) -> tuple[float | None, float | None]:
    """Give the 90 % interval of the median; none for fewer than three samples."""
    if len(samples) < 3:
        return None, None
    source = random.Random(seed)  # noqa: S311 - a sample, not a secret
    medians = sorted(median(source.choices(samples, k=len(samples))) for _ in range(_RESAMPLES))
    return round(medians[_RESAMPLES // 20], 3), round(medians[-_RESAMPLES // 20], 3)


def _difference(best: Sequence[float], next_best: Sequence[float], seed: int) -> Difference:
    """Give how much longer the second takes, with the 90 % interval; with too few samples it covers everything."""
    value = median(next_best) - median(best)
    if min(len(best), len(next_best)) < 3:
        return Difference(value, -math.inf, math.inf)
    source = random.Random(seed + 1)  # noqa: S311 - as above
    drawn = sorted(
        median(source.choices(next_best, k=len(next_best))) - median(source.choices(best, k=len(best)))
        for _ in range(_RESAMPLES)
    )
    return Difference(value, drawn[_RESAMPLES // 20], drawn[-_RESAMPLES // 20])


def _more(difference: Difference | None, sample_size: int) -> int | None:
    """Estimate how many more samples would part the two, if the difference is real; null when that is out of reach."""
    if difference is None or difference.value <= 0:
        return None
    if math.isinf(difference.low):
        return max(1, 3 - sample_size)
    half = (difference.high - difference.low) / 2
    needed = math.ceil(sample_size * (half / difference.value) ** 2)
    return max(1, needed - sample_size) if needed <= _MOST_SAMPLES else None


STRESSES: Mapping[StressKind, str] = {
    "cold_start": "a fresh sandbox answers",
    "stream_response": "the first output of a stream comes",
    "package_install": "a small package is installed",
    "preview_launch": "a page served in the sandbox is seen from outside",
    "long_session": "ten commands in one session are done",
}
"""What each kind of test waits for."""


def _words(
    request: StressRequest, answered: Sequence[Sampled], difference: Difference | None
) -> tuple[str, StressAdvice]:
    what = STRESSES[request.kind]
    how = f"{request.sample_size} runs each"
    if not answered:
        headline = "No provider answered."
        guidance = "See the reasons of each; check credentials with `cerver providers`."
        return headline, StressAdvice(headline=headline, guidance=guidance, next_policy=request.policy)
    best = answered[0]
    time = duration(median(best.cold_ms))
    if difference is None:
        headline = f"Only {best.provider} answered: {what} after {time} ({how})."
        guidance = "With one provider there is nothing to compare; configure another."
        return headline, StressAdvice(headline=headline, guidance=guidance, next_policy=request.policy)
    if difference.is_tie:
        headline = f"A tie between {best.provider} and {answered[1].provider}: n is too small to part them ({how})."
        more = _more(difference, request.sample_size)
        runs = "run of each" if more == 1 else "runs of each"
        guidance = f"About {more} more {runs} would part them." if more else "What parts them is too small to matter."
        return headline, StressAdvice(headline=headline, guidance=guidance, next_policy=request.policy)
    slower = duration(median(answered[1].cold_ms))
    headline = f"{best.provider} wins: {what} after {time}, on {answered[1].provider} after {slower} ({how})."
    pinned = request.policy.model_copy(update={"mode": "pinned", "pinned_provider": best.provider})
    guidance = f"Pin {best.provider} for work like this, or leave mode fastest to find it."
    return headline, StressAdvice(headline=headline, guidance=guidance, next_policy=pinned)


def asked(request: StressRequest, advice: Recommendation) -> Sequence[ProviderVerdict]:
    """Give the places that a test compares: those that can take the work, and were named if any were."""
    viable = [verdict for verdict in advice.providers if verdict.status == "viable"]
    return [verdict for verdict in viable if not request.providers or verdict.name in request.providers]
