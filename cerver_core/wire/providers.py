"""The catalog of providers on the wire: what is known of each, whether it works here, what was observed."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import JsonValue

from cerver_core.wire.model import Reply, UtcTime
from cerver_core.wire.routing import Estimates

__all__ = ["ProviderCatalog", "ProviderEntry", "ProviderStatus", "ShownFact"]

ProviderStatus = Literal["executable", "not_configured", "planned"]


class ShownFact(Reply):
    """One published figure with what it counts, the plan it holds for, who says so and since when.

    `stale`: it is more than 90 days old, and may have changed.
    """

    value: JsonValue
    unit: str
    plan: str = ""
    source: str
    evidence: str
    as_of: date
    stale: bool = False


class ProviderEntry(Reply):
    """One provider.

    `status` is `executable`, `not_configured`, or `planned` where there is no adapter yet. `missing` says what would
    make it executable; `credentials` are the alternatives, each a set of environment variables. `billing` is how it
    is paid: `free`, `active_cpu`, `allocated` or `max_of`; null when it is unknown. `facts` go by their names, such as
    `boots.startup_p50_ms`. `observed` is what is expected now, with our own observations; `ejected_until` is set while
    it rests after failures.
    """

    name: str
    title: str
    status: ProviderStatus
    executable: bool
    missing: str | None = None
    credentials: tuple[tuple[str, ...], ...] = ()
    billing: Literal["free", "active_cpu", "allocated", "max_of"] | None = None
    facts: Mapping[str, ShownFact] = {}
    stale_facts: int = 0
    notes: tuple[str, ...] = ()
    attempts: int = 0
    answered: int = 0
    uptime_percent: float | None = None
    observed: Estimates | None = None
    ejected_until: UtcTime | None = None


class ProviderCatalog(Reply):
    """All providers that Cerver knows, in the order in which they are shown."""

    providers: tuple[ProviderEntry, ...]
