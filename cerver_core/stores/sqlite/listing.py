"""Builds the statement of a list: ranges of one index, merged, so that a page costs what it holds."""

from typing import NamedTuple

from cerver_core.stores.base import SessionQuery
from cerver_core.stores.rows import SELECT_SESSIONS
from cerver_core.wire.sessions import Status

__all__ = ["list_statement"]

_Value = str | int


class _Range(NamedTuple):
    """The sessions of one status, from below the place `top`, down to those last active at `floor_us`."""

    status: Status
    top: tuple[int, str] | None
    floor_us: int | None = None


def list_statement(account_id: str, query: SessionQuery) -> tuple[str, list[_Value]]:
    """Give the statement, and its values, that lists one page, newest activity first, ties by id descending."""
    statements: list[str] = []
    values: list[_Value] = []
    for wanted in _ranges(query):
        terms, bound = _terms(account_id, query, wanted)
        statements.append(f"SELECT session_key, updated_at_us, id FROM sessions WHERE {' AND '.join(terms)}")  # noqa: S608 - words of ours
        values += bound
    union = " UNION ALL ".join(statements)
    values.append(query.limit)
    statement = (
        f"{SELECT_SESSIONS} WHERE s.session_key IN (SELECT session_key FROM ("  # noqa: S608 - words of ours
        f"{union} ORDER BY updated_at_us DESC, id DESC LIMIT ?)) ORDER BY s.updated_at_us DESC, s.id DESC"
    )
    return statement, values


def _ranges(query: SessionQuery) -> list[_Range]:
    after = query.after
    match query.status:
        case None:
            return [_Range("running", after), _Range("idle", after), _Range("ended", after)]
        case "running":
            return [_Range("running", after)]
        case "idle":
            return [_Range("idle", after, query.stale_before_us)]
        case "ended":
            # One bound for both conditions: with two, SQLite seeks by one and walks up to the other.
            stale = (query.stale_before_us, "")
            return [_Range("ended", after), _Range("idle", stale if after is None else min(stale, after))]


def _terms(account_id: str, query: SessionQuery, wanted: _Range) -> tuple[list[str], list[_Value]]:
    terms = ["account_id = ?", "status = ?"]
    values: list[_Value] = [account_id, wanted.status]
    for column in ("parent_id", "project", "source"):
        if (value := getattr(query, column)) is not None:
            terms.append(f"{column} = ?")
            values.append(value)
    if wanted.floor_us is not None:
        terms.append("updated_at_us >= ?")
        values.append(wanted.floor_us)
    if wanted.top is not None:
        terms.append("(updated_at_us, id) < (?, ?)")
        values += wanted.top
    return terms, values
