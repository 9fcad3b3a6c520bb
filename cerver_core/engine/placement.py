"""The only place that creates sandboxes: advice, then provision, then the next in the fallback order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from cerver_core.advisor import Candidate, recommend
from cerver_core.catalog.computes import PROFILES
from cerver_core.errors import ComputeNotFound, InvalidInput, NoComputeAvailable, ProviderUnavailable
from cerver_core.providers.base import Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import ComputeChoice
from cerver_core.wire.routing import Decision, Recommendation, RecommendRequest

__all__ = ["Place", "Placement"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session came to stand, and the decision that put it there."""

    provider: Provider
    sandbox: SandboxRef
    decision: Decision


class Placement:
    """Chooses a provider and makes sandboxes on it."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    def advise(self, request: RecommendRequest, *, require_executable: bool = False) -> Recommendation:
        """Recommend among the providers that have a profile."""
        candidates = [Candidate(profile, self._obstacle(name)) for name, profile in PROFILES.items()]
        return recommend(
            request, candidates, request_id=f"req_{uuid4().hex[:16]}", require_executable=require_executable
        )

    def _obstacle(self, name: str) -> str | None:
        return None if name in self._providers else f"provider {name} is not configured here"

    async def place(self, session_id: str, request: RecommendRequest, choice: ComputeChoice | None) -> Place:
        """Make a sandbox for a session.

        Raises:
            NoComputeAvailable: nothing executable is left; `detail` is the report, with what each attempt came to.
            ComputeNotFound: the chosen compute or provider does not exist.
            IsolationUnavailable, RuntimeMissing: the compute cannot do what the requirements ask.
        """
        report = self.advise(await self._narrowed(request, choice), require_executable=True)
        decision = report.decision
        attempts: list[str] = []
        for name in _in_order(decision):
            provider = self._providers[name]
            try:
                sandbox = await provider.create(SandboxRequest(session_id, request.requirements))
            except ProviderUnavailable as error:
                attempts.append(f"{name}: {error.message}")
                continue
            used = decision.model_copy(update={"secondary_reasons": (*decision.secondary_reasons, *attempts)})
            return Place(provider, sandbox, used)
        raise _nothing_left(report, attempts)

    async def _narrowed(self, request: RecommendRequest, choice: ComputeChoice | None) -> RecommendRequest:
        name = None if choice is None else await self.choose(choice)
        if name is None:
            return request
        pinned = {"mode": "pinned", "pinned_provider": name, "allowed_providers": (name,)}
        return request.model_copy(update={"policy": request.policy.model_copy(update=pinned)})

    async def choose(self, choice: ComputeChoice) -> str | None:
        """Find the provider that a choice names; null when it names none.

        Raises:
            ComputeNotFound: the chosen compute or provider does not exist.
        """
        if choice.provider is None and choice.compute_id is None:
            return None
        if choice.provider is not None and choice.compute_id is not None:
            raise InvalidInput("compute takes a provider or a compute_id, not both")
        if choice.provider is not None:
            return self._known(choice.provider)
        compute_id = str(choice.compute_id)
        if compute_id.startswith("provider_"):
            return self._known(compute_id.removeprefix("provider_"))
        for name, provider in self._providers.items():
            if (await provider.describe()).compute_id == compute_id:
                return name
        raise ComputeNotFound(f"there is no compute {compute_id}; list the computes to see those there are")

    def _known(self, name: str) -> str:
        if name not in self._providers:
            there = ", ".join(self._providers) or "none"
            raise ComputeNotFound(f"there is no provider {name} here; configured: {there}", provider=name)
        return name


def _in_order(decision: Decision) -> Sequence[str]:
    first = decision.recommended_provider
    return () if first is None else (first, *decision.fallback_order)


def _nothing_left(report: Recommendation, attempts: Sequence[str]) -> NoComputeAvailable:
    reasons = "; ".join(attempts) or "; ".join(report.decision.secondary_reasons)
    error = NoComputeAvailable(f"no compute can take this work: {reasons}")
    error.detail.update(report.model_dump(mode="json"))
    if attempts:
        error.detail["attempts"] = list(attempts)
    return error
