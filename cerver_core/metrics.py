"""Metrics of a session: the sums that are kept, and how the figures of the wire are read from them at constant cost."""

from dataclasses import dataclass
from datetime import datetime

from cerver_core.clock import from_us
from cerver_core.wire.sessions import EngagementLabel, Metrics

__all__ = ["MetricDelta", "SessionCounters", "read_metrics"]

_IDLE_AFTER_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class SessionCounters:
    """The sums from which metrics are read at a constant cost."""

    provision_ms: float | None = None
    first_exec_at_us: int | None = None
    last_exec_ms: float | None = None
    exec_ms_total: float = 0
    exec_count: int = 0
    stream_open_ms_total: float = 0
    stream_count: int = 0
    user_entry_count: int = 0
    cost_micro_usd: int | None = None


@dataclass(frozen=True, slots=True)
class MetricDelta:
    """What to add to a session's counters. `first_exec_at_us` is kept from the first time; `last_exec_ms` replaces."""

    provision_ms: float | None = None
    first_exec_at_us: int | None = None
    last_exec_ms: float | None = None
    exec_ms: float = 0
    execs: int = 0
    stream_open_ms: float = 0
    streams: int = 0
    cost_micro_usd: int | None = None


def read_metrics(
    counters: SessionCounters,
    *,
    created_at: datetime,
    until: datetime,
    predicted_startup_ms: float | None = None,
) -> Metrics:
    """Read the figures as they stand at `until`: now, or the end of a session that ended. See `Metrics` for each."""
    length_ms = max(0.0, (until - created_at).total_seconds() * 1_000)
    executions = counters.exec_count + counters.stream_count
    interactions = counters.user_entry_count + executions
    score = _engagement_score(length_ms, interactions, executions)
    first = counters.first_exec_at_us
    cost = counters.cost_micro_usd
    return Metrics(
        provision_time_ms=counters.provision_ms,
        time_to_first_exec_ms=_since(created_at, from_us(first)) if first is not None else None,
        last_exec_latency_ms=counters.last_exec_ms,
        average_exec_latency_ms=_mean(counters.exec_ms_total, counters.exec_count),
        average_stream_open_latency_ms=_mean(counters.stream_open_ms_total, counters.stream_count),
        total_exec_count=counters.exec_count,
        total_stream_count=counters.stream_count,
        interaction_count=interactions,
        session_length_ms=round(length_ms, 3),
        cost_estimate_usd=None if cost is None else cost / 1_000_000,
        predicted_startup_ms=predicted_startup_ms,
        engagement_score=score,
        engagement_label=_engagement_label(score, interactions, length_ms),
    )


def _since(start: datetime, moment: datetime) -> float:
    return round(max(0.0, (moment - start).total_seconds() * 1_000), 3)


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 3) if count else None


def _engagement_score(length_ms: float, interactions: int, executions: int) -> float:
    """Average three parts that each reach one half at ten minutes, two interactions and two executions (our choice).

    Without any interaction the score is 0, however long the session has stood there.
    """
    if not interactions:
        return 0
    minutes = length_ms / 60_000
    parts = (minutes / (minutes + 10), interactions / (interactions + 2), executions / (executions + 2))
    return round(sum(parts) / len(parts), 3)


def _engagement_label(score: float, interactions: int, length_ms: float) -> EngagementLabel:
    """Name a score so that no interaction lowers it; idle is what nobody spoke to for a day."""
    if not interactions:
        return "idle" if length_ms >= _IDLE_AFTER_MS else "warming"
    if score < 0.5:
        return "warming"
    return "engaged" if score < 0.75 else "deep"
