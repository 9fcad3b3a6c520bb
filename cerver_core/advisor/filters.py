"""The hard filters: reasons why a provider cannot do the work at all."""

from collections.abc import Iterator
from dataclasses import dataclass

from cerver_core.catalog.computes import ComputeProfile
from cerver_core.wire.computes import Requirements
from cerver_core.wire.routing import Policy

__all__ = ["Candidate", "estimated_cost_usd", "refusals"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that could be asked: its profile, and what stands in the way of running on it now, if anything."""

    profile: ComputeProfile
    not_executable_because: str | None = None

    @property
    def is_executable(self) -> bool:
        """Tell whether work can really run there now."""
        return self.not_executable_because is None


def estimated_cost_usd(profile: ComputeProfile, needs: Requirements) -> float:
    """Estimate what the work costs if it takes the whole of its time limit."""
    return profile.usd_per_hour.value * needs.timeout_minutes / 60


def refusals(candidate: Candidate, needs: Requirements, policy: Policy, *, require_executable: bool) -> list[str]:
    """Say why this provider is out, one sentence each; none when it is in."""
    reasons = list(_lacks(candidate.profile, needs))
    reasons.extend(_against_policy(candidate.profile, needs, policy))
    if require_executable and candidate.not_executable_because is not None:
        reasons.append(f"it cannot run work here now: {candidate.not_executable_because}")
    return reasons


def _lacks(profile: ComputeProfile, needs: Requirements) -> Iterator[str]:
    if needs.runtime not in profile.runtimes:
        yield f"it has no {needs.runtime} runtime"
    for name in ("package_install", "public_preview", "browser", "desktop"):
        if getattr(needs, name) and not getattr(profile, name):
            yield f"it does not offer {name}"
    if needs.persistence_level not in profile.persistence:
        yield f"it does not offer persistence level {needs.persistence_level}"
    if needs.timeout_minutes > profile.max_timeout_minutes:
        yield f"its longest execution is {profile.max_timeout_minutes} minutes, {needs.timeout_minutes} are asked"


def _against_policy(profile: ComputeProfile, needs: Requirements, policy: Policy) -> Iterator[str]:
    if policy.allowed_providers is not None and profile.name not in policy.allowed_providers:
        yield f"allowed_providers does not list it (it lists: {', '.join(policy.allowed_providers) or 'none'})"
    if policy.max_startup_ms is not None and profile.startup_ms.value > policy.max_startup_ms:
        yield f"it is expected to start in {profile.startup_ms.value:g} ms; max_startup_ms is {policy.max_startup_ms:g}"
    cost_usd = estimated_cost_usd(profile, needs)
    if policy.max_cost_usd is not None and cost_usd > policy.max_cost_usd:
        yield f"it would cost up to {cost_usd:.4f} USD; max_cost_usd is {policy.max_cost_usd:g}"
