"""Builds the statement of a list: ranges of one index, merged, so that a page costs what it holds."""

from cerver_core.stores.base import SessionQuery
from cerver_core.stores.listing import Range, ranges
from cerver_core.stores.sqlite.rows import SELECT_OPENED

__all__ = ["list_statement"]

_Value = str | int


def list_statement(account_id: str, query: SessionQuery) -> tuple[str, list[_Value]]:
    """Give the statement, and its values, that lists one page, newest activity first, ties by id descending."""
    statements: list[str] = []
    values: list[_Value] = []
    for wanted in ranges(query):
        terms, bound = _terms(account_id, query, wanted)
        statements.append(f"SELECT session_key, updated_at_us, id FROM sessions WHERE {' AND '.join(terms)}")  # noqa: S608 - words of ours
        values += bound
    union = " UNION ALL ".join(statements)
    values.append(query.limit)
    statement = (
        f"{SELECT_OPENED} WHERE s.session_key IN (SELECT session_key FROM ("  # noqa: S608 - words of ours
        f"{union} ORDER BY updated_at_us DESC, id DESC LIMIT ?)) ORDER BY s.updated_at_us DESC, s.id DESC"
    )
    return statement, values


def _terms(account_id: str, query: SessionQuery, wanted: Range) -> tuple[list[str], list[_Value]]:
    terms = ["account_id = ?", "status = ?"]
    values: list[_Value] = [account_id, wanted.status]
    for column in ("parent_id", "project", "source"):
        if (value := getattr(query, column)) is not None:
            terms.append(f"{column} = ?")
            values.append(value)
    if query.states is not None:
        terms.append(f"state IN ({', '.join('?' for _ in query.states)})")
        values += sorted(query.states)
    if wanted.floor_us is not None:
        terms.append("updated_at_us >= ?")
        values.append(wanted.floor_us)
    if wanted.top is not None:
        terms.append("(updated_at_us, id) < (?, ?)")
        values += wanted.top
    return terms, values
