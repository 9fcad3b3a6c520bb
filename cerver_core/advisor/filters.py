"""The hard filters: reasons why a provider cannot do the work at all, each for a program and for a person."""

from collections.abc import Iterator

from cerver_core.advisor.candidate import Candidate
from cerver_core.advisor.estimates import Expected
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.clock import from_us
from cerver_core.wire.computes import Requirements
from cerver_core.wire.routing import Policy, Refusal

__all__ = ["refusals"]


def refusals(
    candidate: Candidate,
    expected: Expected,
    needs: Requirements,
    policy: Policy,
    *,
    now_us: int,
    require_executable: bool,
) -> list[Refusal]:
    """Say why this provider is out; nothing when it is in."""
    found = list(_lacks(candidate.profile, needs))
    found.extend(_against_policy(candidate.profile, expected, policy))
    if require_executable and candidate.not_executable_because is not None:
        said = f"it cannot run work here now: {candidate.not_executable_because}"
        found.append(Refusal(code="not_executable", message=said))
    history = expected.history
    if history.ejected_until_us is not None and history.is_ejected(now_us):
        until = from_us(history.ejected_until_us)
        said = f"it failed {history.consecutive} times in a row and is tried again at {until:%H:%M:%S} UTC"
        found.append(Refusal(code="ejected", message=said, until=until))
    return found


def _lacks(profile: ComputeProfile, needs: Requirements) -> Iterator[Refusal]:
    offers = profile.offers
    if needs.runtime not in offers.runtimes.value:
        yield Refusal(code="runtime", message=f"it has no {needs.runtime} runtime")
    if needs.package_install and not offers.package_install.value:
        yield Refusal(code="package_install", message="it cannot install packages")
    if needs.public_preview and not offers.public_preview.value:
        yield Refusal(code="public_preview", message="it offers no public preview of a port")
    if needs.browser and not offers.browser.value:
        yield Refusal(code="browser", message="it offers no browser")
    if needs.desktop and not offers.desktop.value:
        yield Refusal(code="desktop", message="it offers no desktop")
    asks_to_persist = "persistence_level" in needs.model_fields_set
    if asks_to_persist and needs.persistence_level not in offers.persistence.value:
        said = f"it does not keep files at persistence level {needs.persistence_level}"
        yield Refusal(code="persistence", message=said)
    longest = profile.times.max_timeout_minutes.value
    if longest is not None and needs.timeout_minutes > longest:
        said = f"its longest execution is {longest:g} minutes, {needs.timeout_minutes} are asked"
        yield Refusal(code="timeout", message=said)


def _against_policy(profile: ComputeProfile, expected: Expected, policy: Policy) -> Iterator[Refusal]:
    if policy.allowed_providers is not None and profile.name not in policy.allowed_providers:
        listed = ", ".join(policy.allowed_providers) or "none"
        yield Refusal(code="not_allowed", message=f"allowed_providers does not list it (it lists: {listed})")
    if policy.max_startup_ms is not None and expected.startup.median_ms > policy.max_startup_ms:
        said = f"it is expected to start in {expected.startup.median_ms:.0f} ms; "
        yield Refusal(code="startup", message=f"{said}max_startup_ms is {policy.max_startup_ms:g}")
    if policy.max_cost_usd is None:
        return
    if expected.spending is None:
        yield Refusal(code="cost_unknown", message="what it costs is not known, and max_cost_usd is set")
    elif expected.spending.limit > policy.max_cost_usd:
        said = f"it would cost up to {expected.spending.limit:.4f} USD; max_cost_usd is {policy.max_cost_usd:g}"
        yield Refusal(code="cost", message=said)
