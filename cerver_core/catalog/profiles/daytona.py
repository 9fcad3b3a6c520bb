"""Daytona."""

from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["DAYTONA"]

_BENCHMARK = Source(
    "github.com/computesdk/benchmarks, sequential run of 100: create until `node -v` answers",
    date(2026, 5, 5),
    "measured",
)
_PRICES = Source("reading of the vendor's prices by others", date(2026, 5, 25), "third_party")
_DOCS = Source("daytona.io/docs: sandboxes, limits, persistence", date(2026, 6, 1), "vendor")
_CODE = Source("daytona 0.226.1, read", date(2026, 11, 22), "code")

DAYTONA = ComputeProfile(
    name="daytona",
    title="Daytona",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _DOCS),
        package_install=Fact(value=True, unit="yes/no", source=_DOCS, plan="tier 3 and up; restricted egress below"),
        public_preview=Fact(value=True, unit="yes/no", source=_DOCS),
        browser=Fact(value=False, unit="yes/no", source=_CODE),
        desktop=Fact(value=False, unit="yes/no", source=_CODE),
        gpu=Fact(("H100", "H200", "B200", "B300", "RTX-PRO-6000", "4090", "5090", "MI355X"), "list", _CODE),
        regions=Fact(("us", "eu"), "list", _DOCS),
        persistence=Fact(("low", "medium", "high"), "list", _DOCS),
        pause=Fact(value=True, unit="yes/no", source=_DOCS),
        snapshot=Fact(value=True, unit="yes/no", source=_DOCS, plan="VM class"),
        fork=Fact(value=True, unit="yes/no", source=_DOCS, plan="VM class"),
    ),
    times=Times(Fact(15.0, "minutes idle", _DOCS), Fact(None, "minutes", _DOCS)),
    boots=Boots(Fact(186.0, "ms", _BENCHMARK), Fact(492.0, "ms", _BENCHMARK)),
    price=PriceModel("allocated", Fact(0.0504, "USD/vCPU-h", _PRICES), Fact(0.0162, "USD/GiB-h", _PRICES)),
    isolation=Fact("OCI container, or a VM by class", "text", _DOCS),
    credentials=(("DAYTONA_API_KEY",), ("DAYTONA_JWT_TOKEN", "DAYTONA_ORGANIZATION_ID")),
    notes=("its own computer-use desktop is not offered through Cerver",),
)
"""Billed by what is allocated."""
