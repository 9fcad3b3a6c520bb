"""Routing on the wire: how to choose a place, and the report that says why (wire contract §3.4)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from cerver_core.wire.computes import Requirements
from cerver_core.wire.model import Name, Reply, Request

__all__ = [
    "Decision",
    "HumanSummary",
    "Policy",
    "ProviderVerdict",
    "RecommendRequest",
    "Recommendation",
    "Repo",
    "Routing",
]

Mode = Literal["balanced", "fastest", "cheapest", "resilient", "pinned"]
Confidence = Literal["high", "medium", "low"]


class Policy(Request):
    """How to choose among the places that meet the requirements."""

    mode: Mode = "balanced"
    pinned_provider: Annotated[Name, Field(max_length=64)] | None = None
    allowed_providers: tuple[Name, ...] | None = None
    max_startup_ms: Annotated[float, Field(gt=0)] | None = None
    max_cost_usd: Annotated[float, Field(ge=0)] | None = None


class Repo(Request):
    """What is known of the repository the work is about."""

    name: str | None = None
    framework: str | None = None
    languages: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


class RecommendRequest(Request):
    """Ask for advice without opening a session."""

    task: str = ""
    workload: Annotated[Name, Field(max_length=64)] = "general"
    repo: Repo | None = None
    requirements: Requirements = Requirements()
    policy: Policy = Policy()
    metadata: Mapping[str, JsonValue] = {}


class ProviderVerdict(Reply):
    """What the advisor thinks of one provider: `viable`, or `filtered` with the reasons."""

    name: str
    status: Literal["viable", "filtered"]
    score: float | None = None
    estimated_cost_usd: float | None = None
    executable: bool = False
    reasons: tuple[str, ...] = ()


class Decision(Reply):
    """The choice and its reasons. `recommended_provider` is null when nothing survived the filters."""

    recommended_provider: str | None
    confidence: Confidence
    primary_reason: str
    secondary_reasons: tuple[str, ...] = ()
    fallback_order: tuple[str, ...] = ()
    canary_run: bool = False


class HumanSummary(Reply):
    """The same for a person: one headline and what to do next."""

    headline: str
    next_action: str


class Recommendation(Reply):
    """The report."""

    request_id: str
    task: str
    workload: str
    providers: tuple[ProviderVerdict, ...]
    decision: Decision
    human_summary: HumanSummary


Routing = Decision
"""What a session keeps of the report it was created with."""
