"""Vercel Sandbox."""

from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["VERCEL"]

_BENCHMARK = Source(
    "github.com/computesdk/benchmarks, sequential run of 100: create until `node -v` answers",
    date(2026, 5, 5),
    "measured",
)
_PRICES = Source("vercel.com/docs/vercel-sandbox/pricing", date(2025, 11, 26), "vendor")
_README = Source("README of vercel-sandbox 0.10.0", date(2026, 8, 21), "vendor")
_LIMITS = Source("vercel.com knowledge base, sandbox limits", date(2026, 9, 28), "vendor")
_REGIONS = Source("vercel.com/docs/vercel-sandbox and its changelog", date(2026, 9, 22), "vendor")
_CODE = Source("vercel-sandbox 0.10.0, read", date(2026, 11, 22), "code")

VERCEL = ComputeProfile(
    name="vercel",
    title="Vercel Sandbox",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _README),
        package_install=Fact(value=True, unit="yes/no", source=_README),
        public_preview=Fact(value=True, unit="yes/no", source=_README),
        browser=Fact(value=False, unit="yes/no", source=_README),
        desktop=Fact(value=False, unit="yes/no", source=_README),
        gpu=Fact((), "list", _README),
        regions=Fact(("iad1", "three more by plan"), "list", _REGIONS),
        persistence=Fact(("low", "medium", "high"), "list", _CODE),
        pause=Fact(value=True, unit="yes/no", source=_CODE),
        snapshot=Fact(value=True, unit="yes/no", source=_CODE),
        fork=Fact(value=True, unit="yes/no", source=_CODE),
    ),
    times=Times(Fact(5.0, "minutes", _README), Fact(1440.0, "minutes", _LIMITS, "Pro and Enterprise")),
    boots=Boots(Fact(671.0, "ms", _BENCHMARK), Fact(1062.0, "ms", _BENCHMARK)),
    price=PriceModel(
        "active_cpu",
        Fact(0.128, "USD/vCPU-h active", _PRICES),
        Fact(0.0212, "USD/GB-h provisioned", _PRICES),
        creation_usd=Fact(0.60 / 1_000_000, "USD/creation", _PRICES),
    ),
    isolation=Fact("Firecracker microVM", "text", _README),
    credentials=(("VERCEL_TOKEN", "VERCEL_TEAM_ID", "VERCEL_PROJECT_ID"), ("VERCEL_OIDC_TOKEN",)),
    notes=("on the Hobby plan a sandbox lives 45 minutes at most", "ports are declared when the sandbox is made"),
)
"""Billed by active CPU: cheap where the work waits."""
