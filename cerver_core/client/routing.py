"""Routing, asked of a gateway: advice, the catalog of providers, stress tests, policies."""

from typing import TYPE_CHECKING

from cerver_core.wire.policies import CommunityPolicies, PolicyReply, PutPolicy
from cerver_core.wire.providers import ProviderCatalog
from cerver_core.wire.routing import Recommendation, RecommendRequest
from cerver_core.wire.stress import StressReport, StressRequest

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientRouting"]

_REAL_RUNS_S = 3_600.0
"""How long an answer that really runs something may take."""


class ClientRouting:
    """See `cerver_core.api.routing.RoutingAdvice`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide, with reasons."""
        limit_s = _REAL_RUNS_S if request.canary else None
        return await self._transport.call("routing.recommend", Recommendation, body=request, timeout_s=limit_s)

    async def providers(self) -> ProviderCatalog:
        """List the providers."""
        return await self._transport.call("routing.providers", ProviderCatalog)

    async def stress_test(self, request: StressRequest) -> StressReport:
        """Compare providers by one kind of work."""
        limit_s = _REAL_RUNS_S if request.mode == "live" else None
        return await self._transport.call("routing.stress_test", StressReport, body=request, timeout_s=limit_s)

    async def policy(self) -> PolicyReply:
        """Read the account's routing policy."""
        return await self._transport.call("routing.policy", PolicyReply)

    async def put_policy(self, request: PutPolicy) -> PolicyReply:
        """Set the account's routing policy; null clears it."""
        return await self._transport.call("routing.put_policy", PolicyReply, body=request)

    async def project_policy(self, slug: str) -> PolicyReply:
        """Read a project's routing policy."""
        return await self._transport.call("routing.project_policy", PolicyReply, names={"slug": slug})

    async def put_project_policy(self, slug: str, request: PutPolicy) -> PolicyReply:
        """Set a project's routing policy; null clears it."""
        names = {"slug": slug}
        return await self._transport.call("routing.put_project_policy", PolicyReply, names=names, body=request)

    async def community_policies(self) -> CommunityPolicies:
        """List the policies that come with Cerver."""
        return await self._transport.call("routing.community_policies", CommunityPolicies)
