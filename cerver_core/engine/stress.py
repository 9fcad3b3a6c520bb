"""Stress tests: providers compared from estimates, or by really running the work within a cost cap."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from cerver_core.advisor import Observation
from cerver_core.advisor.simulated import simulate
from cerver_core.advisor.stress import Sampled, asked, report
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.engine.canary import price_of
from cerver_core.engine.catalog import profile_of
from cerver_core.engine.context import Context
from cerver_core.engine.outside import Outside
from cerver_core.engine.placement import Placement
from cerver_core.engine.reachable import Reachable
from cerver_core.engine.stress_work import Timing, time_once
from cerver_core.errors import NoComputeAvailable, ProviderUnavailable
from cerver_core.wire.routing import RecommendRequest
from cerver_core.wire.stress import StressReport, StressRequest

__all__ = ["StressTests"]

_FIRST_GUESS_MINUTES = 1.0
"""How long the first run on a provider is expected to take, before one was seen."""


@dataclass(slots=True)
class _Runs:
    """What was measured of one provider so far."""

    profile: ComputeProfile
    cold_ms: list[float] = field(default_factory=list[float])
    warm_ms: list[float] = field(default_factory=list[float])
    reasons: list[str] = field(default_factory=list[str])
    minutes: list[float] = field(default_factory=list[float])

    @property
    def cost_usd(self) -> float | None:
        return price_of(self.profile, minutes=sum(self.minutes))

    @property
    def next_usd(self) -> float:
        minutes = sum(self.minutes) / len(self.minutes) if self.minutes else _FIRST_GUESS_MINUTES
        return price_of(self.profile, minutes=minutes) or 0.0

    def sampled(self) -> Sampled:
        cost = self.cost_usd
        rounded = None if cost is None else round(cost, 8)
        return Sampled(self.profile.name, self.cold_ms, self.warm_ms, self.reasons, rounded)


class StressTests:
    """Runs stress tests for one account."""

    def __init__(self, context: Context, placement: Placement) -> None:
        self._context = context
        self._placement = placement
        self._reachable = Reachable(context)
        self._outside = Outside(context.tenant.hosting)

    async def run(self, request: StressRequest) -> StressReport:
        """Compare, by the estimates or for real."""
        test_id = f"test_{uuid4().hex[:16]}"
        advice = await self._placement.advise(
            RecommendRequest(
                task=request.task, workload=request.workload, requirements=request.requirements, policy=request.policy
            ),
            require_executable=request.mode == "live",
        )
        if request.mode == "simulated":
            return simulate(request, advice, test_id=test_id)
        verdicts = asked(request, advice)
        if not verdicts:
            error = NoComputeAvailable("no provider that was named can run the test here now; see `cerver providers`")
            error.detail.update(advice.model_dump(mode="json"))
            raise error
        return await self._live(request, [verdict.name for verdict in verdicts], test_id)

    async def _live(self, request: StressRequest, names: Sequence[str], test_id: str) -> StressReport:
        runs = {name: _Runs(await profile_of(await self._reachable.named(name))) for name in names}
        turns = [name for name in names for _ in range(request.sample_size)]
        random.Random(request.seed).shuffle(turns)  # noqa: S311 - an order, not a secret
        stopped: str | None = None
        for name in turns:
            spent = sum(one.cost_usd or 0.0 for one in runs.values())
            if spent + runs[name].next_usd > request.max_cost_usd:
                stopped = f"the next run would pass the cost limit of {request.max_cost_usd:g} USD"
                break
            provider = await self._reachable.named(name)
            with self._reachable.busy(provider):
                timing = await time_once(
                    self._context.clock, provider, request.kind, request.requirements, self._outside
                )
            await self._learn(runs[name], timing)
        return report(request, [one.sampled() for one in runs.values()], test_id=test_id, stopped_because=stopped)

    async def _learn(self, runs: _Runs, timing: Timing) -> None:
        runs.minutes.append(timing.sandbox_ms / 60_000)
        if timing.cold_ms is not None:
            runs.cold_ms.append(timing.cold_ms)
        if timing.warm_ms is not None:
            runs.warm_ms.append(timing.warm_ms)
        if timing.error is not None:
            runs.reasons.append(timing.error.message)
        if timing.startup_ms is not None:
            await self._placement.observations.add(runs.profile, Observation(ok=True, startup_ms=timing.startup_ms))
        elif isinstance(timing.error, ProviderUnavailable):
            await self._placement.observations.add(runs.profile, Observation(ok=False, startup_ms=timing.sandbox_ms))
