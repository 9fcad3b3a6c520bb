"""Rules of a routing policy: the first that holds decides; each community policy does what its description says."""

import pytest

from cerver_core.advisor.rules import Circumstances, route
from cerver_core.policies import SLUGS, community_policy
from cerver_core.wire.policies import RoutingPolicy

POLICY = RoutingPolicy.model_validate(
    {
        "name": "ours",
        "rules": [
            {"name": "long", "match": {"prompt_over_chars": 100}, "route": {"model": "big"}},
            {"name": "tagged", "match": {"metadata": {"tier": "gold"}, "turns_over": 2}, "route": {"harness": "codex"}},
            {"name": "placed", "match": {"metadata": {"where": "cloud"}}, "route": {"compute": "e2b"}},
        ],
        "default": {"model": "small", "harness": "claude"},
    }
)


@pytest.mark.parametrize(
    ("now", "rule", "led_to"),
    [
        (Circumstances(prompt_chars=101), "long", ("big", None, None)),
        (Circumstances(prompt_chars=100), "default", ("small", "claude", None)),
        (Circumstances({"tier": "gold"}, turns=3), "tagged", (None, "codex", None)),
        (Circumstances({"tier": "gold"}, turns=2), "default", ("small", "claude", None)),
        (Circumstances({"tier": "gold"}, prompt_chars=101, turns=3), "long", ("big", None, None)),
        (Circumstances({"where": "cloud"}), "placed", ("small", "claude", "e2b")),
    ],
)
def test_the_first_rule_that_holds_decides(
    now: Circumstances, rule: str, led_to: tuple[str | None, str | None, str | None]
) -> None:
    routed = route(POLICY, now)
    assert (routed.policy, routed.rule) == ("ours", rule)
    assert (routed.route.model, routed.route.harness, routed.route.compute) == led_to


def _led(slug: str, now: Circumstances) -> tuple[str | None, str | None]:
    chosen = route(community_policy(slug), now).route
    return chosen.model, chosen.harness


def test_the_frugal_coder_saves_the_strong_model_for_long_or_marked_work() -> None:
    assert _led("frugal-coder", Circumstances(prompt_chars=200)) == ("haiku", "claude")
    assert _led("frugal-coder", Circumstances(prompt_chars=8_001)) == ("opus", "claude")
    assert _led("frugal-coder", Circumstances({"importance": "high"})) == ("opus", "claude")
    compute = community_policy("frugal-coder").compute
    assert compute is not None
    assert compute.consume is not None
    assert compute.consume.order[0] == "local"


def test_escalate_on_struggle_climbs_with_the_turns() -> None:
    models = [_led("escalate-on-struggle", Circumstances(turns=turns))[0] for turns in (0, 6, 7, 16, 17)]
    assert models == ["haiku", "haiku", "sonnet", "sonnet", "opus"]


def test_the_second_opinion_comes_from_another_vendor() -> None:
    def reviewer(**metadata: str) -> str | None:
        return _led("second-opinion", Circumstances(metadata))[1]

    assert reviewer(role="review", written_by="claude") == "codex"
    assert reviewer(role="review", written_by="codex") == "claude"
    assert reviewer(role="review") == "codex"
    assert reviewer() == "claude"


@pytest.mark.parametrize("slug", SLUGS)
def test_each_community_policy_goes_by_its_file_and_says_what_it_does(slug: str) -> None:
    policy = community_policy(slug)
    assert policy.name == slug
    assert len(policy.description) > 40
