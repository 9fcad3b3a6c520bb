"""Stress tests on the wire: providers compared by one kind of work, from estimates or by really running it."""

from typing import Annotated, Literal

from pydantic import Field

from cerver_core.wire.computes import Requirements
from cerver_core.wire.model import CamelReply, Name, Reply, Request
from cerver_core.wire.routing import Policy

__all__ = ["StressAdvice", "StressKind", "StressMode", "StressReport", "StressRequest", "StressSamples"]

StressKind = Literal["cold_start", "stream_response", "package_install", "preview_launch", "long_session"]
StressMode = Literal["simulated", "live"]


class StressRequest(Request):
    """Compare providers.

    `simulated` compares the estimates and runs nothing; `live` really runs the work, `sample_size` times on each
    provider in random order, and stops before it is expected to cost more than `max_cost_usd`. `providers` left empty
    means all that can take the work. `seed` makes the order repeatable.
    """

    kind: StressKind = "cold_start"
    mode: StressMode = "simulated"
    task: str = ""
    workload: Annotated[Name, Field(max_length=64)] = "general"
    requirements: Requirements = Requirements()
    policy: Policy = Policy()
    providers: tuple[Name, ...] = ()
    sample_size: Annotated[int, Field(ge=1, le=100)] = 5
    max_cost_usd: Annotated[float, Field(ge=0, le=100)] = 0.25
    seed: int = 0


class StressSamples(CamelReply):
    """What was measured of one provider at one temperature: `cold` a fresh sandbox, `warm` one that ran before.

    `median_ms` comes with the 90 % interval of the median. `samples_ms` are the times as they came; what failed is
    counted in `failed` and told in `reasons`. Of a simulated test they are the estimate and its interval, `n` is
    0. `cost_usd` is what the samples cost; null when the price is unknown.
    """

    provider: str
    temperature: Literal["cold", "warm"]
    n: int
    failed: int = 0
    median_ms: float | None = None
    low_ms: float | None = None
    high_ms: float | None = None
    samples_ms: tuple[float, ...] = ()
    cost_usd: float | None = None
    reasons: tuple[str, ...] = ()


class StressAdvice(Reply):
    """What to make of it: a headline, guidance, and a policy to go on with."""

    headline: str
    guidance: str
    next_policy: Policy


class StressReport(CamelReply):
    """The result. `winner` is null for a tie: the interval of the difference covers zero. `simulated` says so."""

    test_id: str
    kind: StressKind
    mode: StressMode
    simulated: bool
    workload: str
    sample_size: int
    winner: str | None
    tie: bool = False
    summary: str
    report: StressAdvice
    results: tuple[StressSamples, ...] = ()
    difference_ms: float | None = None
    difference_low_ms: float | None = None
    difference_high_ms: float | None = None
    more_samples_needed: int | None = None
    cost_usd: float | None = None
    stopped_because: str | None = None
