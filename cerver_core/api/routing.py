"""The contract of routing: where work should run, what is known of the places, and the rules that choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.wire.policies import CommunityPolicies, PolicyReply, PutPolicy
    from cerver_core.wire.providers import ProviderCatalog
    from cerver_core.wire.routing import Recommendation, RecommendRequest
    from cerver_core.wire.stress import StressReport, StressRequest

__all__ = ["RoutingAdvice"]


class RoutingAdvice(Protocol):
    """The advisor."""

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide, with reasons. Having nothing to recommend is an answer, never an error.

        With `canary`, the declared probe has really run on the two best places, and its report is in the answer.
        """
        ...

    async def providers(self) -> ProviderCatalog:
        """List every provider that Cerver knows: executable or not, what is missing, what was observed."""
        ...

    async def stress_test(self, request: StressRequest) -> StressReport:
        """Compare providers by one kind of work. What a live test measured is learnt from.

        Raises:
            NoComputeAvailable: a live test was asked, and no named provider can take the work.
        """
        ...

    async def policy(self) -> PolicyReply:
        """Read the account's routing policy."""
        ...

    async def put_policy(self, request: PutPolicy) -> PolicyReply:
        """Set the account's routing policy; null clears it."""
        ...

    async def project_policy(self, slug: str) -> PolicyReply:
        """Read a project's routing policy; it comes before the account's."""
        ...

    async def put_project_policy(self, slug: str, request: PutPolicy) -> PolicyReply:
        """Set a project's routing policy; null clears it."""
        ...

    async def community_policies(self) -> CommunityPolicies:
        """List the policies that come with Cerver."""
        ...
