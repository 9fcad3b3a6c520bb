"""Profiles beside the catalog's, of providers of others; and what it takes to use one that is not configured."""

from datetime import date

from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times
from cerver_core.providers.base import Pausable, Provider
from cerver_core.wire.computes import Compute, Runtime

__all__ = ["absent_profile", "how_to", "profile_of"]

_UNKNOWN = Source("nothing is published; assumed until it was seen here", date(2026, 11, 22), "ours")
_RUNTIMES: tuple[Runtime, ...] = ("shell", "python", "node")


async def profile_of(provider: Provider) -> ComputeProfile:
    """Give the catalog's profile of a provider, or make one from what the provider says of itself."""
    known = PROFILES.get(provider.name)
    if known is not None:
        return known
    return _profile(await provider.describe(), can_pause=isinstance(provider, Pausable))


def absent_profile(name: str) -> ComputeProfile:
    """Make the profile of a provider that is named in the settings and cannot be asked."""
    return _profile(Compute(compute_id=f"provider_{name}", label=name, provider=name), can_pause=False)


def _profile(said: Compute, *, can_pause: bool) -> ComputeProfile:
    source = Source(f"what the provider {said.provider} says of itself", date(2026, 11, 22), "vendor")
    found: tuple[Runtime, ...] = tuple(runtime.name for runtime in said.runtimes if runtime.missing is None)

    def offers(name: str) -> Fact[bool]:
        return Fact(value=said.capabilities.get(name) is True, unit="yes/no", source=source)

    return ComputeProfile(
        name=said.provider,
        title=said.label or said.provider,
        offers=Offers(
            runtimes=Fact(found or _RUNTIMES, "list", source),
            package_install=offers("package_install"),
            public_preview=offers("public_preview"),
            browser=offers("browser"),
            desktop=offers("desktop"),
            gpu=Fact((), "list", source),
            regions=Fact((), "list", source),
            persistence=Fact(
                ("low", "medium", "high") if said.capabilities.get("persistence") else ("low",), "list", source
            ),
            pause=Fact(value=can_pause, unit="yes/no", source=source),
            snapshot=offers("snapshot"),
            fork=offers("fork"),
        ),
        times=Times(Fact(None, "minutes", _UNKNOWN), Fact(None, "minutes", _UNKNOWN)),
        boots=Boots(Fact(1_000.0, "ms", _UNKNOWN), Fact(10_000.0, "ms", _UNKNOWN)),
        price=None,
        isolation=Fact("unknown", "text", _UNKNOWN),
    )


def how_to(profile: ComputeProfile, *, is_own: bool = False, is_shared: bool = True) -> str:
    """Say in a few words what would make a provider usable here.

    `is_own`: by an account's own credentials; `is_shared`: by the variables of this process.
    """
    if profile.is_planned:
        return f"There is no adapter for {profile.title} yet: it is shown for comparison"
    if profile.name == "cerver_local_provider":
        return "Run the relay on the machine, signed in to the gateway that you use"
    if not profile.credentials:
        return f"To use {profile.title}, start the gateway on it with --local-compute"
    ways = ", or ".join(" and ".join(group) for group in profile.credentials)
    own = f"give its {ways.lower()} with POST /v2/account/providers"
    if is_own:
        both = f"set {ways} where Cerver runs, or " if is_shared else ""
        return f"To use {profile.title}, {both}{own}"
    return f"To use {profile.title}, set {ways} where Cerver runs"
