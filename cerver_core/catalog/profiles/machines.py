"""Machines of the user's own: this one, one behind a relay, and a server that speaks the provider surface."""

from dataclasses import replace
from datetime import date

from cerver_core.catalog.facts import Fact, Source
from cerver_core.catalog.prices import PriceModel
from cerver_core.catalog.profile import Boots, ComputeProfile, Offers, Times

__all__ = ["LOCAL", "P69", "RELAY"]

_CODE = Source("our own provider", date(2026, 11, 22), "ours")
_MEASURED = Source("our measurement: resident bubblewrap sandbox on Linux x86-64", date(2026, 11, 22), "measured")
_GUESS = Source("our estimate; the network in between decides, and is learned", date(2026, 11, 22), "ours")
_OWN = Source("the machine is the user's own", date(2026, 11, 22), "ours")

_FREE = PriceModel("free", Fact(0.0, "USD/vCPU-h", _OWN), Fact(0.0, "USD/GiB-h", _OWN))

LOCAL = ComputeProfile(
    name="local",
    title="this machine",
    offers=Offers(
        runtimes=Fact(("shell", "python", "node"), "list", _CODE),
        package_install=Fact(value=True, unit="yes/no", source=_CODE),
        public_preview=Fact(value=False, unit="yes/no", source=_CODE),
        browser=Fact(value=False, unit="yes/no", source=_CODE),
        desktop=Fact(value=False, unit="yes/no", source=_CODE),
        gpu=Fact((), "list", _CODE),
        regions=Fact(("here",), "list", _CODE),
        persistence=Fact(("low", "medium", "high"), "list", _CODE),
        pause=Fact(value=True, unit="yes/no", source=_CODE),
        snapshot=Fact(value=False, unit="yes/no", source=_CODE),
        fork=Fact(value=False, unit="yes/no", source=_CODE),
    ),
    times=Times(Fact(20.0, "minutes", _CODE), Fact(1440.0, "minutes", _CODE)),
    boots=Boots(Fact(20.0, "ms", _MEASURED), Fact(40.0, "ms", _GUESS)),
    price=_FREE,
    isolation=Fact("bubblewrap, Landlock or plain processes, as the machine allows", "text", _CODE),
)
"""This machine."""

RELAY = replace(
    LOCAL,
    name="cerver_local_provider",
    title="a machine of yours behind a relay",
    boots=Boots(Fact(300.0, "ms", _GUESS), Fact(2000.0, "ms", _GUESS)),
    notes=("attach one by running the relay on the machine; it needs no credential of a cloud",),
)
"""A machine that keeps one socket open to a gateway."""

P69 = replace(
    LOCAL,
    name="p69",
    title="a server of yours at P69_BASE_URL",
    boots=Boots(Fact(100.0, "ms", _GUESS), Fact(1000.0, "ms", _GUESS)),
    credentials=(("P69_BASE_URL",),),
)
"""A server that speaks the provider surface over HTTP (wire contract §3.3)."""
