"""Routing on the wire: how to choose a place, and the report that says why (wire contract §3.4)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from cerver_core.wire.computes import Requirements
from cerver_core.wire.model import Name, Reply, Request, UtcTime

__all__ = [
    "Attempt",
    "CanaryProbe",
    "CanaryReport",
    "Confidence",
    "Decision",
    "Estimate",
    "Estimates",
    "HumanSummary",
    "Mode",
    "Policy",
    "ProviderVerdict",
    "RecommendRequest",
    "Recommendation",
    "Refusal",
    "RefusalCode",
    "Repo",
    "Routing",
]

Mode = Literal["balanced", "fastest", "cheapest", "resilient", "pinned"]
Confidence = Literal["high", "medium", "low"]
RefusalCode = Literal[
    "not_allowed",
    "not_executable",
    "runtime",
    "package_install",
    "public_preview",
    "browser",
    "desktop",
    "persistence",
    "timeout",
    "startup",
    "cost",
    "cost_unknown",
    "ejected",
]
"""Why a provider is out, for a program."""


class Policy(Request):
    """How to choose among the places that meet the requirements.

    `max_startup_ms` holds against the expected time until the first answer; `max_cost_usd` against what the work costs
    if it takes the whole of its time limit. Providers in `order` are asked before all others, in that order.
    """

    mode: Mode = "balanced"
    pinned_provider: Annotated[Name, Field(max_length=64)] | None = None
    allowed_providers: tuple[Name, ...] | None = None
    max_startup_ms: Annotated[float, Field(gt=0)] | None = None
    max_cost_usd: Annotated[float, Field(ge=0)] | None = None
    order: tuple[Name, ...] = ()


class Repo(Request):
    """What is known of the repository the work is about."""

    name: str | None = None
    framework: str | None = None
    languages: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


class RecommendRequest(Request):
    """Ask for advice without opening a session.

    `canary` really runs the declared probe on the two best places first, and charges it. `cpu_duty` is the share of
    the time (0 to 1) in which the work keeps a CPU busy; left out, it is taken from the workload.
    """

    task: str = ""
    workload: Annotated[Name, Field(max_length=64)] = "general"
    repo: Repo | None = None
    requirements: Requirements = Requirements()
    policy: Policy = Policy()
    metadata: Mapping[str, JsonValue] = {}
    canary: bool = False
    cpu_duty: Annotated[float, Field(ge=0, le=1)] | None = None


class Refusal(Reply):
    """One hard filter that a provider did not pass; `until` is when an ejected one is tried again."""

    code: RefusalCode
    message: str
    until: UtcTime | None = None


class Estimate(Reply):
    """One expected figure with its 90 % interval.

    `n` counts our own observations behind it; `n_effective` is what they weigh after forgetting. `source` is `profile`
    while there are none. `stale`: the profile's figure behind it is more than 90 days old.
    """

    value: float
    low: float
    high: float
    unit: str
    n: int = 0
    n_effective: float = 0
    source: Literal["profile", "account"] = "profile"
    stale: bool = False


class Estimates(Reply):
    """What is expected of a provider: the median time until it answers, the share of starts that fail, the cost.

    `uptime_percent` is the share of our own attempts that were answered; null before the first.
    """

    startup_ms: Estimate
    failure_rate: Estimate
    cost_usd: Estimate | None = None
    uptime_percent: float | None = None


class ProviderVerdict(Reply):
    """What the advisor thinks of one provider: `viable`, or `filtered` with the reasons.

    `score` is between 0 and 1; `score_parts` are the points of loss behind it, by name: score = 1 / (1 + their sum).
    `p_best` is the probability that it is the best of those that can take the work. `lost_because` says, for each but
    the recommended one, what decided against it. `missing` says what would make it executable.
    """

    name: str
    status: Literal["viable", "filtered"]
    score: float | None = None
    estimated_cost_usd: float | None = None
    executable: bool = False
    reasons: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    score_parts: Mapping[str, float] = {}
    p_best: float | None = None
    estimates: Estimates | None = None
    lost_because: str | None = None
    half_open: bool = False
    missing: str | None = None


class Decision(Reply):
    """The choice and its reasons. `recommended_provider` is null when nothing survived the filters."""

    recommended_provider: str | None
    confidence: Confidence
    primary_reason: str
    secondary_reasons: tuple[str, ...] = ()
    fallback_order: tuple[str, ...] = ()
    canary_run: bool = False
    canary_because: str | None = None
    p_best: float | None = None
    predicted_startup_ms: float | None = None
    uptime_percent: float | None = None


class HumanSummary(Reply):
    """The same for a person: one headline and what to do next."""

    headline: str
    next_action: str


class CanaryProbe(Reply):
    """One real run of the declared probe. `startup_ms`: from asking until the sandbox answered its first command.

    `probe_ms` is the probe alone; `cost_usd` is charged (null when the provider's price is unknown).
    """

    provider: str
    ok: bool
    startup_ms: float | None = None
    probe_ms: float | None = None
    version: str | None = None
    cost_usd: float | None = None
    reason: str | None = None


class CanaryReport(Reply):
    """What a canary came to: the probe as it ran, in the order it ran, and what it cost altogether.

    `winner` is null when neither answered.
    """

    probe: str
    probes: tuple[CanaryProbe, ...]
    winner: str | None = None
    cost_usd: float | None = None
    skipped: str | None = None


class Recommendation(Reply):
    """The report."""

    request_id: str
    task: str
    workload: str
    providers: tuple[ProviderVerdict, ...]
    decision: Decision
    human_summary: HumanSummary
    canary: CanaryReport | None = None


class Attempt(Reply):
    """One try to make a sandbox: when it began, how long it took, and why it failed if it did."""

    provider: str
    started_at: UtcTime
    took_ms: float
    ok: bool
    reason: str | None = None


class Routing(Decision):
    """What a session keeps of the report it was created with, and what came of it.

    `attempts` are the tries in their order; the last one made the sandbox.
    """

    attempts: tuple[Attempt, ...] = ()
    canary: CanaryReport | None = None
