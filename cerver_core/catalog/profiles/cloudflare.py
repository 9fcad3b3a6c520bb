"""Cloudflare Sandbox, through the official bridge Worker in the user's own account."""

from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["CLOUDFLARE"]

_BENCHMARK = Source(
    "github.com/computesdk/benchmarks, sequential run of 100: create until `node -v` answers",
    date(2026, 5, 5),
    "measured",
)
_PRICES = Source(
    "reading of the vendor's container rates by others; the same in cloudflare-docs pricing.mdx",
    date(2026, 8, 3),
    "third_party",
)
_LIMITS = Source("reading of the vendor's limits by others", date(2026, 8, 4), "third_party")
_CODE = Source("@cloudflare/sandbox 0.12.10 with its bridge, read", date(2026, 11, 22), "code")

CLOUDFLARE = ComputeProfile(
    name="cloudflare",
    title="Cloudflare Sandbox",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _CODE),
        package_install=Fact(value=True, unit="yes/no", source=_CODE),
        public_preview=Fact(value=True, unit="yes/no", source=_CODE),
        browser=Fact(value=False, unit="yes/no", source=_CODE),
        desktop=Fact(value=False, unit="yes/no", source=_CODE),
        gpu=Fact((), "list", _LIMITS),
        regions=Fact(("global, the nearest free instance",), "list", _CODE),
        persistence=Fact(("low",), "list", _CODE),
        pause=Fact(value=True, unit="yes/no", source=_CODE),
        snapshot=Fact(value=False, unit="yes/no", source=_CODE),
        fork=Fact(value=False, unit="yes/no", source=_CODE),
    ),
    times=Times(Fact(10.0, "minutes idle", _CODE), Fact(None, "minutes", _CODE)),
    boots=Boots(Fact(2056.0, "ms", _BENCHMARK), Fact(2969.0, "ms", _BENCHMARK)),
    price=PriceModel(
        "active_cpu",
        Fact(0.072, "USD/vCPU-h active", _PRICES, "Workers Paid"),
        Fact(0.009, "USD/GiB-h", _PRICES, "Workers Paid"),
    ),
    isolation=Fact("one virtual machine per container", "text", _LIMITS),
    credentials=(("CLOUDFLARE_SANDBOX_URL", "SANDBOX_API_KEY"),),
    booting="on_first_use",
    notes=(
        "the bridge Worker is deployed in your own account; the plan costs 5 USD a month",
        "the disk is lost when the container sleeps",
        "previews go through a tunnel without server-sent events",
    ),
)
"""Billed by active CPU; the container starts with the first command."""
