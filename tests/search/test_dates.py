"""Words that name a time, as they are meant on Sunday 22 November 2026, 15:00 UTC."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.search.dates import find_dates, read_moment

_NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("what broke yesterday?", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("today", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("2 days ago", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("the last 3 hours", "2026-11-22T12:00", "2026-11-22T15:00"),
        ("3h", "2026-11-22T12:00", "2026-11-22T15:00"),
        ("last week", "2026-11-09T00:00", "2026-11-16T00:00"),
        ("last month", "2026-10-01T00:00", "2026-11-01T00:00"),
        ("last monday", "2026-11-16T00:00", "2026-11-17T00:00"),
        ("in May", "2026-05-01T00:00", "2026-06-01T00:00"),
        ("in December", "2025-12-01T00:00", "2026-01-01T00:00"),
        ("December 2024", "2024-12-01T00:00", "2025-01-01T00:00"),
        ("May 3rd, 2025", "2025-05-03T00:00", "2025-05-04T00:00"),
        ("3 May", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("2026-05-03", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("2026-05", "2026-05-01T00:00", "2026-06-01T00:00"),
        ("2026-05-01..2026-05-10", "2026-05-01T00:00", "2026-05-11T00:00"),
        ("in 2025", "2025-01-01T00:00", "2026-01-01T00:00"),
    ],
)
def test_a_range_is_found(text: str, since: str, until: str) -> None:
    (found,) = find_dates(text, _NOW)
    assert (found.range.since.isoformat()[:16], found.range.until.isoformat()[:16]) == (since, until)


@pytest.mark.parametrize("text", ["we may march on", "version 2026-13-45", "port 8080", "a second ago", "foo-3h-bar"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert find_dates(text, _NOW) == []


def test_the_ends_of_a_range_are_read_from_words() -> None:
    assert read_moment("yesterday", _NOW, is_end=False) == datetime(2026, 11, 21, tzinfo=UTC)
    assert read_moment("yesterday", _NOW, is_end=True) == datetime(2026, 11, 22, tzinfo=UTC)
    assert read_moment("may", _NOW, is_end=False) == datetime(2026, 5, 1, tzinfo=UTC)
    assert read_moment("3 hours ago", _NOW, is_end=True) == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert read_moment("3h", _NOW, is_end=False) == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert read_moment("sometime", _NOW, is_end=False) is None


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    for found in find_dates(text, _NOW):
        assert found.range.since <= found.range.until
