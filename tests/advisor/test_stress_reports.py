"""What a stress test concludes from its samples."""

from cerver_core.advisor.published import published_advice, published_stress
from cerver_core.advisor.simulated import simulate
from cerver_core.advisor.stress import Sampled, report
from cerver_core.wire.routing import Estimate, ProviderVerdict, Recommendation, RecommendRequest
from cerver_core.wire.stress import StressReport, StressRequest


def concluded(*sampled: Sampled, samples: int = 8) -> StressReport:
    request = StressRequest(mode="live", sample_size=samples)
    return report(request, sampled, test_id="test_1")


FAST = Sampled("e2b", [400, 410, 420, 390, 405, 415, 400, 395], [5, 6, 5], cost_usd=0.001)
SLOW = Sampled("vercel", [900, 880, 930, 905, 915, 890, 900, 910], [9, 9, 9], cost_usd=0.002)
NEAR = Sampled("daytona", [380, 430, 395, 440, 370, 425, 410, 400])


def test_a_clear_difference_has_a_winner_and_a_policy_to_go_on_with() -> None:
    found = concluded(SLOW, FAST)
    assert (found.winner, found.tie, found.simulated) == ("e2b", False, False)
    assert found.difference_low_ms is not None
    assert 450 < found.difference_low_ms < 520
    assert found.report.next_policy.pinned_provider == "e2b"
    assert found.cost_usd == 0.003


def test_an_interval_that_covers_zero_is_a_tie_and_says_what_it_would_take() -> None:
    found = concluded(FAST, NEAR)
    assert (found.winner, found.tie) == (None, True)
    assert found.summary.startswith("A tie between")


def test_too_few_samples_are_always_a_tie() -> None:
    found = concluded(Sampled("e2b", [100]), Sampled("vercel", [9_000]), samples=1)
    assert (found.winner, found.tie, found.more_samples_needed) == (None, True, 2)


def test_cold_and_warm_stand_apart_with_n_and_intervals() -> None:
    rows = [(row.provider, row.temperature, row.n) for row in concluded(FAST, SLOW).results]
    assert rows == [("e2b", "cold", 8), ("e2b", "warm", 3), ("vercel", "cold", 8), ("vercel", "warm", 3)]
    cold = concluded(FAST, SLOW).results[0]
    assert cold.low_ms is not None
    assert cold.high_ms is not None
    assert cold.low_ms <= (cold.median_ms or 0) <= cold.high_ms


def test_what_failed_is_counted_and_told() -> None:
    found = concluded(FAST, Sampled("vercel", reasons=("down", "down")))
    assert found.winner == "e2b"
    failed = found.results[-1]
    assert (failed.provider, failed.n, failed.failed, failed.reasons) == ("vercel", 0, 2, ("down",))


def test_nothing_that_answered_is_an_answer() -> None:
    found = concluded(Sampled("e2b", reasons=("down",)))
    assert (found.winner, found.summary) == (None, "No provider answered.")


def test_the_wire_has_camel_case_ids_as_older_clients_read_them() -> None:
    body = concluded(FAST, SLOW).model_dump(mode="json", by_alias=True)
    assert {"testId", "kind", "workload", "sampleSize", "winner", "summary", "report"} <= set(body)
    assert set(body["report"]) == {"headline", "guidance", "next_policy"}


def published(**fields: object) -> StressReport:
    return published_stress(StressRequest.model_validate(fields), test_id="test_1", now_us=1_780_000_000_000_000)


def test_published_figures_that_overlap_are_a_tie_with_their_own_intervals() -> None:
    found = published(kind="cold_start", providers=["e2b", "vercel"])
    assert (found.winner, found.tie, found.report.next_policy.pinned_provider) == (None, True, None)
    assert "from estimates, nothing was run" in found.summary
    for row in found.results:
        assert (row.n, row.samples_ms) == (0, ())
        assert (row.high_ms or 0) > 3 * (row.low_ms or 0)


def test_a_simulated_test_wins_only_beyond_what_the_estimates_leave_open() -> None:
    def advice(times: float) -> Recommendation:
        base = published_advice(RecommendRequest(), request_id="r", now_us=1_780_000_000_000_000)
        by_name = {one.name: one for one in base.providers if one.estimates is not None}
        verdicts: list[ProviderVerdict] = []
        for name, value in (("e2b", 100.0), ("vercel", 1_000.0)):
            startup = Estimate(value=value, low=value / times, high=value * times, unit="ms")
            estimates = by_name[name].estimates
            assert estimates is not None
            estimates = estimates.model_copy(update={"startup_ms": startup})
            verdicts.append(by_name[name].model_copy(update={"estimates": estimates}))
        return base.model_copy(update={"providers": tuple(verdicts)})

    certain = simulate(StressRequest(), advice(1.5), test_id="t")
    unsure = simulate(StressRequest(), advice(8.0), test_id="t")
    assert (certain.winner, certain.report.next_policy.pinned_provider) == ("e2b", "e2b")
    assert certain.summary.startswith("e2b (about 100 ms; 67 ms to 150 ms) is expected to win")
    assert (unsure.winner, unsure.tie) == (None, True)
