"""E2B, and hosts that speak its wire."""

from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["E2B"]

_BENCHMARK = Source(
    "github.com/computesdk/benchmarks, sequential run of 100: create until `node -v` answers",
    date(2026, 5, 5),
    "measured",
)
_PRICES = Source("e2b.dev/docs/faq/calculate-sandbox-price (undated; the same in March)", date(2026, 3, 16), "vendor")
_LIMITS = Source("reading of e2b.dev/pricing by others; the client's own words agree", date(2026, 5, 25), "third_party")
_CODE = Source("e2b 2.63.0, read", date(2026, 11, 22), "code")

E2B = ComputeProfile(
    name="e2b",
    title="E2B",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _CODE),
        package_install=Fact(value=True, unit="yes/no", source=_CODE),
        public_preview=Fact(value=True, unit="yes/no", source=_CODE),
        browser=Fact(value=False, unit="yes/no", source=_CODE),
        desktop=Fact(value=False, unit="yes/no", source=_CODE),
        gpu=Fact((), "list", _CODE),
        regions=Fact(("by team",), "list", _CODE),
        persistence=Fact(("low", "medium", "high"), "list", _CODE),
        pause=Fact(value=True, unit="yes/no", source=_CODE),
        snapshot=Fact(value=True, unit="yes/no", source=_CODE),
        fork=Fact(value=True, unit="yes/no", source=_CODE),
    ),
    times=Times(Fact(5.0, "minutes", _CODE), Fact(1440.0, "minutes", _LIMITS, "Pro")),
    boots=Boots(Fact(491.0, "ms", _BENCHMARK), Fact(685.0, "ms", _BENCHMARK)),
    price=PriceModel("allocated", Fact(0.0504, "USD/vCPU-h", _PRICES), Fact(0.0162, "USD/GiB-h", _PRICES)),
    isolation=Fact("Firecracker microVM", "text", _CODE),
    credentials=(("E2B_API_KEY",),),
    notes=(
        "on the Hobby plan a sandbox lives 60 minutes at most",
        "a desktop needs its own template (e2b-desktop)",
        "E2B_API_URL and E2B_SANDBOX_URL lead to compatible hosts, whose prices are their own",
    ),
)
"""Billed by what is allocated; a paused sandbox costs nothing."""
