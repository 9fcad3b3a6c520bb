"""Routing policies on the wire: rules that pick model, harness and compute (wire contract §3.4)."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from cerver_core.wire.model import Name, Reply, Request

__all__ = [
    "CanarySetting",
    "CommunityPolicies",
    "CommunityPolicy",
    "ComputePolicy",
    "Consume",
    "Contribute",
    "Match",
    "PolicyReply",
    "PutPolicy",
    "Route",
    "RoutingPolicy",
    "Rule",
]

_Word = Annotated[Name, Field(min_length=1, max_length=200)]


class Match(Request):
    """When a rule holds: all of what it says, when the session is made and at each later input of the user.

    `metadata` keys have these values; the prompt has more than `prompt_over_chars` characters; the session has had
    more than `turns_over` turns. A match that says nothing always holds.
    """

    metadata: Mapping[str, JsonValue] = {}
    prompt_over_chars: Annotated[int, Field(ge=0)] | None = None
    turns_over: Annotated[int, Field(ge=0)] | None = None


class Route(Request):
    """Where a rule leads; what it leaves out stays open. `compute` names a provider or a compute id."""

    model: _Word | None = None
    harness: _Word | None = None
    compute: _Word | None = None


class Rule(Request):
    """One rule: its name, when it holds, where it leads."""

    name: _Word
    match: Match = Match()
    route: Route


class Consume(Request):
    """Which providers may be used (all, when empty), and which of them are asked first, in their order."""

    providers: tuple[_Word, ...] = ()
    order: tuple[_Word, ...] = ()


class Contribute(Request):
    """Whether machines of the account are lent to a pool. Kept as it is told, without effect; the reply notes it."""

    enabled: bool = False
    relays: tuple[_Word, ...] = ()
    shareable_when_possible: bool = False


class ComputePolicy(Request):
    """What the policy says of computes."""

    consume: Consume | None = None
    contribute: Contribute | None = None


class CanarySetting(Request):
    """Run a canary whenever the advice wishes for one, as long as it is not expected to cost more than `max_usd`."""

    enabled: bool = False
    max_usd: Annotated[float, Field(ge=0, le=10)] = 0.05


class RoutingPolicy(Request):
    """Rules in order: the first that holds decides, else `default`. What a caller chose explicitly beats them all."""

    name: _Word
    description: Annotated[str, Field(max_length=2_000)] = ""
    rules: Annotated[tuple[Rule, ...], Field(max_length=100)] = ()
    default: Route = Route()
    compute: ComputePolicy | None = None
    canary: CanarySetting | None = None


class PutPolicy(Request):
    """Set the policy; null clears it."""

    routing_policy: RoutingPolicy | None


class PolicyReply(Reply):
    """The policy in force at this level; null when there is none. `notes` say what of it has no effect here."""

    routing_policy: RoutingPolicy | None = None
    notes: tuple[str, ...] = ()


class CommunityPolicy(Reply):
    """A policy to start from."""

    slug: str
    routing_policy: RoutingPolicy


class CommunityPolicies(Reply):
    """The policies that come with Cerver."""

    policies: tuple[CommunityPolicy, ...]
