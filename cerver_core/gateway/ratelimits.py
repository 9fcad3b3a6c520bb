"""How often a key or an address may ask, and how many streams it may hold open; counted by this process alone.

A token bucket each: a burst up to the bucket's size, then a steady rate. Several replicas each grant the whole rate.
"""

from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cerver_core.clock import Clock
from cerver_core.errors import RateLimited

__all__ = ["Rate", "RateLimits"]

_MOST_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second over time, and so many at once after a pause."""

    per_s: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


@dataclass(slots=True)
class RateLimits:
    """Admits requests and streams, or says when to come back.

    `key` is for callers by their key; `stranger` for addresses: requests without a good key, and log-ins.
    `streams` is the most streams and sockets that one key holds open at once. The figures are our choice: a key may
    ask about as often as one process can answer, a stranger as often as a person who mistypes.
    """

    clock: Clock
    key: Rate = Rate(per_s=5_000, burst=10_000)
    stranger: Rate = Rate(per_s=10, burst=300)
    streams: int = 2_000
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict[str, _Bucket])
    _open: dict[str, int] = field(default_factory=dict[str, int])

    def admit_key(self, key_id: str, rate: Rate | None = None) -> None:
        """Count a request of a key.

        Raises:
            RateLimited: it has asked too often; `detail["retry_after_s"]` says when the next one is due.
        """
        self._take(f"key {key_id}", rate or self.key, "this key")

    def admit_stranger(self, address: str) -> None:
        """Count a request that came without a good key, by the address it came from.

        Raises:
            RateLimited: there were too many of them.
        """
        self._take(f"address {address}", self.stranger, "this address")

    @contextmanager
    def stream(self, key_id: str) -> Generator[None]:
        """Count a stream as open for as long as the block lasts.

        Raises:
            RateLimited: the key holds as many as it may.
        """
        count = self._open.get(key_id, 0)
        if count >= self.streams:
            raise RateLimited(
                f"this key holds {count} streams open, which is the most: close one first", open_streams=count
            )
        self._open[key_id] = count + 1
        try:
            yield
        finally:
            left = self._open[key_id] - 1
            if left:
                self._open[key_id] = left
            else:
                del self._open[key_id]

    def _take(self, name: str, rate: Rate, who: str) -> None:
        now_s = self.clock.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(rate.burst, now_s)
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        bucket.tokens = min(rate.burst, bucket.tokens + (now_s - bucket.at_s) * rate.per_s)
        bucket.at_s = now_s
        if bucket.tokens < 1:
            wait_s = round((1 - bucket.tokens) / rate.per_s, 3)
            raise RateLimited(f"{who} has asked too often: come back in {wait_s:g} s", retry_after_s=wait_s)
        bucket.tokens -= 1
