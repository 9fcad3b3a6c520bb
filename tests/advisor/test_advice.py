"""The advice: what is filtered and why, what wins in each mode, how sure it is, and that it is the same every time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from cerver_core.advisor import Candidate, History, Observation, Question, recommend
from cerver_core.advisor.estimates import learn
from cerver_core.catalog.computes import PROFILES
from cerver_core.wire.computes import Requirements
from cerver_core.wire.routing import Policy, ProviderVerdict, Recommendation, RecommendRequest

NOW_US = 1_795_000_000 * 1_000_000
TODAY = date(2026, 11, 18)
CLOUDS = ("vercel", "e2b", "cloudflare", "daytona")


def seen(name: str, *observations: Observation, step_s: float = 1.0) -> History:
    """Let a provider be seen, the last time now."""
    history = None
    for number, observation in enumerate(observations):
        now_us = NOW_US - round((len(observations) - 1 - number) * step_s * 1_000_000)
        history = learn(PROFILES[name], history, observation, now_us=now_us, today=TODAY)
    return history or History()


def times(*startups_ms: float) -> tuple[Observation, ...]:
    return tuple(Observation(ok=True, startup_ms=value) for value in startups_ms)


def advice(
    request: RecommendRequest | None = None,
    *,
    names: tuple[str, ...] = CLOUDS,
    histories: Mapping[str, History] | None = None,
    missing: tuple[str, ...] = (),
    now_us: int = NOW_US,
    require: bool = False,
) -> Recommendation:
    candidates = [
        Candidate(PROFILES[name], "it is not configured" if name in missing else None, (histories or {}).get(name))
        for name in names
    ]
    question = Question(request or RecommendRequest(), "req_1", now_us, require_executable=require)
    return recommend(question, candidates)


def verdict(report: Recommendation, name: str) -> ProviderVerdict:
    return next(one for one in report.providers if one.name == name)


def asks(mode: str = "balanced", **policy: object) -> RecommendRequest:
    return RecommendRequest(policy=Policy.model_validate({"mode": mode, **policy}))


def needs(**requirements: object) -> RecommendRequest:
    return RecommendRequest(requirements=Requirements.model_validate(requirements))


@pytest.mark.parametrize(
    ("name", "request_", "code", "said"),
    [
        ("local", needs(public_preview=True), "public_preview", "public preview"),
        ("e2b", needs(browser=True), "browser", "browser"),
        ("e2b", needs(desktop=True), "desktop", "desktop"),
        ("cloudflare", needs(persistence_level="high"), "persistence", "level high"),
        ("e2b", asks(allowed_providers=("vercel",)), "not_allowed", "it lists: vercel"),
        ("cloudflare", asks(max_startup_ms=1_000), "startup", "2056 ms"),
        ("vercel", asks(max_cost_usd=0.01), "cost", "max_cost_usd is 0.01"),
    ],
)
def test_each_hard_filter_has_a_code_and_a_sentence(
    name: str, request_: RecommendRequest, code: str, said: str
) -> None:
    found = verdict(advice(request_, names=(name,)), name)
    assert (found.status, found.score) == ("filtered", None)
    assert [refusal.code for refusal in found.refusals] == [code]
    assert said in found.reasons[0]
    assert found.lost_because == found.reasons[0]


def test_runtime_packages_time_and_price_can_be_lacking_too() -> None:
    vercel = PROFILES["vercel"]
    offers = replace(
        vercel.offers,
        runtimes=replace(vercel.offers.runtimes, value=("shell",)),
        package_install=replace(vercel.offers.package_install, value=False),
    )
    times_ = replace(vercel.times, max_timeout_minutes=replace(vercel.times.max_timeout_minutes, value=30.0))
    poor = Candidate(replace(vercel, offers=offers, times=times_, price=None))
    request = RecommendRequest(
        requirements=Requirements(runtime="node", package_install=True, timeout_minutes=31),
        policy=Policy(max_cost_usd=1),
    )
    report = recommend(Question(request, "req_1", NOW_US), [poor])
    codes = [refusal.code for refusal in report.providers[0].refusals]
    assert codes == ["runtime", "package_install", "timeout", "cost_unknown"]
    assert report.providers[0].estimated_cost_usd is None


def test_what_is_not_configured_is_out_only_where_it_must_run() -> None:
    must = advice(names=("e2b",), missing=("e2b",), require=True)
    assert [refusal.code for refusal in must.providers[0].refusals] == ["not_executable"]
    assert must.decision.recommended_provider is None
    may = advice(missing=("daytona", "vercel", "cloudflare"))
    assert may.decision.recommended_provider == "e2b"
    assert verdict(may, "daytona").lost_because == "it is not configured"


@pytest.mark.parametrize(
    ("request_", "first"),
    [
        (asks("balanced"), "daytona"),
        (asks("fastest"), "daytona"),
        (asks("cheapest"), "cloudflare"),
        (asks("resilient"), "daytona"),
        (asks("pinned", pinned_provider="vercel"), "vercel"),
        (asks("pinned", pinned_provider="cloudflare", max_startup_ms=1_000), "daytona"),
        (asks("balanced", order=("vercel", "e2b")), "vercel"),
    ],
)
def test_the_mode_decides_what_counts(request_: RecommendRequest, first: str) -> None:
    decision = advice(request_).decision
    assert decision.recommended_provider == first
    assert set(decision.fallback_order) <= set(CLOUDS) - {first}


def test_the_score_is_made_of_its_parts() -> None:
    for found in advice(asks("resilient")).providers:
        assert found.score == pytest.approx(1 / (1 + sum(found.score_parts.values())), abs=2e-4)
        assert set(found.score_parts) == {"startup", "cost", "failure", "fit"}


def test_each_loser_is_told_what_decided() -> None:
    report = advice(asks("fastest"))
    assert verdict(report, "daytona").lost_because is None
    assert verdict(report, "cloudflare").lost_because == "it starts in about 2.1 s, against 186 ms"
    assert "Daytona scores best for mode fastest" in report.decision.primary_reason


def test_the_same_question_has_the_same_answer() -> None:
    histories = {name: seen(name, *times(300, 400, 500)) for name in CLOUDS}
    assert advice(histories=histories).model_dump_json() == advice(histories=histories).model_dump_json()


def test_own_observations_overrule_the_published_figures() -> None:
    histories = {"daytona": seen("daytona", *times(*[5_000] * 8)), "e2b": seen("e2b", *times(*[300] * 8))}
    report = advice(asks("fastest"), histories=histories)
    assert report.decision.recommended_provider == "e2b"
    estimates = verdict(report, "e2b").estimates
    assert estimates is not None
    startup = estimates.startup_ms
    assert (startup.n, startup.source, startup.unit) == (8, "account", "ms")
    assert startup.value == pytest.approx(300, rel=0.05)
    assert startup.low < startup.value < startup.high


def test_confidence_is_never_high_without_own_data() -> None:
    alone = advice(names=("e2b",))
    assert (alone.decision.p_best, alone.decision.confidence) == (1.0, "medium")
    known = advice(names=("e2b",), histories={"e2b": seen("e2b", *times(500))})
    assert known.decision.confidence == "high"


def test_two_equal_places_leave_it_open_and_want_a_canary() -> None:
    histories = {"e2b": seen("e2b", *times(*[400, 420] * 10)), "daytona": seen("daytona", *times(*[400, 420] * 10))}
    decision = advice(names=("e2b", "daytona"), histories=histories).decision
    assert decision.p_best == pytest.approx(0.5, abs=0.1)
    assert (decision.confidence, decision.canary_run) == ("low", True)


@pytest.mark.parametrize(
    ("request_", "names", "wanted"),
    [
        (asks("resilient"), CLOUDS, True),
        (asks("resilient"), ("e2b",), False),
        (RecommendRequest(workload="long_running"), CLOUDS, True),
        (asks("fastest"), ("daytona", "cloudflare"), False),
    ],
)
def test_a_canary_is_wished_for_where_it_could_matter(
    request_: RecommendRequest, names: tuple[str, ...], wanted: bool
) -> None:
    decision = advice(request_, names=names).decision
    assert decision.canary_run is wanted
    assert (decision.canary_because is not None) is wanted


def test_a_timeout_counts_as_longer_than_its_limit_not_as_nothing() -> None:
    limit = Observation(ok=False, startup_ms=10_000, is_timeout=True)
    with_timeout = seen("e2b", *times(500, 500), limit).startup
    without = seen("e2b", *times(500, 500)).startup
    assert with_timeout.weight > without.weight
    assert with_timeout.mean > without.mean + 0.9


def test_what_was_seen_long_ago_weighs_less() -> None:
    history = seen("e2b", *times(*[2_000] * 20))
    week_us = 7 * 24 * 3_600 * 1_000_000
    assert history.at(NOW_US + week_us).startup.weight == pytest.approx(history.startup.weight / 2)
    fresh = advice(names=("e2b",), histories={"e2b": history})
    stale = advice(names=("e2b",), histories={"e2b": history}, now_us=NOW_US + 12 * week_us)
    first, later = fresh.providers[0].estimates, stale.providers[0].estimates
    assert first is not None
    assert later is not None
    assert later.startup_ms.high / later.startup_ms.low > 2 * first.startup_ms.high / first.startup_ms.low


def test_a_thousand_observations_stay_a_few_sums() -> None:
    history = seen("e2b", *times(*[500] * 1_000))
    assert len(str(history.to_json())) < 400
    assert History.from_json(history.to_json()) == history
    assert history.attempts == 1_000


def test_two_failures_in_a_row_eject_and_each_further_one_doubles_the_time() -> None:
    down = Observation(ok=False, startup_ms=50)
    once, twice = seen("e2b", down), seen("e2b", down, down)
    assert not once.is_ejected(NOW_US)
    assert twice.ejected_until_us == NOW_US + 300 * 1_000_000
    report = advice(names=("e2b", "vercel"), histories={"e2b": twice})
    assert report.decision.recommended_provider == "vercel"
    refusal = verdict(report, "e2b").refusals[0]
    assert (refusal.code, refusal.until is not None) == ("ejected", True)
    later_us = NOW_US + 301 * 1_000_000
    half_open = verdict(advice(names=("e2b",), histories={"e2b": twice}, now_us=later_us), "e2b")
    assert (half_open.status, half_open.half_open) == ("viable", True)
    again = learn(PROFILES["e2b"], twice, down, now_us=later_us, today=TODAY)
    assert again.ejected_until_us == later_us + 600 * 1_000_000
    back = learn(PROFILES["e2b"], again, times(500)[0], now_us=later_us + 601 * 1_000_000, today=TODAY)
    assert (back.ejections, back.consecutive, back.ejected_until_us) == (0, 0, None)


def test_a_whole_outage_counts_as_one_failure() -> None:
    down = Observation(ok=False, startup_ms=50)
    outage = seen("e2b", *times(*[500] * 10), *[down] * 6)
    assert outage.failed == pytest.approx(1.0, abs=1e-3)
    assert (outage.attempts, outage.answered) == (16, 10)


def test_nothing_to_recommend_is_an_answer() -> None:
    report = advice(needs(browser=True))
    assert report.decision.recommended_provider is None
    assert report.human_summary.headline == "No compute can take this work."
    assert len(report.decision.secondary_reasons) == 4
