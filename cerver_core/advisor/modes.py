"""What counts how much, by mode: one table, in units a person can read; and the loss of a place by it."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from cerver_core.advisor.estimates import Expected
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.wire.computes import Requirements
from cerver_core.wire.routing import Mode, Repo

__all__ = ["CPU_DUTY", "WEIGHTS", "Loss", "Weights", "cpu_duty_of", "loss_of", "wishes"]


class Weights(NamedTuple):
    """Points of loss: per doubling of the startup, per USD, per failed start, and per wish that is not met."""

    per_doubling: float
    per_usd: float
    per_failure: float
    per_wish: float


WEIGHTS: Mapping[Mode, Weights] = {
    "balanced": Weights(per_doubling=0.15, per_usd=10, per_failure=1, per_wish=0.3),
    "pinned": Weights(per_doubling=0.15, per_usd=10, per_failure=1, per_wish=0.3),
    "fastest": Weights(per_doubling=0.40, per_usd=1, per_failure=2, per_wish=0.1),
    "cheapest": Weights(per_doubling=0.03, per_usd=60, per_failure=1, per_wish=0.1),
    "resilient": Weights(per_doubling=0.05, per_usd=3, per_failure=10, per_wish=0.6),
}
"""One USD counts as much as the startup being 2^(per_usd / per_doubling) times as long. Our choice."""

CPU_DUTY: Mapping[str, float] = {
    "general": 0.5,
    "coding": 0.3,
    "preview": 0.1,
    "long_running": 0.2,
}
"""The share of its time in which work of a kind keeps a CPU busy; 0.5 where nothing is known. Our estimate."""

_UNNOTICED_MS = 10.0
"""Nobody notices a startup below this."""

_PINNED_SHARE = 0.9
"""How much of its loss the pinned place is let off."""

_WISHES: Mapping[str, tuple[str, ...]] = {
    "preview": ("public_preview",),
    "coding": ("package_install",),
    "long_running": ("pause",),
}
"""What helps work of a kind beside its hard requirements."""


class Loss(NamedTuple):
    """The points of loss of one place, by part, and how uncertain their sum is (a standard deviation)."""

    startup: float
    cost: float
    failure: float
    fit: float
    pinned: float
    deviation: float

    @property
    def total(self) -> float:
        """Give the sum."""
        return self.startup + self.cost + self.failure + self.fit + self.pinned

    @property
    def parts(self) -> dict[str, float]:
        """Name the parts that are not nothing."""
        named = {"startup": self.startup, "cost": self.cost, "failure": self.failure, "fit": self.fit}
        if self.pinned:
            named["pinned"] = self.pinned
        return {name: round(points, 4) for name, points in named.items()}


def loss_of(expected: Expected, weights: Weights, *, dearest_usd: float, unmet: int, is_pinned: bool = False) -> Loss:
    """Weigh what is expected. A place without a known price counts as the dearest that is known."""
    startup, failures = expected.startup, expected.failures
    doublings = max(0.0, (startup.mean - math.log(_UNNOTICED_MS)) / math.log(2))
    usd = dearest_usd if expected.spending is None else expected.spending.expected
    parts = (
        weights.per_doubling * doublings,
        weights.per_usd * usd,
        weights.per_failure * failures.mean,
        weights.per_wish * unmet,
    )
    deviation = math.hypot(
        weights.per_doubling * startup.deviation / math.log(2), weights.per_failure * failures.deviation
    )
    return Loss(*parts, pinned=-_PINNED_SHARE * sum(parts) if is_pinned else 0.0, deviation=deviation)


def cpu_duty_of(workload: str, said: float | None) -> float:
    """Give the share of its time in which the work keeps a CPU busy."""
    return CPU_DUTY.get(workload, CPU_DUTY["general"]) if said is None else said


def wishes(profile: ComputeProfile, workload: str, mode: Mode, needs: Requirements, repo: Repo | None) -> list[str]:
    """Name what would help the work and is not there."""
    offers = profile.offers
    names = _WISHES.get(workload, ())
    unmet = [name.replace("_", " ") for name in names if not getattr(offers, name).value]
    wanted = "high" if mode == "resilient" else needs.persistence_level
    if wanted not in offers.persistence.value:
        unmet.append("files that outlive the sandbox")
    languages = {language.lower() for language in repo.languages} if repo else set[str]()
    if languages & {"python"} and "python" not in offers.runtimes.value:
        unmet.append("python")
    if languages & {"javascript", "typescript"} and "node" not in offers.runtimes.value:
        unmet.append("node")
    return unmet
