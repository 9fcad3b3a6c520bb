"""Routing on this machine: advice, the catalog with what was observed, stress tests, policies."""

from datetime import date
from typing import cast

from cerver_core.advisor import History
from cerver_core.catalog.facts import Fact, facts_of
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.clock import from_us
from cerver_core.engine.context import Context
from cerver_core.engine.placement import Placement
from cerver_core.engine.policies import Policies
from cerver_core.engine.reachable import Offer
from cerver_core.engine.stress import StressTests
from cerver_core.wire.policies import CommunityPolicies, PolicyReply, PutPolicy
from cerver_core.wire.providers import ProviderCatalog, ProviderEntry, ProviderStatus, ShownFact
from cerver_core.wire.routing import Estimates, Recommendation, RecommendRequest
from cerver_core.wire.stress import StressReport, StressRequest

__all__ = ["EngineRouting"]


class EngineRouting:
    """See `cerver_core.api.routing.RoutingAdvice`."""

    def __init__(self, context: Context, placement: Placement) -> None:
        self._context = context
        self._placement = placement
        self._policies = Policies(context)
        self._stress = StressTests(context, placement)

    async def recommend(self, request: RecommendRequest) -> Recommendation:
        """Filter, score and decide; with a canary, after what it showed."""
        report = await self._placement.advise(request)
        if not request.canary:
            return report
        canary = await self._placement.canary(report, request)
        return (await self._placement.advise(request)).model_copy(update={"canary": canary})

    async def providers(self) -> ProviderCatalog:
        """List the providers, with what was observed."""
        histories = await self._placement.observations.histories()
        offer = await self._placement.offer()
        advice = await self._placement.advise(RecommendRequest(), offer=offer)
        expected = {verdict.name: verdict.estimates for verdict in advice.providers}
        now_us = self._context.now_us()
        today = from_us(now_us).date()
        return ProviderCatalog(
            providers=tuple(
                _entry(
                    profile,
                    histories.get(profile.name, History()),
                    expected.get(profile.name),
                    status=_status(profile, offer),
                    missing=None if profile.name in offer.providers else self._placement.missing(profile, offer),
                    today=today,
                    now_us=now_us,
                )
                for profile in await self._placement.profiles(offer)
            )
        )

    async def stress_test(self, request: StressRequest) -> StressReport:
        """Compare providers by one kind of work."""
        return await self._stress.run(request)

    async def policy(self) -> PolicyReply:
        """Read the account's routing policy."""
        return await self._policies.read()

    async def put_policy(self, request: PutPolicy) -> PolicyReply:
        """Set the account's routing policy; null clears it."""
        return await self._policies.put(request)

    async def project_policy(self, slug: str) -> PolicyReply:
        """Read a project's routing policy."""
        return await self._policies.read(slug)

    async def put_project_policy(self, slug: str, request: PutPolicy) -> PolicyReply:
        """Set a project's routing policy; null clears it."""
        return await self._policies.put(request, slug)

    async def community_policies(self) -> CommunityPolicies:
        """List the policies that come with Cerver."""
        return self._policies.community()


def _status(profile: ComputeProfile, offer: Offer) -> ProviderStatus:
    if profile.name in offer.providers:
        return "executable"
    return "planned" if profile.is_planned else "not_configured"


def _entry(
    profile: ComputeProfile,
    history: History,
    expected: Estimates | None,
    *,
    status: ProviderStatus,
    missing: str | None,
    today: date,
    now_us: int,
) -> ProviderEntry:
    facts = {name: _shown(fact, today) for name, fact in facts_of(profile)}
    until_us = history.ejected_until_us
    return ProviderEntry(
        name=profile.name,
        title=profile.title,
        status=status,
        executable=status == "executable",
        missing=missing,
        credentials=profile.credentials,
        billing=None if profile.price is None else profile.price.kind,
        facts=facts,
        stale_facts=sum(fact.stale for fact in facts.values()),
        notes=profile.notes,
        attempts=history.attempts,
        answered=history.answered,
        uptime_percent=None if expected is None else expected.uptime_percent,
        observed=expected,
        ejected_until=from_us(until_us) if until_us is not None and history.is_ejected(now_us) else None,
    )


def _shown(fact: Fact[object], today: date) -> ShownFact:
    return ShownFact.model_validate(
        {
            "value": _as_json(fact.value),
            "unit": fact.unit,
            "plan": fact.plan,
            "source": fact.source.text,
            "evidence": fact.source.evidence,
            "as_of": fact.source.as_of,
            "stale": fact.is_stale(today),
        }
    )


def _as_json(value: object) -> object:
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
