"""The statements that read and write a session's two rows, each as one account."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from cerver_core.stores.base import StoredSession
from cerver_core.stores.postgres.texts import plain_all
from cerver_core.stores.rows import DETAIL_COLUMNS, SESSION_COLUMNS, read_session, select_opened

__all__ = ["INSERT_DETAILS", "INSERT_SESSION", "SELECT_OPENED", "as_account", "read_rows", "select_sessions"]


SELECT_OPENED = select_opened(
    "FROM entries WHERE session_key = s.session_key AND seq <= 8", "seq", """position('"role":"user"' IN head) > 0"""
)


def _values(count: int) -> str:
    return ", ".join(f"${number}" for number in range(1, count + 1))


INSERT_SESSION = (
    f"INSERT INTO sessions ({', '.join(SESSION_COLUMNS)}) VALUES ({_values(len(SESSION_COLUMNS))}) "  # noqa: S608 - names of ours
    "ON CONFLICT (account_id, id) DO NOTHING RETURNING session_key"
)
INSERT_DETAILS = (
    f"INSERT INTO session_details (account_id, {', '.join(DETAIL_COLUMNS)}) "  # noqa: S608 - names of ours
    f"VALUES ({_values(1 + len(DETAIL_COLUMNS))})"
)


def as_account(statement: str) -> str:
    """Wrap a SELECT so that it runs as the account that is its first value, in one round trip.

    A lateral subquery that is not pulled up (OFFSET 0) can only be run after the row it refers to was made, and making
    that row sets the account: whatever the plan is, the policies see the setting.
    """
    return (
        "SELECT r.* FROM (SELECT set_config('cerver.account', $1, true) AS account_id OFFSET 0) who "  # noqa: S608 - statements of ours
        f"CROSS JOIN LATERAL ({statement} OFFSET 0) r"
    )


def select_sessions(condition: str, order: str = "") -> str:
    """Write a SELECT of whole sessions, to be wrapped by `as_account`."""
    return f"{SELECT_OPENED} WHERE s.account_id = who.account_id AND {condition} {order}"


def read_rows(rows: Sequence[asyncpg.Record | Sequence[Any]]) -> list[StoredSession]:
    """Build the sessions from rows of `select_sessions`."""
    return [read_session(plain_all(list(row))) for row in rows]
