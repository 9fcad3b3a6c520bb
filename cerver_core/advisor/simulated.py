"""What the estimates alone say of a comparison: each as uncertain as it is, a winner only beyond that; runs nothing."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from cerver_core.advisor.reasons import duration
from cerver_core.advisor.stress import STRESSES, Difference, asked
from cerver_core.wire.routing import Estimate, Recommendation
from cerver_core.wire.stress import StressAdvice, StressReport, StressRequest, StressSamples

__all__ = ["simulate"]

_STEPS = 100
_TO_EITHER_END = 1.645
"""Standard deviations from the middle of a normal distribution to the ends of its 90 % interval."""

Estimated = tuple[str, Estimate]
"""A provider, and the time until it answers."""


def simulate(request: StressRequest, advice: Recommendation, *, test_id: str) -> StressReport:
    """Compare by the estimates of an advice: a winner only where the 90 % interval of the difference leaves out zero.

    Nothing is drawn, so that the seed changes nothing, and `n` is 0 throughout: nothing was measured.
    """
    verdicts = asked(request, advice)
    estimated = [(one.name, one.estimates.startup_ms) for one in verdicts if one.estimates is not None]
    estimated.sort(key=lambda one: (one[1].value, one[0]))
    difference = _difference(estimated[0][1], estimated[1][1]) if len(estimated) > 1 else None
    is_tie = difference is not None and difference.is_tie
    advised = _advised(request, estimated, is_tie=is_tie)
    partly = "" if request.kind == "cold_start" else f" For {request.kind} only the start of the sandbox is estimated."
    return StressReport(
        test_id=test_id,
        kind=request.kind,
        mode=request.mode,
        simulated=True,
        workload=request.workload,
        sample_size=request.sample_size,
        winner=estimated[0][0] if estimated and not is_tie else None,
        tie=is_tie,
        summary=f"{advised.headline}{partly}",
        report=advised,
        results=tuple(_row(name, startup) for name, startup in estimated),
        difference_ms=None if difference is None else round(difference.value, 3),
        difference_low_ms=None if difference is None else round(difference.low, 3),
        difference_high_ms=None if difference is None else round(difference.high, 3),
    )


def _row(provider: str, startup: Estimate) -> StressSamples:
    return StressSamples(
        provider=provider,
        temperature="cold",
        n=0,
        median_ms=round(startup.value, 3),
        low_ms=round(startup.low, 3),
        high_ms=round(startup.high, 3),
    )


def _difference(best: Estimate, next_best: Estimate) -> Difference:
    """Compare two estimates, both known as badly as they are."""
    differences = sorted(slow - fast for slow in _quantiles(next_best) for fast in _quantiles(best))
    ends = differences[len(differences) // 20], differences[-len(differences) // 20]
    return Difference(next_best.value - best.value, *ends)


def _quantiles(startup: Estimate) -> Sequence[float]:
    spread = math.log(startup.high / startup.low) / (2 * _TO_EITHER_END)
    normal = NormalDist()
    return [startup.value * math.exp(spread * normal.inv_cdf((step + 0.5) / _STEPS)) for step in range(_STEPS)]


def _advised(request: StressRequest, estimated: Sequence[Estimated], *, is_tie: bool) -> StressAdvice:
    how = "from estimates, nothing was run"
    measure = f"Nothing of this was measured: `cerver stress {request.kind} --live` does that."
    if not estimated:
        headline = f"No provider can take this work ({how})."
        guidance = "`cerver recommend` gives the reason for each."
        return StressAdvice(headline=headline, guidance=guidance, next_policy=request.policy)
    first = _told(*estimated[0])
    if len(estimated) == 1:
        headline = f"Only {first} can take this work ({how})."
        return StressAdvice(headline=headline, guidance=measure, next_policy=request.policy)
    second = _told(*estimated[1])
    if is_tie:
        headline = f"A tie: the estimates are too uncertain to part {first} and {second} ({how})."
        return StressAdvice(headline=headline, guidance=measure, next_policy=request.policy)
    headline = f"{first} is expected to win: {STRESSES[request.kind]} sooner than on {second} ({how})."
    pinned = request.policy.model_copy(update={"mode": "pinned", "pinned_provider": estimated[0][0]})
    return StressAdvice(headline=headline, guidance=measure, next_policy=pinned)


def _told(provider: str, startup: Estimate) -> str:
    return f"{provider} (about {duration(startup.value)}; {duration(startup.low)} to {duration(startup.high)})"
