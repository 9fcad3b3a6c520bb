"""The sentences of the report: why the chosen place won, why each other lost, what to do next."""

from collections.abc import Sequence
from typing import NamedTuple

from cerver_core.advisor.candidate import Candidate
from cerver_core.advisor.estimates import Expected
from cerver_core.advisor.modes import Loss
from cerver_core.wire.routing import HumanSummary, Policy, Refusal

__all__ = ["Place", "duration", "lost_because", "money", "primary_reason", "summary"]

_EVEN_POINTS = 0.01
"""A smaller difference in points decides nothing that a person would notice."""


class Place(NamedTuple):
    """A provider with all that was found out about it for one request."""

    candidate: Candidate
    expected: Expected
    refusals: Sequence[Refusal]
    unmet: Sequence[str]
    loss: Loss

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return self.candidate.profile.name

    @property
    def title(self) -> str:
        """The provider's name for a person."""
        return self.candidate.profile.title


def duration(milliseconds: float) -> str:
    """Write a time as a person says it."""
    return f"{milliseconds / 1_000:.1f} s" if milliseconds >= 1_000 else f"{milliseconds:.0f} ms"


def money(usd: float) -> str:
    """Write an amount with as many digits as it needs."""
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def lost_because(place: Place, best: Place | None) -> str | None:
    """Say what decided against a place; null for the best itself."""
    if place.refusals:
        return place.refusals[0].message
    if best is None or place is best:
        return None
    return _difference(place, best)


def _difference(place: Place, best: Place) -> str:
    if place.candidate.is_executable != best.candidate.is_executable:
        return str(place.candidate.not_executable_because)
    if best.loss.pinned and not place.loss.pinned:
        return f"{best.title} is pinned"
    gaps = {
        "startup": place.loss.startup - best.loss.startup,
        "cost": place.loss.cost - best.loss.cost,
        "failure": place.loss.failure - best.loss.failure,
        "fit": place.loss.fit - best.loss.fit,
    }
    part = max(gaps, key=lambda name: gaps[name])
    if gaps[part] < _EVEN_POINTS:
        return f"next to nothing parts it from {best.title}"
    return _worse(part, place, best)


def _worse(part: str, place: Place, best: Place) -> str:
    mine, its = place.expected, best.expected
    if part == "startup":
        return f"it starts in about {duration(mine.startup.median_ms)}, against {duration(its.startup.median_ms)}"
    if part == "cost":
        if mine.spending is None or its.spending is None:
            return "its price is not known, and counts as the dearest"
        return f"it costs about {money(mine.spending.expected)}, against {money(its.spending.expected)}"
    if part == "failure":
        return f"{mine.failures.mean:.1%} of its starts fail, against {its.failures.mean:.1%}"
    return f"it lacks {', '.join(place.unmet)}"


def primary_reason(best: Place, rest: Sequence[Place], policy: Policy) -> str:
    """Say in one sentence why the chosen place won."""
    title = best.title[:1].upper() + best.title[1:]
    if not rest:
        return f"Only {best.title} meets the requirements and the policy."
    rivals = [place for place in rest if place.candidate.is_executable == best.candidate.is_executable]
    low, high = best.expected.startup.interval_ms
    seen = best.expected.history.attempts
    source = f"{seen} of our own starts" if seen else "its published figures; none of our own yet"
    spent = best.expected.spending
    cost = ""
    if spent is not None:
        cost = f" and costs about {money(spent.expected)}" if spent.expected else " and costs nothing"
    if best.name in policy.order:
        return f"{title} comes first in the policy's order of those that can take the work."
    return (
        f"{title} scores best for mode {policy.mode}: it starts in about {duration(best.expected.startup.median_ms)} "
        f"({duration(low)} to {duration(high)}, from {source}){cost}. "
        + (f"Next, {rivals[0].title}: {_difference(rivals[0], best)}." if rivals else "No other can run work here now.")
    )


def summary(best: Place | None, rest: Sequence[Place]) -> HumanSummary:
    """Say the same to a person in a headline and a next step."""
    if best is None:
        return HumanSummary(
            headline="No compute can take this work.",
            next_action="Relax the requirement or the policy named in the reasons, or attach another compute.",
        )
    if not best.candidate.is_executable:
        how = best.candidate.how_to or str(best.candidate.not_executable_because)
        return HumanSummary(headline=f"{best.title} would fit, but cannot run work here yet.", next_action=f"{how}.")
    spare = f" and keep {rest[0].title} as the fallback" if rest and rest[0].candidate.is_executable else ""
    return HumanSummary(headline=f"Run this on {best.title}.", next_action=f"Open a session on {best.title}{spare}.")
