"""Advice for nobody in particular: from published figures alone, with nothing seen and nothing that can be run."""

from cerver_core.advisor.candidate import Candidate
from cerver_core.advisor.decide import Question, recommend
from cerver_core.advisor.simulated import simulate
from cerver_core.catalog.computes import PROFILES
from cerver_core.wire.routing import Recommendation, RecommendRequest
from cerver_core.wire.stress import StressReport, StressRequest

__all__ = ["published_advice", "published_stress"]

_NO_KEY = "nothing can be run without a key"


def published_advice(request: RecommendRequest, *, request_id: str, now_us: int) -> Recommendation:
    """Recommend among the clouds that can be used; a machine of one's own is known to its owner alone."""
    candidates = [
        Candidate(profile, _NO_KEY, how_to="Give a key, and the advice is about your own providers")
        for profile in PROFILES.values()
        if profile.price is not None and profile.price.kind != "free" and not profile.is_planned
    ]
    return recommend(Question(request, request_id, now_us), candidates)


def published_stress(request: StressRequest, *, test_id: str, now_us: int) -> StressReport:
    """Compare the same clouds by their published figures; says that nothing was run."""
    asks = RecommendRequest(
        task=request.task, workload=request.workload, requirements=request.requirements, policy=request.policy
    )
    advice = published_advice(asks, request_id=test_id, now_us=now_us)
    return simulate(request, advice, test_id=test_id)
