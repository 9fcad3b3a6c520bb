"""The catalog says of every figure what it counts, where it comes from and how old it is."""

from datetime import date

import pytest

from cerver_core.catalog.computes import PROFILES
from cerver_core.catalog.facts import Fact, Source, facts_of
from cerver_core.catalog.prices import cost_usd
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.plugins import PROVIDERS

EVERY = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def test_the_catalog_holds_the_eight_providers() -> None:
    assert list(PROFILES) == [
        "local", "cerver_local_provider", "p69", "vercel", "e2b", "cloudflare", "daytona", "modal",
    ]  # fmt: skip
    assert [name for name, profile in PROFILES.items() if profile.is_planned] == ["modal"]


@EVERY
def test_every_figure_has_a_unit_a_source_and_a_date(profile: ComputeProfile) -> None:
    facts = dict(facts_of(profile))
    assert len(facts) >= 17
    for name, fact in facts.items():
        assert fact.unit, name
        assert len(fact.source.text) > 8, name
        assert date(2025, 1, 1) < fact.source.as_of <= date(2026, 11, 22), name


def test_a_figure_is_stale_after_ninety_days() -> None:
    fact = Fact(1.0, "ms", Source("a page", date(2026, 1, 1), "vendor"))
    assert not fact.is_stale(date(2026, 4, 1))
    assert fact.is_stale(date(2026, 4, 2))


@pytest.mark.parametrize(
    ("name", "busy_usd", "idle_usd"),
    [
        ("vercel", 0.1704, 0.0552),
        ("e2b", 0.0828, 0.0828),
        ("cloudflare", 0.0900, 0.0252),
        ("daytona", 0.0828, 0.0828),
        ("modal", 0.1194, 0.0573),
        ("local", 0.0, 0.0),
    ],
)
def test_an_hour_costs_by_the_way_the_vendor_bills(name: str, busy_usd: float, idle_usd: float) -> None:
    price = PROFILES[name].price
    assert price is not None
    assert cost_usd(price, hours=1, cpu_duty=1) == pytest.approx(busy_usd, abs=5e-5)
    assert cost_usd(price, hours=1, cpu_duty=0.1) == pytest.approx(idle_usd, abs=5e-5)


def test_the_cheapest_changes_with_how_busy_the_cpu_is() -> None:
    def cheapest(duty: float) -> str:
        clouds = {name: PROFILES[name].price for name in ("vercel", "e2b", "cloudflare", "modal")}
        return min(clouds, key=lambda name: cost_usd(price, hours=1, cpu_duty=duty) if (price := clouds[name]) else 9)

    assert (cheapest(0.1), cheapest(1.0)) == ("cloudflare", "e2b")


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) & set(PROFILES)))
def test_the_variables_named_are_those_the_adapter_reads(name: str) -> None:
    needs = tuple(group for group in PROVIDERS[name].needs if group)
    assert sorted(map(sorted, needs)) == sorted(map(sorted, PROFILES[name].credentials))
