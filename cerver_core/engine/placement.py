"""The only place that creates sandboxes: advice, then provision, then the next in the fallback order."""

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import anyio

from cerver_core.advisor import Candidate, History, Observation, Question, recommend
from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.engine.booting import BOOT_LIMIT_S, boot
from cerver_core.engine.canary import Canary
from cerver_core.engine.catalog import absent_profile, how_to, profile_of
from cerver_core.engine.context import Context
from cerver_core.engine.observations import Observations
from cerver_core.engine.reachable import Offer, Reachable
from cerver_core.engine.reaper import clear
from cerver_core.errors import (
    CerverError,
    ComputeNotFound,
    DeadlineExceeded,
    InvalidInput,
    IsolationUnavailable,
    NoComputeAvailable,
    NotSupported,
    ProviderUnavailable,
    RateLimited,
    RuntimeMissing,
)
from cerver_core.providers.base import Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import ComputeChoice, Requirements
from cerver_core.wire.policies import CanarySetting
from cerver_core.wire.routing import Attempt, CanaryReport, Decision, Recommendation, RecommendRequest, Routing

__all__ = ["Place", "Placement"]

log = logging.getLogger(__name__)

DEFAULT_CANARY_USD = 0.05
"""What a canary may be expected to cost where nobody said: about a hundred times what one costs."""

_PLANNED = {"cerver": "Cerver has no pools of its own yet: name another provider, or leave compute out"}
"""Names of the API that no provider stands behind yet, and what to do instead."""

_UNSUITABLE = (NotSupported, RuntimeMissing, IsolationUnavailable)
"""The provider works, but not for this: another may; nothing is learnt about it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session came to stand, and the decision that put it there."""

    provider: Provider
    sandbox: SandboxRef
    routing: Routing


@dataclass(slots=True)
class _Tries:
    """What was tried for one session, and what each try came to."""

    attempts: list[Attempt] = field(default_factory=list[Attempt])
    unsuitable: CerverError | None = None


class Placement:
    """Chooses a provider and makes sandboxes on it."""

    def __init__(self, context: Context, *, boot_limit_s: float = BOOT_LIMIT_S) -> None:
        self._context = context
        self._reachable = Reachable(context)
        self._boot_limit_s = boot_limit_s
        self.observations = Observations(context.rows.records, context.clock)
        self._canary = Canary(context, self.observations)

    async def advise(
        self,
        request: RecommendRequest,
        *,
        require_executable: bool = False,
        chosen: str | None = None,
        offer: Offer | None = None,
    ) -> Recommendation:
        """Recommend among the providers; one that the caller chose is not held back by what it did before."""
        offer = offer or await self._reachable.all()
        histories = dict(await self.observations.histories())
        if chosen in histories:
            histories[chosen] = histories[chosen]._replace(ejected_until_us=None)
        question = Question(
            request=request,
            request_id=f"req_{uuid4().hex[:16]}",
            now_us=self._context.now_us(),
            expected_minutes=await self.observations.expected_minutes(
                request.workload, request.requirements.timeout_minutes
            ),
            require_executable=require_executable,
        )
        return recommend(
            question, [self._candidate(profile, histories, offer) for profile in await self.profiles(offer)]
        )

    async def offer(self) -> Offer:
        """Give the providers that this account's work may run on now."""
        return await self._reachable.all()

    async def profiles(self, offer: Offer) -> Sequence[ComputeProfile]:
        """Give the profiles of the catalog, and one for each provider of someone else's."""
        foreign = [name for name in offer.providers if name not in PROFILES]
        absent = [name for name in offer.obstacles if name not in PROFILES and name not in offer.providers]
        there = [await profile_of(offer.providers[name]) for name in foreign]
        return (*PROFILES.values(), *there, *map(absent_profile, absent))

    def missing(self, profile: ComputeProfile, offer: Offer) -> str:
        """Say what would make a provider usable that is not: by the operator, or by the account itself."""
        hosting = self._context.tenant.hosting
        own = None if hosting is None else hosting.own_providers
        is_own = own is not None and own.can_make(profile.name)
        is_shared = hosting is None or hosting.options.shares_own_providers
        return offer.obstacles.get(profile.name) or how_to(profile, is_own=is_own, is_shared=is_shared)

    def _candidate(self, profile: ComputeProfile, histories: dict[str, History], offer: Offer) -> Candidate:
        history = histories.get(profile.name)
        if profile.name in offer.providers:
            return Candidate(profile, history=history)
        obstacle = "no adapter for it yet" if profile.is_planned else "it is not configured"
        obstacle = offer.obstacles.get(profile.name, obstacle)
        return Candidate(profile, obstacle, history, self.missing(profile, offer))

    async def canary(
        self, report: Recommendation, request: RecommendRequest, *, max_usd: float = DEFAULT_CANARY_USD
    ) -> CanaryReport:
        """Really run the declared probe on the two best places of a report, and learn from it."""
        seed = zlib.crc32(report.request_id.encode())
        return await self._canary.run(report, request.requirements, max_usd=max_usd, seed=seed)

    async def place(
        self,
        session_id: str,
        request: RecommendRequest,
        choice: ComputeChoice | None,
        *,
        canary: CanarySetting | None = None,
    ) -> Place:
        """Make a sandbox for a session: on the first provider of the fallback order that can.

        A canary runs first when the request asks for one, or the setting allows it and the advice wishes for it.

        Raises:
            NoComputeAvailable: nothing executable is left; `detail` is the report, with what each attempt came to.
            ComputeNotFound: the chosen compute does not exist, or nobody knows the provider.
            IsolationUnavailable, RuntimeMissing, NotSupported: no compute can do what the requirements ask.
        """
        offer = await self._reachable.all(session_id)
        chosen = None if choice is None else await _choose(choice, offer)
        report = await self.advise(_narrowed(request, chosen), require_executable=True, chosen=chosen, offer=offer)
        if chosen is not None and chosen not in offer.providers:
            missing = offer.obstacles.get(chosen) or _PLANNED.get(chosen) or self.missing(PROFILES[chosen], offer)
            raise _with_report(NoComputeAvailable(f"{chosen} cannot run here now. {missing}", provider=chosen), report)
        probed = await self._probed(report, request, canary) if chosen is None else None
        tries = _Tries()
        for name in _in_order(report, probed):
            provider = offer.providers[name]
            sandbox = await self._try(provider, session_id, request.requirements, tries)
            if sandbox is not None:
                return Place(provider, sandbox, _routing(report, name, tries.attempts, probed))
        if tries.unsuitable is not None:
            raise tries.unsuitable
        raise _nothing_left(report, tries.attempts)

    async def _probed(
        self, report: Recommendation, request: RecommendRequest, setting: CanarySetting | None
    ) -> CanaryReport | None:
        is_wished = setting is not None and setting.enabled and report.decision.canary_run
        if not request.canary and not is_wished:
            return None
        return await self.canary(report, request, max_usd=setting.max_usd if setting else DEFAULT_CANARY_USD)

    async def _try(self, provider: Provider, session_id: str, needs: Requirements, tries: _Tries) -> SandboxRef | None:
        """Make a sandbox on one provider and learn from it; null when another provider is to be asked."""
        started_at, started_s = self._context.clock.now(), self._context.clock.monotonic()
        error: CerverError | None = None
        sandbox, is_timeout = None, False
        try:
            with anyio.fail_after(self._boot_limit_s):
                sandbox = await boot(provider, SandboxRequest(session_id, needs), limit_s=self._boot_limit_s)
        except TimeoutError as late:
            is_timeout = not isinstance(late, DeadlineExceeded)
            error = late if isinstance(late, DeadlineExceeded) else _too_late(provider, self._boot_limit_s)
        except (ProviderUnavailable, RateLimited) as refused:
            error = refused
        except _UNSUITABLE as unsuitable:
            tries.unsuitable = tries.unsuitable or unsuitable
            error = unsuitable
        took_ms = round((self._context.clock.monotonic() - started_s) * 1_000, 3)
        tries.attempts.append(
            Attempt(
                provider=provider.name,
                started_at=started_at,
                took_ms=took_ms,
                ok=error is None,
                reason=None if error is None else error.message,
            )
        )
        if error is not None:
            self._context.tasks.start_soon(clear, provider, session_id)
        if not isinstance(error, _UNSUITABLE):
            await self._learn(provider, Observation(error is None, took_ms, is_timeout=is_timeout))
        return sandbox

    async def _learn(self, provider: Provider, seen: Observation) -> None:
        await self.observations.add(await profile_of(provider), seen)

    async def choose(self, choice: ComputeChoice) -> str | None:
        """Find the provider that a choice names, configured here or not; null when it names none.

        Raises:
            ComputeNotFound: the chosen compute does not exist, or nobody knows the provider.
        """
        return await _choose(choice, await self._reachable.all())


async def _choose(choice: ComputeChoice, offer: Offer) -> str | None:
    if choice.provider is None and choice.compute_id is None:
        return None
    if choice.provider is not None and choice.compute_id is not None:
        raise InvalidInput("compute takes a provider or a compute_id, not both")
    if choice.provider is not None:
        return _known(choice.provider, offer)
    compute_id = str(choice.compute_id)
    if compute_id.startswith("provider_"):
        return _known(compute_id.removeprefix("provider_"), offer)
    for name, provider in offer.providers.items():
        if (await provider.describe()).compute_id == compute_id:
            return name
    raise ComputeNotFound(f"there is no compute {compute_id}; GET /v2/computes lists those there are")


def _known(name: str, offer: Offer) -> str:
    if not any(name in known for known in (offer.providers, offer.obstacles, PROFILES, _PLANNED)):
        there = ", ".join(offer.providers) or "none"
        raise ComputeNotFound(f"there is no provider {name}; configured here: {there}", provider=name)
    return name


def _narrowed(request: RecommendRequest, chosen: str | None) -> RecommendRequest:
    if chosen is None:
        return request
    pinned = {"mode": "pinned", "pinned_provider": chosen, "allowed_providers": (chosen,)}
    return request.model_copy(update={"policy": request.policy.model_copy(update=pinned)})


def _in_order(report: Recommendation, probed: CanaryReport | None) -> Sequence[str]:
    """Give the order in which to ask: who won a canary, then as advised, who failed one last.

    Where failures of before hold everything back, those held back are asked.
    """
    first = report.decision.recommended_provider
    if first is not None:
        failed = {probe.provider for probe in probed.probes if not probe.ok} if probed else set[str]()
        winner = probed.winner if probed else None
        order = (first, *report.decision.fallback_order)
        return sorted(order, key=lambda name: (name != winner, name in failed))
    return [
        verdict.name
        for verdict in report.providers
        if {refusal.code for refusal in verdict.refusals} == {"ejected"} and verdict.executable
    ]


def _too_late(provider: Provider, limit_s: float) -> ProviderUnavailable:
    return ProviderUnavailable(f"{provider.name} had no sandbox ready within {limit_s:g} s", provider=provider.name)


def _routing(report: Recommendation, name: str, attempts: Sequence[Attempt], probed: CanaryReport | None) -> Routing:
    """Keep the decision with what came of it; what was expected is that of the place it came to."""
    decision: Decision = report.decision
    estimates = next(verdict.estimates for verdict in report.providers if verdict.name == name)
    return Routing.model_validate(
        {
            **decision.model_dump(),
            "predicted_startup_ms": estimates.startup_ms.value if estimates else None,
            "uptime_percent": estimates.uptime_percent if estimates else None,
            "attempts": attempts,
            "canary": probed,
        }
    )


def _nothing_left(report: Recommendation, attempts: Sequence[Attempt]) -> NoComputeAvailable:
    tried = [f"{attempt.provider}: {attempt.reason}" for attempt in attempts]
    reasons = tried or [f"{one.name}: {one.lost_because}" for one in report.providers if one.executable]
    if absent := [one.name for one in report.providers if not one.executable]:
        reasons.append(f"not set up here: {', '.join(absent)} (`cerver providers` says what each needs)")
    error = _with_report(NoComputeAvailable(f"no compute can take this work: {'; '.join(reasons)}"), report)
    if attempts:
        error.detail["attempts"] = [attempt.model_dump(mode="json") for attempt in attempts]
    return error


def _with_report(error: NoComputeAvailable, report: Recommendation) -> NoComputeAvailable:
    error.detail.update(report.model_dump(mode="json"))
    return error
