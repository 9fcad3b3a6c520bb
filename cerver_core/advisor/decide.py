"""Score what is left after the filters, choose, and write the report (wire contract §3.4)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cerver_core.advisor.filters import Candidate, estimated_cost_usd, refusals
from cerver_core.wire.routing import (
    Confidence,
    Decision,
    HumanSummary,
    ProviderVerdict,
    Recommendation,
    RecommendRequest,
)

__all__ = ["recommend"]


class _Weights(NamedTuple):
    startup: float
    cost: float


_WEIGHTS: Mapping[str, _Weights] = {
    "balanced": _Weights(startup=0.5, cost=0.5),
    "pinned": _Weights(startup=0.5, cost=0.5),
    "resilient": _Weights(startup=0.5, cost=0.5),
    "fastest": _Weights(startup=0.85, cost=0.15),
    "cheapest": _Weights(startup=0.15, cost=0.85),
}
"""What counts how much, by mode; each row sums to 1. Our choice."""

_PINNED_BOOST = 0.5
_HALF_SCORE_STARTUP_MS = 2_000
_HALF_SCORE_USD = 0.10
_CLEAR_GAP = 0.15
_CLOSE_GAP = 0.05


def recommend(
    request: RecommendRequest,
    candidates: Sequence[Candidate],
    *,
    request_id: str,
    require_executable: bool = False,
) -> Recommendation:
    """Filter, score and decide. With nothing left, `recommended_provider` is null and the reasons say why."""
    verdicts: list[ProviderVerdict] = []
    for candidate in candidates:
        reasons = refusals(candidate, request.requirements, request.policy, require_executable=require_executable)
        verdicts.append(_verdict(candidate, request, reasons))
    ranked = sorted(verdicts, key=lambda verdict: (-(verdict.score or 0), verdict.name))
    viable = [verdict for verdict in ranked if verdict.status == "viable"]
    titles = {candidate.profile.name: candidate.profile.title for candidate in candidates}
    decision = _decide(viable, ranked, request, titles)
    return Recommendation(
        request_id=request_id,
        task=request.task,
        workload=request.workload,
        providers=tuple(ranked),
        decision=decision,
        human_summary=_summary(decision, titles),
    )


def _verdict(candidate: Candidate, request: RecommendRequest, reasons: Sequence[str]) -> ProviderVerdict:
    profile = candidate.profile
    cost_usd = estimated_cost_usd(profile, request.requirements)
    score = None
    if not reasons:
        weights = _WEIGHTS[request.policy.mode]
        startup = _HALF_SCORE_STARTUP_MS / (_HALF_SCORE_STARTUP_MS + profile.startup_ms.value)
        cost = _HALF_SCORE_USD / (_HALF_SCORE_USD + cost_usd)
        score = weights.startup * startup + weights.cost * cost
        if request.policy.mode == "pinned":
            is_pinned = profile.name == request.policy.pinned_provider
            score = (score + _PINNED_BOOST * is_pinned) / (1 + _PINNED_BOOST)
        score = round(score, 4)
    return ProviderVerdict(
        name=profile.name,
        status="filtered" if reasons else "viable",
        score=score,
        estimated_cost_usd=round(cost_usd, 6),
        executable=candidate.is_executable,
        reasons=tuple(reasons),
    )


def _decide(
    viable: Sequence[ProviderVerdict],
    ranked: Sequence[ProviderVerdict],
    request: RecommendRequest,
    titles: Mapping[str, str],
) -> Decision:
    if not viable:
        why = tuple(f"{verdict.name}: {reason}" for verdict in ranked for reason in verdict.reasons)
        return Decision(
            recommended_provider=None,
            confidence="high",
            primary_reason="No provider meets the requirements and the policy.",
            secondary_reasons=why or ("no provider is configured",),
        )
    best, rest = viable[0], viable[1:]
    gap = (best.score or 0) - (rest[0].score or 0) if rest else 1.0
    executable = [verdict for verdict in viable if verdict.executable]
    compare = len(executable) > 1 and (
        gap < _CLOSE_GAP or request.workload == "long_running" or request.policy.mode == "resilient"
    )
    return Decision(
        recommended_provider=best.name,
        confidence=_confidence(gap, alone=not rest),
        primary_reason=_primary_reason(best, rest, request, titles),
        secondary_reasons=tuple(f"{verdict.name}: {why}" for verdict in ranked for why in verdict.reasons),
        fallback_order=tuple(verdict.name for verdict in rest),
        canary_run=compare,
    )


def _confidence(gap: float, *, alone: bool) -> Confidence:
    if alone or gap >= _CLEAR_GAP:
        return "high"
    return "medium" if gap >= _CLOSE_GAP else "low"


def _primary_reason(
    best: ProviderVerdict, rest: Sequence[ProviderVerdict], request: RecommendRequest, titles: Mapping[str, str]
) -> str:
    title = titles[best.name]
    if not rest:
        return f"Only {title} meets the requirements and the policy."
    return f"{title[:1].upper()}{title[1:]} scores best for mode {request.policy.mode} ({best.score})."


def _summary(decision: Decision, titles: Mapping[str, str]) -> HumanSummary:
    if decision.recommended_provider is None:
        return HumanSummary(
            headline="No compute can take this work.",
            next_action="Relax the requirement or the policy named in the reasons, or attach another compute.",
        )
    title = titles[decision.recommended_provider]
    spare = f" and keep {titles[decision.fallback_order[0]]} as the fallback" if decision.fallback_order else ""
    return HumanSummary(headline=f"Run this on {title}.", next_action=f"Open a session on {title}{spare}.")
