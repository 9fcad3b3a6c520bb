"""The form of a provider's profile: what it offers, how fast it starts, what it costs and what it takes to use it."""

from dataclasses import dataclass
from typing import Literal

from cerver_core.catalog.facts import Fact
from cerver_core.catalog.prices import PriceModel
from cerver_core.wire.computes import PersistenceLevel, Runtime

__all__ = ["Booting", "Boots", "ComputeProfile", "Offers", "Times"]

Booting = Literal["on_create", "on_first_use"]


@dataclass(frozen=True, slots=True)
class Offers:
    """What work can find there."""

    runtimes: Fact[tuple[Runtime, ...]]
    package_install: Fact[bool]
    public_preview: Fact[bool]
    browser: Fact[bool]
    desktop: Fact[bool]
    gpu: Fact[tuple[str, ...]]
    regions: Fact[tuple[str, ...]]
    persistence: Fact[tuple[PersistenceLevel, ...]]
    pause: Fact[bool]
    snapshot: Fact[bool]
    fork: Fact[bool]


@dataclass(frozen=True, slots=True)
class Times:
    """Limits of a sandbox's life in minutes; a maximum of null means that none is known."""

    default_timeout_minutes: Fact[float | None]
    max_timeout_minutes: Fact[float | None]


@dataclass(frozen=True, slots=True)
class Boots:
    """The time from asking for a sandbox until its first command is answered, in milliseconds."""

    startup_p50_ms: Fact[float]
    startup_p95_ms: Fact[float]


@dataclass(frozen=True, slots=True)
class ComputeProfile:
    """What is known of a provider before it was ever used here.

    `credentials` are alternatives: any one set of environment variables makes it usable; an empty tuple means that
    none is needed. `is_planned`: it is modelled, and no adapter for it exists yet. `booting` says whether a sandbox
    has started when it was created, or only starts with its first command. `notes` say what a user should know.
    """

    name: str
    title: str
    offers: Offers
    times: Times
    boots: Boots
    price: PriceModel | None
    isolation: Fact[str]
    credentials: tuple[tuple[str, ...], ...] = ()
    booting: Booting = "on_create"
    is_planned: bool = False
    notes: tuple[str, ...] = ()

    @property
    def needs_no_credential(self) -> bool:
        """Tell whether it works without one."""
        return not self.credentials
