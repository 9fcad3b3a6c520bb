"""Builds the statement of a list: ranges of one index, merged, so that a page costs what it holds."""

from cerver_core.stores.base import SessionQuery
from cerver_core.stores.listing import Range, ranges
from cerver_core.stores.postgres.rows import as_account, select_sessions

__all__ = ["list_statement"]

_Value = str | int
_NEWEST = "ORDER BY updated_at_us DESC, id DESC LIMIT"


def list_statement(account_id: str, query: SessionQuery) -> tuple[str, list[_Value]]:
    """Give the statement, and its values, that lists one page, newest activity first, ties by id descending."""
    values: list[_Value] = [account_id, query.limit]
    # Each range is cut by itself: the server merges ranges of an index only when it knows that they are in order.
    parts = [
        f"(SELECT session_key, updated_at_us, id FROM sessions WHERE {_terms(query, wanted, values)} {_NEWEST} $2)"  # noqa: S608 - words of ours
        for wanted in ranges(query)
    ]
    page = f"SELECT session_key FROM ({' UNION ALL '.join(parts)}) page {_NEWEST} $2"  # noqa: S608 - words of ours
    statement = select_sessions(f"s.session_key IN ({page})", "ORDER BY s.updated_at_us DESC, s.id DESC")
    return as_account(statement), values


def _terms(query: SessionQuery, wanted: Range, values: list[_Value]) -> str:
    def bound(value: _Value) -> str:
        values.append(value)
        return f"${len(values)}"

    terms = ["account_id = who.account_id", f"status = '{wanted.status}'"]
    asked = {name: getattr(query, name) for name in ("parent_id", "project", "source")}
    terms += [f"{name} = {bound(value)}" for name, value in asked.items() if value is not None]
    if query.states is not None:
        terms.append(f"state IN ({', '.join(bound(state) for state in sorted(query.states))})")
    if wanted.floor_us is not None:
        terms.append(f"updated_at_us >= {bound(wanted.floor_us)}")
    if wanted.top is not None:
        terms.append(f"(updated_at_us, id) < ({bound(wanted.top[0])}::bigint, {bound(wanted.top[1])}::text)")
    return " AND ".join(terms)
