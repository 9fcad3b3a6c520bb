"""What a session's metrics say of how much it is used."""

from datetime import UTC, datetime, timedelta

from cerver_core.metrics import SessionCounters, read_metrics

_BEGUN = datetime(2026, 11, 1, tzinfo=UTC)


def _label(minutes: float, entries: int = 0, executions: int = 0) -> str:
    counters = SessionCounters(user_entry_count=entries, exec_count=executions)
    until = _BEGUN + timedelta(minutes=minutes)
    return read_metrics(counters, created_at=_BEGUN, until=until).engagement_label


def test_the_engagement_never_falls_with_what_is_done() -> None:
    done = [_label(0), _label(0, 1), _label(1, 2), _label(5, 2, 2), _label(20, 5, 4), _label(90, 20, 20)]
    assert done == ["warming", "warming", "warming", "engaged", "engaged", "deep"]


def test_a_session_to_which_nobody_spoke_for_a_day_is_idle() -> None:
    assert [_label(23 * 60), _label(24 * 60), _label(24 * 60, 1)] == ["warming", "idle", "warming"]
