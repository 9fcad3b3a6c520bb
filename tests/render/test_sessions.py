from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cerver_core.render.sessions import age, rows, short_ids, title
from cerver_core.wire.sessions import ListSessions, SessionPage, SessionRecord

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def session(session_id: str = "1f0c5c1e-0000-4000-8000-000000000001", **fields: object) -> SessionRecord:
    given_fields = {"created_at": NOW, "updated_at": NOW - timedelta(minutes=5), "status": "idle", "state": "ready"}
    return SessionRecord.model_validate({"session_id": session_id, **given_fields, **fields})


def test_a_row_tells_who_how_old_and_how_much() -> None:
    page = SessionPage(
        sessions=(
            session(
                session_name="fix login",
                harness="claude",
                metadata={"source": "fleet"},
                project_slug="web",
                transcript_total=1_234,
            ),
            session("2a000000-0000-4000-8000-000000000002", task="Write the\nrelease notes", status="running"),
        )
    )
    assert rows(page, now=NOW) == (
        '1f0c5c1e idle "fix login" 5m ago 1,234 entries harness=claude source=fleet project=web\n'
        '2a000000 running "Write the release notes" 5m ago 0 entries'
    )


def test_how_a_session_ended_is_told() -> None:
    page = SessionPage(sessions=(session(status="ended", state="failed", end_reason="out of memory"),))
    assert "1f0c5c1e ended/failed (out of memory) " in rows(page, now=NOW)


def test_the_call_for_the_next_page_keeps_the_filters() -> None:
    page = SessionPage(sessions=(session(),), next_cursor="abc")
    request = ListSessions(status="idle", project="web", limit=5)
    assert rows(page, now=NOW, request=request).endswith(
        '\n[more; next call: cerver_session_list(status="idle", project="web", limit=5, cursor="abc")]'
    )


def test_no_rows_says_so() -> None:
    assert rows(SessionPage(sessions=()), now=NOW) == "No sessions match."


def test_ids_that_start_alike_get_longer_prefixes() -> None:
    ids = ["1f0c5c1e-0000-4000", "1f0c5c1e-0001-4000", "2a000000-0000-4000"]
    assert short_ids(ids) == {ids[0]: "1f0c5c1e-0000", ids[1]: "1f0c5c1e-0001", ids[2]: "2a000000"}


@given(st.lists(st.uuids(version=4), min_size=1, max_size=30, unique=True), st.integers(0, 2**100))
def test_every_prefix_names_one_id(uuids: list[UUID], mask: int) -> None:
    ids = [str(UUID(int=value.int & mask)) for value in uuids]
    for session_id, prefix in short_ids(ids).items():
        assert [other for other in set(ids) if other.startswith(prefix)] == [session_id]
        assert len(prefix) >= 8


def test_the_title_is_the_name_then_the_metadata_then_the_task() -> None:
    assert title(session(session_name="named", metadata={"title": "titled"}, task="do")) == "named"
    assert title(session(metadata={"title": "titled"}, task="do")) == "titled"
    assert title(session(metadata={"title": 5}, task="do it " * 50)) == "do it " * 9 + "do it…"
    assert title(session()) == "(untitled)"


def test_ages_are_one_short_word() -> None:
    spans = {"0s": -5, "12s": 12, "59m": 3_599, "3h": 3 * 3_600, "13d": 13 * 86_400, "4w": 30 * 86_400}
    assert {age(NOW - timedelta(seconds=seconds), NOW) for seconds in spans.values()} == set(spans)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_a_row_stays_one_short_line(name: str, source: str, project: str) -> None:
    shown = rows(
        SessionPage(
            sessions=(session(task=name, metadata={"source": source}, harness="claude", project_slug=project),)
        ),
        now=NOW,
    )
    assert len(shown.splitlines()) == 1
    assert len(shown) <= 50 * 4
