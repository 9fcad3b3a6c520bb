"""A made-up world of providers that differ from their profiles, drift and fail; and three ways to choose among them.

The world is assumed, not observed: how far the true medians lie from the published ones (a standard deviation of 1.0 of
logarithms: by region, plan, image and hour), how failures are spread (log-normal around 2 %), the drift (0.03 per
decision) and the outages (a third of the providers have one, 6 to 12 decisions long). The scatter, and the advisor's
cool-down and priors, were settled while looking at these ratios on these seeds: take them as a best case. A decision
comes every minute; what fails is asked of the next in the order, as a placement does.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from cerver_core.advisor import Candidate, History, Observation, Question, recommend
from cerver_core.advisor.estimates import learn, spending
from cerver_core.advisor.modes import WEIGHTS, cpu_duty_of
from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.wire.computes import Requirements
from cerver_core.wire.routing import Mode, Policy, RecommendRequest

__all__ = ["DECISIONS", "SEEDS", "Advised", "Canaries", "Ewma", "Outcome", "Static", "World", "outage", "play"]

DECISIONS = 60
SEEDS = 40

_STEP_US = 60 * 1_000_000
_START_US = 1_795_000_000 * 1_000_000
_TODAY = date(2026, 11, 18)
_SCATTER = 1.0
_DRIFT = 0.03
_OUTAGE_CHANCE = 1 / 3
_LOWEST_MS = 10.0
_WORKLOAD = "coding"
_CLOUDS: tuple[str, ...] = ("vercel", "e2b", "cloudflare", "daytona", "modal")


@dataclass
class _Truth:
    """One provider as it really is."""

    profile: ComputeProfile
    log_ms: float
    noise: float
    failure_rate: float
    usd: float
    outage: range

    def is_out(self, turn: int) -> bool:
        return turn in self.outage

    def loss(self, turn: int, mode: Mode) -> float:
        weights = WEIGHTS[mode]
        failing = 1.0 if self.is_out(turn) else self.failure_rate
        doublings = max(0.0, (self.log_ms - math.log(_LOWEST_MS)) / math.log(2))
        return weights.per_doubling * doublings + weights.per_usd * self.usd + weights.per_failure * failing


class World:
    """The providers as they really are, drifting; the same seed gives the same world."""

    def __init__(self, seed: int, mode: Mode, *, outages: bool = True) -> None:
        self._mode: Mode = mode
        self._random = random.Random(seed)
        self.truths = {name: self._truth(PROFILES[name], outages=outages) for name in _CLOUDS}
        self._outcomes = random.Random(seed + 1_000_003)

    def _truth(self, profile: ComputeProfile, *, outages: bool) -> _Truth:
        source = self._random
        spent = _spent(profile)
        p50, p95 = profile.boots.startup_p50_ms.value, profile.boots.startup_p95_ms.value
        first = source.randrange(5, DECISIONS - 12)
        length = source.randrange(6, 13)
        happens = source.random() < _OUTAGE_CHANCE and outages
        return _Truth(
            profile=profile,
            log_ms=math.log(p50) + source.gauss(0, _SCATTER),
            noise=math.log(p95 / p50) / 1.645 * math.exp(source.gauss(0, 0.3)),
            failure_rate=min(0.3, math.exp(source.gauss(math.log(0.02), 0.8))),
            usd=spent,
            outage=range(first, first + length) if happens else range(0),
        )

    def drift(self) -> None:
        """Let a moment pass."""
        for truth in self.truths.values():
            truth.log_ms += self._random.gauss(0, _DRIFT)

    def start(self, name: str, turn: int) -> Observation:
        """Ask a provider for a sandbox."""
        truth = self.truths[name]
        took_ms = math.exp(self._outcomes.gauss(truth.log_ms, truth.noise))
        fails = self._outcomes.random() < truth.failure_rate or truth.is_out(turn)
        return Observation(ok=not fails, startup_ms=took_ms)

    def best(self, turn: int, among: Sequence[str] = _CLOUDS) -> str:
        """Name the provider with the smallest true loss now."""
        return min(among, key=lambda name: self.loss(name, turn))

    def loss(self, name: str, turn: int) -> float:
        """Tell the true loss of a choice now."""
        return self.truths[name].loss(turn, self._mode)


class Chooser(Protocol):
    """A way to choose: says where to go, and where next if that fails; then sees what came of each."""

    def order(self, turn: int) -> Sequence[str]: ...

    def see(self, name: str, seen: Observation, turn: int) -> None: ...


class Static:
    """Goes by the published figures alone."""

    def __init__(self, mode: Mode) -> None:
        self._weights = WEIGHTS[mode]
        self._log_ms = {name: math.log(PROFILES[name].boots.startup_p50_ms.value) for name in _CLOUDS}
        self._failure_rate = dict.fromkeys(_CLOUDS, 0.02)

    def order(self, turn: int) -> Sequence[str]:
        """Sort by the loss that is believed."""
        del turn
        weights = self._weights
        return sorted(
            _CLOUDS,
            key=lambda name: (
                weights.per_doubling * self._log_ms[name] / math.log(2)
                + weights.per_usd * _spent(PROFILES[name])
                + weights.per_failure * self._failure_rate[name]
            ),
        )

    def see(self, name: str, seen: Observation, turn: int) -> None:
        """Learn nothing."""


class Ewma(Static):
    """Goes by exponentially weighted averages of what it saw, the usual way; a fifth of each new value counts."""

    def see(self, name: str, seen: Observation, turn: int) -> None:
        """Move the averages."""
        del turn
        if seen.ok and seen.startup_ms is not None:
            self._log_ms[name] += 0.2 * (math.log(seen.startup_ms) - self._log_ms[name])
        self._failure_rate[name] += 0.2 * ((not seen.ok) - self._failure_rate[name])


class Advised:
    """Goes by the advisor, as a placement does."""

    def __init__(self, mode: Mode) -> None:
        self._request = _request(mode)
        self.histories: dict[str, History] = {}
        self.p_best = 0.0
        self.wants_canary = False

    def order(self, turn: int) -> Sequence[str]:
        """Ask the advisor."""
        return self.order_at(_START_US + turn * _STEP_US)

    def order_at(self, now_us: int) -> Sequence[str]:
        """Ask the advisor at a moment."""
        candidates = [Candidate(PROFILES[name], history=self.histories.get(name)) for name in _CLOUDS]
        question = Question(self._request, "req", now_us, require_executable=True)
        decision = recommend(question, candidates).decision
        self.p_best = decision.p_best or 0.0
        self.wants_canary = decision.canary_run
        first = decision.recommended_provider
        return (first, *decision.fallback_order) if first else _CLOUDS

    def see(self, name: str, seen: Observation, turn: int) -> None:
        """Let the advisor learn."""
        self.see_at(name, seen, _START_US + turn * _STEP_US)

    def see_at(self, name: str, seen: Observation, now_us: int) -> None:
        """Let the advisor learn at a moment."""
        self.histories[name] = learn(PROFILES[name], self.histories.get(name), seen, now_us=now_us, today=_TODAY)


class Canaries(Advised):
    """Follows the advisor's wish for a canary as well: the second best place is really tried beside the best."""


@dataclass
class Outcome:
    """What choosing came to: regret per decision, and (probability claimed, was it the best) per decision."""

    regret: float = 0.0
    claims: list[tuple[float, bool]] = field(default_factory=list[tuple[float, bool]])


def play(make: Callable[[Mode], Chooser], seeds: Sequence[int], mode: Mode) -> Outcome:
    """Let a way to choose live through the worlds of the seeds."""
    outcome = Outcome()
    for seed in seeds:
        world, chooser = World(seed, mode), make(mode)
        for turn in range(DECISIONS):
            order = chooser.order(turn)
            name = order[0]
            best = world.best(turn)
            outcome.regret += world.loss(name, turn) - world.loss(best, turn)
            if isinstance(chooser, Advised):
                outcome.claims.append((chooser.p_best, name == world.best(turn, order)))
            other = name
            for other in order:
                seen = world.start(other, turn)
                chooser.see(other, seen, turn)
                if seen.ok:
                    break
            if isinstance(chooser, Canaries) and chooser.wants_canary and order[1] != other:
                chooser.see(order[1], world.start(order[1], turn), turn)
            world.drift()
    outcome.regret /= len(seeds) * DECISIONS
    return outcome


def _spent(profile: ComputeProfile) -> float:
    minutes = float(_request("balanced").requirements.timeout_minutes)
    duty = cpu_duty_of(_WORKLOAD, None)
    spent = spending(profile, minutes=minutes, expected_minutes=minutes, cpu_duty=duty)
    return 0.0 if spent is None else spent.expected


def _request(mode: Mode) -> RecommendRequest:
    needs = Requirements(persistence_level="low")  # what all of them offer, so that time, price and failures decide
    return RecommendRequest(workload=_WORKLOAD, requirements=needs, policy=Policy(mode=mode))


def outage(seed: int) -> tuple[int, float]:
    """Let the best place fail for a while, with a request every five seconds.

    Tells how many requests were lost before traffic moved, and how many cool-downs after the recovery it was back.
    """
    source = random.Random(seed)
    chooser, best = Advised("fastest"), "daytona"
    asked_us = 5 * 1_000_000
    begins, lasts = source.randrange(20, 60), source.randrange(20, 200)
    lost, moved, cool_down_us = 0, False, 0
    for number in range(begins + lasts + 2_000):
        now_us = _START_US + number * asked_us
        first = chooser.order_at(now_us)[0]
        is_out = first == best and begins <= number < begins + lasts
        lost += is_out and not moved
        moved = moved or (number >= begins and first != best)
        if number >= begins + lasts and first == best:
            return lost, (number - begins - lasts) * asked_us / cool_down_us
        took_ms = PROFILES[first].boots.startup_p50_ms.value * source.lognormvariate(0, 0.1)
        chooser.see_at(first, Observation(ok=not is_out, startup_ms=took_ms), now_us)
        history = chooser.histories[best] if best in chooser.histories else History()
        if history.ejected_until_us is not None:
            cool_down_us = max(cool_down_us, history.ejected_until_us - now_us) if is_out else cool_down_us
    return lost, math.inf
