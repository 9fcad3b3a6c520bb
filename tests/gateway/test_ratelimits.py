"""Who asks too often is told when to come back; others notice nothing."""

from datetime import timedelta

import pytest

from cerver_core.errors import RateLimited
from cerver_core.gateway.ratelimits import Rate, RateLimits
from cerver_core.testing.clock import ManualClock


def test_a_burst_is_admitted_and_then_a_steady_rate() -> None:
    clock = ManualClock()
    limits = RateLimits(clock, key=Rate(per_s=2, burst=3))
    for _ in range(3):
        limits.admit_key("k1")
    with pytest.raises(RateLimited) as refused:
        limits.admit_key("k1")
    assert refused.value.detail["retry_after_s"] == 0.5
    clock.advance(timedelta(seconds=0.5))
    limits.admit_key("k1")
    with pytest.raises(RateLimited):
        limits.admit_key("k1")


def test_a_pause_fills_the_bucket_and_no_more() -> None:
    clock = ManualClock()
    limits = RateLimits(clock, key=Rate(per_s=2, burst=3))
    limits.admit_key("k1")
    clock.advance(timedelta(hours=1))
    for _ in range(3):
        limits.admit_key("k1")
    with pytest.raises(RateLimited):
        limits.admit_key("k1")


def test_keys_and_addresses_are_counted_apart() -> None:
    limits = RateLimits(ManualClock(), key=Rate(1, 1), stranger=Rate(1, 1))
    limits.admit_key("same")
    limits.admit_key("other")
    limits.admit_stranger("same")
    with pytest.raises(RateLimited, match="this address"):
        limits.admit_stranger("same")


def test_a_key_holds_so_many_streams_and_a_closed_one_makes_room() -> None:
    limits = RateLimits(ManualClock(), streams=2)
    with limits.stream("k1"):
        with limits.stream("k1"), pytest.raises(RateLimited, match="close one first"), limits.stream("k1"):
            pass
        with limits.stream("k1"), limits.stream("k2"):
            pass
    with limits.stream("k1"), limits.stream("k1"):
        pass
