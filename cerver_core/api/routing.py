"""The contract of routing: advice on where work should run."""

from typing import Protocol

from cerver_core.wire.routing import Recommendation, RecommendRequest

__all__ = ["RoutingAdvice"]


class RoutingAdvice(Protocol):
    """The advisor."""

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide, with reasons. Having nothing to recommend is an answer, never an error."""
        ...
