"""What was seen of providers, kept for the account; what follows from it is the advisor's."""

import math
from collections.abc import Mapping

from cerver_core.advisor.estimates import learn
from cerver_core.advisor.history import History, Moments, Observation
from cerver_core.catalog.profile import ComputeProfile
from cerver_core.clock import Clock, to_us
from cerver_core.stores.records import Record, RecordStore

__all__ = ["Observations"]

_KIND = "routing.history"
_TIMES = "routing.minutes"
_TRIES = 8
"""Several processes may learn at once; one of them gets through each time."""


class Observations:
    """The histories of one account's providers: a few sums each, however much was seen."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def histories(self) -> Mapping[str, History]:
        """Read them all, by provider name."""
        found = await self._records.list(_KIND, now_us=to_us(self._clock.now()))
        return {record.id: History.from_json(record.data) for record in found}

    async def add(self, profile: ComputeProfile, *seen: Observation) -> None:
        """Learn from observations of one provider, in their order."""
        now = self._clock.now()
        now_us, today = to_us(now), now.date()
        for _ in range(_TRIES):
            record = await self._records.get(_KIND, profile.name, now_us=now_us)
            history = None if record is None else History.from_json(record.data)
            for observation in seen:
                history = learn(profile, history, observation, now_us=now_us, today=today)
            if history is None:
                return
            version = 0 if record is None else record.version
            data = history.to_json()
            if await self._records.put(_KIND, profile.name, data, now_us=now_us, expected_version=version):
                return

    async def expected_minutes(self, workload: str, limit_minutes: float) -> float | None:
        """Tell how long sandboxes of such work lived so far; null before the first.

        The time limit counts as one observation, so that a single short session does not decide.
        """
        record = await self._records.get(_TIMES, workload, now_us=to_us(self._clock.now()))
        if record is None:
            return None
        seen = _moments(record).with_value(math.log(limit_minutes))
        return min(limit_minutes, math.exp(seen.mean + seen.spread / seen.weight / 2))

    async def add_minutes(self, workload: str, minutes: float) -> None:
        """Learn how long a sandbox lived."""
        now_us = to_us(self._clock.now())
        for _ in range(_TRIES):
            record = await self._records.get(_TIMES, workload, now_us=now_us)
            seen = Moments() if record is None else _moments(record)
            seen = seen.forgotten(_KEPT).with_value(math.log(max(minutes, _SHORTEST_MINUTES)))
            version = 0 if record is None else record.version
            data = {name: getattr(seen, name) for name in _MOMENTS}
            if await self._records.put(_TIMES, workload, data, now_us=now_us, expected_version=version):
                return


def _moments(record: Record) -> Moments:
    return Moments(*(float(str(record.data.get(name, 0))) for name in _MOMENTS))


_MOMENTS = ("weight", "mean", "spread")
_KEPT = 0.96
_SHORTEST_MINUTES = 0.1
