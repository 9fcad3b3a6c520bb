"""Advice over the providers of this process."""

from cerver_core.engine.placement import Placement
from cerver_core.wire.routing import Recommendation, RecommendRequest

__all__ = ["EngineRouting"]


class EngineRouting:
    """See `cerver_core.api.routing.RoutingAdvice`."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide."""
        return await self._placement.advise(request)
