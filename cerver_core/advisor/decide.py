"""Filter, score, choose, and write the report (wire contract §3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cerver_core.advisor import modes, reasons
from cerver_core.advisor.candidate import Candidate
from cerver_core.advisor.confidence import MEDIUM, probabilities_best, word
from cerver_core.advisor.estimates import Expected, expect, spending
from cerver_core.advisor.filters import refusals
from cerver_core.advisor.reasons import Place
from cerver_core.clock import from_us
from cerver_core.wire.routing import (
    Decision,
    Estimate,
    Estimates,
    ProviderVerdict,
    Recommendation,
    RecommendRequest,
)

__all__ = ["Question", "recommend"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and when. The same question over the same candidates has the same answer.

    `expected_minutes` is how long such work took so far; null while nothing is known, and it then counts as taking
    the whole of its time limit.
    """

    request: RecommendRequest
    request_id: str
    now_us: int
    expected_minutes: float | None = None
    require_executable: bool = False


class _Canary(NamedTuple):
    run: bool
    because: str | None


def recommend(question: Question, candidates: Sequence[Candidate]) -> Recommendation:
    """Answer with the report. With nothing left, `recommended_provider` is null and the reasons say why."""
    request = question.request
    places = _ranked(_scored(question, candidates), request.policy.order)
    viable = [place for place in places if not place.refusals]
    contenders = _contenders(viable, request.policy.order)
    chances = probabilities_best([(p.loss.total, p.loss.deviation) for p in contenders])
    chance_of = {place.name: chance for place, chance in zip(contenders, chances, strict=True)}
    best = viable[0] if viable else None
    verdicts = tuple(_verdict(place, best, chance_of.get(place.name), question.now_us) for place in places)
    return Recommendation(
        request_id=question.request_id,
        task=request.task,
        workload=request.workload,
        providers=verdicts,
        decision=_decide(viable, verdicts, request) if best else _nothing(places),
        human_summary=reasons.summary(best, viable[1:]),
    )


def _scored(question: Question, candidates: Sequence[Candidate]) -> list[Place]:
    request, now_us = question.request, question.now_us
    needs, policy = request.requirements, request.policy
    today = from_us(now_us).date()
    duty = modes.cpu_duty_of(request.workload, request.cpu_duty)
    minutes = float(needs.timeout_minutes)
    expected_minutes = min(minutes, question.expected_minutes or minutes)
    found: list[tuple[Candidate, Expected]] = []
    for candidate in candidates:
        spent = spending(candidate.profile, minutes=minutes, expected_minutes=expected_minutes, cpu_duty=duty)
        found.append((candidate, expect(candidate.profile, candidate.history, spent, now_us=now_us, today=today)))
    dearest = max((one.spending.expected for _, one in found if one.spending), default=0.0)
    weights = modes.WEIGHTS[policy.mode]
    places: list[Place] = []
    for candidate, expected in found:
        out = refusals(
            candidate, expected, needs, policy, now_us=now_us, require_executable=question.require_executable
        )
        unmet = modes.wishes(candidate.profile, request.workload, policy.mode, needs, request.repo)
        is_pinned = policy.mode == "pinned" and candidate.profile.name == policy.pinned_provider
        loss = modes.loss_of(expected, weights, dearest_usd=dearest, unmet=len(unmet), is_pinned=is_pinned)
        places.append(Place(candidate, expected, out, unmet, loss))
    return places


def _ranked(places: Sequence[Place], order: Sequence[str]) -> list[Place]:
    """Sort: what is in before what is out, what can run now, what the policy puts first, the smaller loss."""
    return sorted(
        places,
        key=lambda place: (
            bool(place.refusals),
            not place.candidate.is_executable,
            _rank(place, order),
            place.loss.total,
            place.name,
        ),
    )


def _rank(place: Place, order: Sequence[str]) -> int:
    return order.index(place.name) if place.name in order else len(order)


def _contenders(viable: Sequence[Place], order: Sequence[str]) -> Sequence[Place]:
    """Give those among which the score decides: what can run now, and stands equal in the policy's order."""
    if not viable:
        return ()
    first = viable[0]
    return [
        place
        for place in viable
        if place.candidate.is_executable == first.candidate.is_executable and _rank(place, order) == _rank(first, order)
    ]


def _verdict(place: Place, best: Place | None, chance: float | None, now_us: int) -> ProviderVerdict:
    candidate, expected = place.candidate, place.expected
    is_out = bool(place.refusals)
    return ProviderVerdict(
        name=place.name,
        status="filtered" if is_out else "viable",
        score=None if is_out else round(1 / (1 + place.loss.total), 4),
        estimated_cost_usd=None if expected.spending is None else round(expected.spending.expected, 6),
        executable=candidate.is_executable,
        reasons=tuple(refusal.message for refusal in place.refusals),
        refusals=tuple(place.refusals),
        score_parts={} if is_out else place.loss.parts,
        p_best=chance,
        estimates=_estimates(expected),
        lost_because=reasons.lost_because(place, best),
        half_open=expected.history.is_half_open(now_us),
        missing=candidate.how_to,
    )


def _estimates(expected: Expected) -> Estimates:
    history, startup, failures = expected.history, expected.startup, expected.failures
    low_ms, high_ms = startup.interval_ms
    low, high = failures.interval
    source = "account" if history.attempts else "profile"
    weight = round(history.startup.weight, 2)
    tried = round(history.succeeded + history.failed, 2)
    spent = expected.spending
    return Estimates(
        startup_ms=Estimate(
            value=round(startup.median_ms, 1),
            low=round(low_ms, 1),
            high=round(high_ms, 1),
            unit="ms",
            n=history.answered,
            n_effective=weight,
            source="account" if weight else "profile",
            stale=expected.is_stale,
        ),
        failure_rate=Estimate(
            value=round(failures.mean, 4),
            low=round(low, 4),
            high=round(high, 4),
            unit="share of starts",
            n=history.attempts,
            n_effective=tried,
            source=source,
        ),
        cost_usd=None
        if spent is None
        else Estimate(value=round(spent.expected, 6), low=round(spent.low, 6), high=round(spent.limit, 6), unit="USD"),
        uptime_percent=_uptime_percent(expected),
    )


def _uptime_percent(expected: Expected) -> float | None:
    history = expected.history
    return round(100 * history.answered / history.attempts, 2) if history.attempts else None


def _nothing(places: Sequence[Place]) -> Decision:
    why = tuple(f"{place.name}: {refusal.message}" for place in places for refusal in place.refusals)
    return Decision(
        recommended_provider=None,
        confidence="high",
        primary_reason="No provider meets the requirements and the policy.",
        secondary_reasons=why or ("no provider is configured",),
    )


def _decide(viable: Sequence[Place], verdicts: Sequence[ProviderVerdict], request: RecommendRequest) -> Decision:
    best, rest = viable[0], viable[1:]
    chance = verdicts[0].p_best or 0.0
    canary = _canary(viable, chance, request)
    return Decision(
        recommended_provider=best.name,
        confidence=word(chance, own_observations=best.expected.history.attempts),
        primary_reason=reasons.primary_reason(best, rest, request.policy),
        secondary_reasons=tuple(f"{verdict.name}: {verdict.lost_because}" for verdict in verdicts[1:]),
        fallback_order=tuple(place.name for place in rest),
        canary_run=canary.run,
        canary_because=canary.because,
        p_best=chance,
        predicted_startup_ms=round(best.expected.startup.median_ms, 1),
        uptime_percent=_uptime_percent(best.expected),
    )


def _canary(viable: Sequence[Place], chance: float, request: RecommendRequest) -> _Canary:
    """Two real runs are worth it where they could change the choice, or where a wrong one is costly."""
    executable = [place for place in viable if place.candidate.is_executable]
    if len(executable) < 2:
        return _Canary(run=False, because=None)
    if request.policy.mode == "resilient":
        return _Canary(run=True, because="mode resilient tries the two best places first")
    if request.workload == "long_running":
        return _Canary(run=True, because="a long run on the wrong place is costly")
    if chance < MEDIUM:
        return _Canary(run=True, because=f"{executable[0].title} and {executable[1].title} are close")
    return _Canary(run=False, because=None)
