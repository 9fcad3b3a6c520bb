"""Modal: modelled for comparison; no adapter yet."""

from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["MODAL"]

_BENCHMARK = Source(
    "github.com/computesdk/benchmarks, sequential run of 100: create until `node -v` answers",
    date(2026, 5, 5),
    "measured",
)
_PRICES = Source("reading of the vendor's sandbox rates by others", date(2026, 3, 16), "third_party")
_CODE = Source("modal 1.6.4, read", date(2026, 11, 22), "code")
_ROUNDED = Source("assumed: the smallest request that the vendor's client documents", date(2026, 11, 22), "ours")

MODAL = ComputeProfile(
    name="modal",
    title="Modal",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _CODE),
        package_install=Fact(value=True, unit="yes/no", source=_CODE),
        public_preview=Fact(value=True, unit="yes/no", source=_CODE),
        browser=Fact(value=False, unit="yes/no", source=_CODE),
        desktop=Fact(value=False, unit="yes/no", source=_CODE),
        gpu=Fact(("by request",), "list", _CODE),
        regions=Fact(("by request, at 1.25 to 2.5 times the price",), "list", _PRICES),
        persistence=Fact(("low",), "list", _CODE),
        pause=Fact(value=False, unit="yes/no", source=_CODE),
        snapshot=Fact(value=True, unit="yes/no", source=_CODE),
        fork=Fact(value=False, unit="yes/no", source=_CODE),
    ),
    times=Times(Fact(5.0, "minutes", _CODE), Fact(1440.0, "minutes", _CODE)),
    boots=Boots(Fact(1723.0, "ms", _BENCHMARK), Fact(2309.0, "ms", _BENCHMARK)),
    price=PriceModel(
        "max_of",
        Fact(0.071, "USD/vCPU-h", _PRICES),
        Fact(0.0242, "USD/GiB-h", _PRICES),
        reserved_vcpus=Fact(0.125, "vCPU", _ROUNDED),
    ),
    isolation=Fact("gVisor", "text", _CODE),
    credentials=(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"),),
    is_planned=True,
)
"""Billed by the larger of what was asked for and what was used."""
