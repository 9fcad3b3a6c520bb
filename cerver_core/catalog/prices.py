"""What a sandbox costs by the way its vendor bills it; which request is priced is said by the caller."""

from dataclasses import dataclass
from typing import Literal

from cerver_core.catalog.facts import Fact

__all__ = ["YARDSTICK", "PriceKind", "PriceModel", "Size", "cost_usd"]

PriceKind = Literal["free", "active_cpu", "allocated", "max_of"]
"""`active_cpu`: CPU only while it works, memory always. `allocated`: all that was set aside, always.

`max_of`: the larger of what was set aside and what was used. `free`: the machine is the user's own.
"""


@dataclass(frozen=True, slots=True)
class PriceModel:
    """The rates. `reserved_vcpus` is what `max_of` bills at least."""

    kind: PriceKind
    vcpu_usd_per_hour: Fact[float]
    memory_usd_per_gib_hour: Fact[float]
    creation_usd: Fact[float] | None = None
    reserved_vcpus: Fact[float] | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large a sandbox is priced."""

    vcpus: float
    memory_gib: float


YARDSTICK = Size(vcpus=1, memory_gib=2)
"""The size at which providers are compared: the smallest that all of them sell. Our choice."""


def cost_usd(price: PriceModel, *, hours: float, cpu_duty: float, size: Size = YARDSTICK) -> float:
    """Price one sandbox that lives `hours` and keeps its CPUs busy for `cpu_duty` (0 to 1) of that time."""
    vcpus = size.vcpus
    if price.kind == "active_cpu":
        vcpus *= cpu_duty
    elif price.kind == "max_of":
        reserved = 0.0 if price.reserved_vcpus is None else price.reserved_vcpus.value
        vcpus = max(reserved, vcpus * cpu_duty)
    running = vcpus * price.vcpu_usd_per_hour.value + size.memory_gib * price.memory_usd_per_gib_hour.value
    return running * hours + (price.creation_usd.value if price.creation_usd else 0.0)
