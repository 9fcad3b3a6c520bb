"""Really runs the declared probe on providers: boots a sandbox, echoes a word, asks the runtime for its version."""

import random
from collections.abc import Mapping, Sequence

import anyio

from cerver_core.advisor import Observation
from cerver_core.catalog.prices import cost_usd
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.clock import Clock
from cerver_core.engine.booting import BOOT_LIMIT_S, boot
from cerver_core.engine.catalog import profile_of
from cerver_core.engine.context import Context
from cerver_core.engine.observations import Observations
from cerver_core.engine.reachable import Reachable
from cerver_core.errors import CerverError, ProviderUnavailable
from cerver_core.ids import new_session_id
from cerver_core.providers.base import Command, Exited, Output, Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import Requirements, Runtime
from cerver_core.wire.routing import CanaryProbe, CanaryReport, Recommendation

__all__ = ["PROBE", "Canary", "price_of", "run_probe"]

PROBE = "boot a sandbox, echo a word, ask the runtime for its version, destroy it"
"""What a canary runs: nothing of the user's, so that it may run twice."""

_VERSION: Mapping[Runtime, str] = {
    "shell": "uname -sm",
    "python": "python3 --version",
    "node": "node --version",
}
_COMMAND_LIMIT_S = 30.0
_CLEAN_UP_LIMIT_S = 20
_WORD = "cerver-canary"


class Canary:
    """Runs the probe on the two best places of a report, and lets the advisor learn from it."""

    def __init__(self, context: Context, observations: Observations) -> None:
        self._context = context
        self._observations = observations

    async def run(self, report: Recommendation, needs: Requirements, *, max_usd: float, seed: int) -> CanaryReport:
        """Run it on both, in random order, unless half a minute of each is expected to cost more than the limit."""
        names = [verdict.name for verdict in report.providers if verdict.status == "viable" and verdict.executable][:2]
        if len(names) < 2:
            return CanaryReport(probe=PROBE, probes=(), skipped="fewer than two places can run work here now")
        reachable = Reachable(self._context)
        providers = [await reachable.named(name) for name in names]
        profiles = [await profile_of(provider) for provider in providers]
        expected = [price_of(profile, minutes=0.5) for profile in profiles]
        known = [usd for usd in expected if usd is not None]
        if sum(known) > max_usd:
            said = f"it would cost about {sum(known):.4f} USD; the limit is {max_usd:g}"
            return CanaryReport(probe=PROBE, probes=(), skipped=said)
        turns = list(zip(providers, profiles, strict=True))
        random.Random(seed).shuffle(turns)  # noqa: S311 - an order, not a secret
        probes = [await self._one(provider, profile, needs) for provider, profile in turns]
        return CanaryReport(probe=PROBE, probes=tuple(probes), winner=_winner(probes), cost_usd=_sum(probes))

    async def _one(self, provider: Provider, profile: ComputeProfile, needs: Requirements) -> CanaryProbe:
        probe, seen = await run_probe(self._context.clock, provider, profile, needs)
        if seen is not None:
            await self._observations.add(profile, seen)
        return probe


async def run_probe(
    clock: Clock, provider: Provider, profile: ComputeProfile, needs: Requirements
) -> tuple[CanaryProbe, Observation | None]:
    """Run the probe once on one provider; the sandbox is gone afterwards, whatever happened.

    The observation is null where the provider works and only lacks what is asked.
    """
    started_s = clock.monotonic()
    sandbox: SandboxRef | None = None
    try:
        with anyio.fail_after(BOOT_LIMIT_S):
            sandbox = await boot(provider, SandboxRequest(new_session_id(), needs))
            await _said(provider, sandbox, f"echo {_WORD}", "shell")
        startup_ms = (clock.monotonic() - started_s) * 1_000
        version = await _said(provider, sandbox, _VERSION[needs.runtime], "shell")
    except (CerverError, TimeoutError) as error:
        took_ms = (clock.monotonic() - started_s) * 1_000
        is_timeout = isinstance(error, TimeoutError) and not isinstance(error, CerverError)
        is_down = is_timeout or isinstance(error, ProviderUnavailable)
        reason = error.message if isinstance(error, CerverError) else f"no answer within {BOOT_LIMIT_S:g} s"
        seen = Observation(ok=False, startup_ms=took_ms, is_timeout=is_timeout) if is_down else None
        return CanaryProbe(provider=provider.name, ok=False, reason=reason), seen
    finally:
        if sandbox is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
                await provider.destroy(sandbox)
    took_ms = (clock.monotonic() - started_s) * 1_000
    cost = price_of(profile, minutes=took_ms / 60_000)
    probe = CanaryProbe(
        provider=provider.name,
        ok=True,
        startup_ms=round(startup_ms, 3),
        probe_ms=round(took_ms - startup_ms, 3),
        version=version.strip()[:200],
        cost_usd=None if cost is None else round(cost, 8),
    )
    return probe, Observation(ok=True, startup_ms=startup_ms)


def price_of(profile: ComputeProfile, *, minutes: float) -> float | None:
    """Price some minutes of a busy sandbox of the usual size; null when the price is unknown."""
    return None if profile.price is None else cost_usd(profile.price, hours=minutes / 60, cpu_duty=1.0)


async def _said(provider: Provider, sandbox: SandboxRef, code: str, runtime: Runtime) -> str:
    said = b""
    async with provider.exec(sandbox, Command(code, runtime, _COMMAND_LIMIT_S)) as events:
        async for event in events:
            if isinstance(event, Output):
                said += event.data[:4_096]
            if isinstance(event, Exited) and event.exit_code != 0:
                raise ProviderUnavailable(f"{provider.name} ended `{code}` with {event.exit_code}")
    return said.decode("utf-8", "replace")


def _winner(probes: Sequence[CanaryProbe]) -> str | None:
    answered = [probe for probe in probes if probe.ok]
    return min(answered, key=lambda probe: probe.startup_ms or 0.0).provider if answered else None


def _sum(probes: Sequence[CanaryProbe]) -> float | None:
    costs = [probe.cost_usd for probe in probes if probe.cost_usd is not None]
    return round(sum(costs), 8) if costs else None
