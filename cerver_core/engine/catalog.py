"""Profiles beside the catalog's, of providers of others; and what it takes to use one that is not configured."""

from datetime import date

from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times
from cerver_core.providers.base import Pausable, Provider
from cerver_core.wire.computes import Runtime

__all__ = ["how_to", "profile_of"]

_UNKNOWN = Source("nothing is published; assumed until it was seen here", date(2026, 11, 22), "ours")
_RUNTIMES: tuple[Runtime, ...] = ("shell", "python", "node")


async def profile_of(provider: Provider) -> ComputeProfile:
    """Give the catalog's profile of a provider, or make one from what the provider says of itself."""
    known = PROFILES.get(provider.name)
    if known is not None:
        return known
    said = await provider.describe()
    source = Source(f"what the provider {provider.name} says of itself", date(2026, 11, 22), "vendor")
    found: tuple[Runtime, ...] = tuple(runtime.name for runtime in said.runtimes if runtime.missing is None)

    def offers(name: str) -> Fact[bool]:
        return Fact(value=said.capabilities.get(name) is True, unit="yes/no", source=source)

    return ComputeProfile(
        name=provider.name,
        title=said.label or provider.name,
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
            pause=Fact(value=isinstance(provider, Pausable), unit="yes/no", source=source),
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
    ways = ", or ".join(" and ".join(group) for group in profile.credentials)
    own = f"give its {ways.lower()} with POST /v2/account/providers"
    if is_own:
        both = f"set {ways} where Cerver runs, or " if is_shared else ""
        return f"To use {profile.title}, {both}{own}"
    return f"To use {profile.title}, set {ways} where Cerver runs"
