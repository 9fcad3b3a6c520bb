"""Routing: how long an advice takes, and how good and how honest it is in a made-up world of providers."""

import random
import time
from collections.abc import Sequence
from datetime import date

from benchmarks.figure import Figure
from benchmarks.routing_simulation import SEEDS, Advised, Canaries, Ewma, Static, outage, play
from cerver_core.advisor import Candidate, Observation, Question, recommend
from cerver_core.advisor.confidence import HIGH, MEDIUM
from cerver_core.advisor.estimates import learn
from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.wire.routing import Mode, RecommendRequest

__all__ = ["measure"]

_OBSERVATIONS = 1_000
_NOW_US = 1_795_000_000 * 1_000_000
_MODES: tuple[Mode, ...] = ("balanced", "fastest")
_BANDS = {"low": (0.0, MEDIUM), "medium": (MEDIUM, HIGH), "high": (HIGH, 1.01)}
_CALIBRATION_SEEDS = range(1_000, 1_600)
"""The decisions in one world hang together: with 160 worlds a band came out up to 0.04 off by chance alone."""


def measure() -> list[Figure]:
    """Measure the time in CPU milliseconds, then play the simulations."""
    return [_advice(), *_regrets(), *_calibration(), *_outages()]


def _advice() -> Figure:
    candidates = [_experienced(profile) for profile in PROFILES.values()]
    question = Question(RecommendRequest(workload="coding"), "req", _NOW_US + 2_000 * 1_000_000)
    recommend(question, candidates)
    times: list[float] = []
    for _ in range(60):
        start = time.process_time()
        for _ in range(20):
            recommend(question, candidates)
        times.append((time.process_time() - start) / 20 * 1_000)
    title = f"advice for {len(candidates)} providers with {_OBSERVATIONS:,} observations each (CPU, best of 60)"
    return Figure(title, min(times), "ms", to_reach=1.0)


def _experienced(profile: ComputeProfile) -> Candidate:
    source, history = random.Random(1), None
    for number in range(_OBSERVATIONS):
        took_ms = profile.boots.startup_p50_ms.value * source.lognormvariate(0, 0.2)
        seen = Observation(ok=source.random() > 0.02, startup_ms=took_ms)
        history = learn(profile, history, seen, now_us=_NOW_US + number * 1_000_000, today=date(2026, 11, 22))
    return Candidate(profile, history=history)


def _regrets() -> list[Figure]:
    figures: list[Figure] = []
    sums: dict[str, float] = {"static": 0.0, "ewma": 0.0, "advised": 0.0, "canaries": 0.0}
    for mode in _MODES:
        ways = {"static": Static, "ewma": Ewma, "advised": Advised, "canaries": Canaries}
        found = {name: play(way, range(SEEDS), mode).regret for name, way in ways.items()}
        for name, regret in found.items():
            sums[name] += regret
        figures.append(
            _regret(f"regret of the advice, mode {mode}", found["advised"], "static profile", found["static"])
        )
        figures.append(_regret(f"regret of the advice, mode {mode}", found["advised"], "EWMA-greedy", found["ewma"]))
    both = " and ".join(_MODES)
    for name, title in (("advised", "the advice"), ("canaries", "the advice with canaries")):
        said = f"regret of {title}, {both} together"
        figures.append(_regret(said, sums[name], "static profile", sums["static"], to_reach=0.4))
        figures.append(_regret(said, sums[name], "EWMA-greedy", sums["ewma"], to_reach=0.75))
    return figures


def _regret(name: str, value: float, rival: str, against: float, *, to_reach: float | None = None) -> Figure:
    return Figure(name, value, "points", against, rival, to_reach=to_reach)


def _calibration() -> list[Figure]:
    claims = play(Advised, _CALIBRATION_SEEDS, "balanced").claims
    return [_band(word, [claim for claim in claims if low <= claim[0] < high]) for word, (low, high) in _BANDS.items()]


def _band(word: str, claims: Sequence[tuple[float, bool]]) -> Figure:
    claimed = sum(probability for probability, _ in claims) / len(claims)
    was_best = sum(is_best for _, is_best in claims) / len(claims)
    title = f"confidence {word}: |{claimed:.3f} claimed - {was_best:.3f} observed| over {len(claims):,} decisions"
    return Figure(title, abs(claimed - was_best), "", to_reach=0.05)


def _outages() -> list[Figure]:
    lost, late = zip(*(outage(seed) for seed in range(SEEDS)), strict=True)
    return [
        Figure("requests lost before traffic moves, worst of 40 outages", max(lost), "requests", to_reach=2),
        Figure("traffic back after recovery, worst of 40, in cool-downs", max(late), "cool-downs", to_reach=1),
    ]
