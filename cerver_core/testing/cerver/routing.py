"""The routing part of the suite: advice, the catalog, stress tests, policies."""

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import NoComputeAvailable
from cerver_core.testing.cerver.road import Road
from cerver_core.wire.policies import PutPolicy
from cerver_core.wire.routing import Policy, RecommendRequest
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.stress import StressRequest

__all__ = ["RoutingContract"]

_POLICY = {
    "name": "suite",
    "rules": [
        {"name": "long", "match": {"prompt_over_chars": 10}, "route": {"model": "big", "harness": "codex"}},
        {"name": "tagged", "match": {"metadata": {"tier": "gold"}}, "route": {"harness": "grok"}},
    ],
    "default": {"model": "small", "harness": "claude"},
    "compute": {"consume": {"providers": ["local"], "order": ["local"]}},
}


class RoutingContract(Road):
    """Where work should run, on a road whose one compute is this machine."""

    async def test_the_advice_explains_every_provider(self, cerver: Cerver) -> None:
        report = await cerver.routing.recommend(RecommendRequest(task="run the tests"))
        assert report.decision.recommended_provider == "local"
        assert report.providers[0].name == "local"
        assert report.providers[0].lost_because is None
        assert report.decision.confidence in {"medium", "high"}
        others = report.providers[1:]
        assert len(others) >= 7
        assert all(one.lost_because for one in others)
        for one in report.providers:
            assert one.estimates is not None
            assert one.estimates.startup_ms.low <= one.estimates.startup_ms.value <= one.estimates.startup_ms.high

    async def test_a_canary_needs_two_places(self, cerver: Cerver) -> None:
        report = await cerver.routing.recommend(RecommendRequest(canary=True))
        assert report.canary is not None
        assert report.canary.skipped == "fewer than two places can run work here now"

    async def test_the_catalog_says_what_works_what_is_missing_and_what_was_seen(self, cerver: Cerver) -> None:
        before = {entry.name: entry for entry in (await cerver.routing.providers()).providers}
        assert before["local"].status == "executable"
        assert (before["local"].missing, before["local"].uptime_percent) == (None, None)
        assert before["modal"].status == "planned"
        assert before["e2b"].credentials == (("E2B_API_KEY",),)
        assert before["e2b"].executable is False
        assert "E2B_API_KEY" in (before["e2b"].missing or "")
        fact = before["vercel"].facts["price.vcpu_usd_per_hour"]
        assert (fact.value, fact.unit, fact.evidence) == (0.128, "USD/vCPU-h active", "vendor")
        await cerver.sessions.create(CreateSession())
        after = {entry.name: entry for entry in (await cerver.routing.providers()).providers}
        assert (after["local"].attempts, after["local"].uptime_percent) == (1, 100.0)

    async def test_a_session_keeps_its_decision_and_its_attempts(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession())
        record = await cerver.sessions.get(made.session_id)
        assert record.routing is not None
        assert [(attempt.provider, attempt.ok) for attempt in record.routing.attempts] == [("local", True)]
        assert record.metrics.predicted_startup_ms == record.routing.predicted_startup_ms

    async def test_a_policy_is_kept_until_null_clears_it(self, cerver: Cerver) -> None:
        assert (await cerver.routing.policy()).routing_policy is None
        put = PutPolicy.model_validate({"routing_policy": _POLICY})
        assert (await cerver.routing.put_policy(put)).routing_policy == put.routing_policy
        assert (await cerver.routing.policy()).routing_policy == put.routing_policy
        assert (await cerver.routing.put_policy(PutPolicy(routing_policy=None))).routing_policy is None
        assert (await cerver.routing.policy()).routing_policy is None

    async def test_the_policy_fills_in_what_a_caller_leaves_open(self, cerver: Cerver) -> None:
        await cerver.routing.put_policy(PutPolicy.model_validate({"routing_policy": _POLICY}))
        short = await cerver.sessions.create(CreateSession(task="short"))
        long = await cerver.sessions.create(CreateSession(task="quite a long task"))
        tagged = await cerver.sessions.create(CreateSession(metadata={"tier": "gold"}))
        chosen = await cerver.sessions.create(CreateSession(task="quite a long task", harness="claude"))
        assert [made.harness for made in (short, long, tagged, chosen)] == ["claude", "codex", "grok", "claude"]
        assert (await cerver.sessions.get(short.session_id)).metadata["cli_model"] == "small"
        assert "cli_model" not in (await cerver.sessions.get(chosen.session_id)).metadata

    async def test_community_policies_can_be_set_as_they_are(self, cerver: Cerver) -> None:
        found = (await cerver.routing.community_policies()).policies
        assert [one.slug for one in found] == ["frugal-coder", "escalate-on-struggle", "second-opinion"]
        for one in found:
            put = PutPolicy(routing_policy=one.routing_policy)
            assert (await cerver.routing.put_policy(put)).routing_policy == one.routing_policy

    async def test_a_simulated_stress_test_is_as_unsure_as_the_estimates_whatever_the_seed(
        self, cerver: Cerver
    ) -> None:
        advice = await cerver.routing.recommend(RecommendRequest())
        known = {one.name: one.estimates.startup_ms for one in advice.providers if one.estimates is not None}
        request = StressRequest(providers=("e2b", "cloudflare"), sample_size=6, seed=3)
        first = await cerver.routing.stress_test(request)
        second = await cerver.routing.stress_test(request.model_copy(update={"seed": 4}))
        assert (first.simulated, first.winner, first.tie) == (True, None, True)
        for row in first.results:
            estimate = known[row.provider]
            assert (row.n, row.low_ms, row.high_ms) == (0, round(estimate.low, 3), round(estimate.high, 3))
        assert "nothing was run" in first.summary
        assert {row.provider for row in first.results} == {"e2b", "cloudflare"}
        assert first.results == second.results
        assert first.cost_usd is None

    async def test_a_live_stress_test_runs_and_is_learnt_from(self, cerver: Cerver) -> None:
        report = await cerver.routing.stress_test(StressRequest(mode="live", kind="long_session", sample_size=2))
        assert (report.simulated, report.winner, report.cost_usd) == (False, "local", 0.0)
        assert [(row.temperature, row.n, row.failed) for row in report.results] == [("cold", 2, 0), ("warm", 2, 0)]
        entries = (await cerver.routing.providers()).providers
        assert next(one for one in entries if one.name == "local").attempts == 2

    async def test_a_live_stress_test_of_places_that_cannot_run_is_a_conflict(self, cerver: Cerver) -> None:
        with pytest.raises(NoComputeAvailable):
            await cerver.routing.stress_test(StressRequest(mode="live", providers=("modal",)))
        with pytest.raises(NoComputeAvailable):
            await cerver.routing.stress_test(StressRequest(mode="live", policy=Policy(allowed_providers=())))
