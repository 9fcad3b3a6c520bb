"""One profile per provider: what it offers, how fast it starts and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cerver_core.wire.computes import PersistenceLevel, Runtime

__all__ = ["PROFILES", "ComputeProfile", "Fact"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure, where it comes from and when it was true."""

    value: float
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class ComputeProfile:
    """What is known of a provider before it was ever used here.

    `startup_ms` is the median time until a fresh sandbox answers its first command; `usd_per_hour` the price of one
    running sandbox of the smallest size. `max_timeout_minutes` bounds one execution.
    """

    name: str
    title: str
    runtimes: frozenset[Runtime]
    package_install: bool
    public_preview: bool
    browser: bool
    desktop: bool
    persistence: frozenset[PersistenceLevel]
    max_timeout_minutes: int
    startup_ms: Fact
    usd_per_hour: Fact


PROFILES: Mapping[str, ComputeProfile] = {
    "local": ComputeProfile(
        name="local",
        title="this machine",
        runtimes=frozenset({"shell", "python", "node"}),
        package_install=True,
        public_preview=False,
        browser=False,
        desktop=False,
        persistence=frozenset({"low", "medium", "high"}),
        max_timeout_minutes=24 * 60,
        startup_ms=Fact(20, "our measurement: resident bubblewrap sandbox, Linux x86-64, median", date(2026, 11, 22)),
        usd_per_hour=Fact(0, "the machine is the user's own", date(2026, 11, 22)),
    ),
}
"""By provider name. Providers without a profile cannot be recommended."""
