"""Advice on where work should run, asked of a gateway."""

from typing import TYPE_CHECKING

from cerver_core.wire.routing import Recommendation, RecommendRequest

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientRouting"]


class ClientRouting:
    """See `cerver_core.api.routing.RoutingAdvice`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide, with reasons."""
        return await self._transport.call("routing.recommend", Recommendation, body=request)
