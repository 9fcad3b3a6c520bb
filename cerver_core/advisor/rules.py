"""Which rule of a routing policy holds, and where it leads; the first that holds decides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from cerver_core.wire.policies import Match, Route, RoutingPolicy

__all__ = ["Circumstances", "Routed", "notes", "route"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a rule may look at: the metadata, the length of the prompt in characters, the turns so far."""

    metadata: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    prompt_chars: int = 0
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a policy leads, and the name of the rule that said so (`default` when none held)."""

    policy: str
    rule: str
    route: Route


def route(policy: RoutingPolicy, now: Circumstances) -> Routed:
    """Choose by a policy. What the rule leaves out is taken from the policy's default."""
    for rule in policy.rules:
        if _holds(rule.match, now):
            return Routed(policy.name, rule.name, _completed(rule.route, policy.default))
    return Routed(policy.name, "default", policy.default)


def notes(policy: RoutingPolicy) -> Iterator[str]:
    """Say what of a policy is kept and has no effect here."""
    for rule in policy.rules:
        if rule.match.turns_over is not None and rule.route.compute is not None:
            yield (
                f"rule {rule.name!r}: its compute has no effect, since it holds only after some turns, and a session "
                "moves only when it is told to (POST .../compute); its model and harness take effect at the turn"
            )
    contribute = policy.compute.contribute if policy.compute else None
    if contribute is not None and (contribute.enabled or contribute.relays or contribute.shareable_when_possible):
        yield "compute.contribute is kept and has no effect: there is no pool here to lend machines to"


def _holds(match: Match, now: Circumstances) -> bool:
    if any(key not in now.metadata or now.metadata[key] != value for key, value in match.metadata.items()):
        return False
    if match.prompt_over_chars is not None and now.prompt_chars <= match.prompt_over_chars:
        return False
    return match.turns_over is None or now.turns > match.turns_over


def _completed(chosen: Route, default: Route) -> Route:
    """A model belongs to a harness: where the rule names one of the two, the other is not taken from the default."""
    if chosen.model is not None or chosen.harness is not None:
        return chosen.model_copy(update={"compute": chosen.compute or default.compute})
    return default.model_copy(update={"compute": chosen.compute or default.compute})
