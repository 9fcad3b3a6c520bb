"""One figure with its unit, plan, source and date; what a reader may conclude from it is left to others."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Generic, Literal, TypeVar

__all__ = ["STALE_AFTER_DAYS", "Evidence", "Fact", "Source", "facts_of"]

STALE_AFTER_DAYS = 90
"""Prices and limits of clouds have changed within months of being written down; older figures are shown as stale."""

Evidence = Literal["vendor", "measured", "third_party", "code", "ours"]
"""Who says so: the vendor's pages, a public measurement, someone else, the vendor's published code, or ourselves."""

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure was read, and on which day it was true there."""

    text: str
    as_of: date
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Fact(Generic[T_co]):
    """One figure. `unit` names what the value counts (`ms`, `USD/vCPU-h`, `minutes`, `yes/no`, `list`).

    `plan` names the vendor's plan that it holds for; empty means every plan.
    """

    value: T_co
    unit: str
    source: Source
    plan: str = ""

    def is_stale(self, today: date) -> bool:
        """Tell whether it is more than 90 days old on that day."""
        return (today - self.source.as_of).days > STALE_AFTER_DAYS


def facts_of(holder: object, prefix: str = "") -> Iterator[tuple[str, Fact[object]]]:
    """Go through the facts that a dataclass holds, its inner dataclasses included, as (name, fact)."""
    if not is_dataclass(holder):
        return
    for field in fields(holder):
        value: object = getattr(holder, field.name)
        if isinstance(value, Fact):
            yield prefix + field.name, value
        elif is_dataclass(value):
            yield from facts_of(value, f"{prefix}{field.name}.")
