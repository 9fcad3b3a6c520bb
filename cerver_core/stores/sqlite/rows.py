"""The statements that write a session's two rows."""

from cerver_core.stores.rows import DETAIL_COLUMNS, SESSION_COLUMNS

__all__ = ["INSERT_DETAILS", "INSERT_SESSION"]

INSERT_SESSION = (
    f"INSERT INTO sessions ({', '.join(SESSION_COLUMNS)}) VALUES ({', '.join('?' * len(SESSION_COLUMNS))}) "  # noqa: S608 - names of ours
    "RETURNING session_key"
)
INSERT_DETAILS = (
    f"INSERT INTO session_details ({', '.join(DETAIL_COLUMNS)}) VALUES ({', '.join('?' * len(DETAIL_COLUMNS))})"  # noqa: S608 - names of ours
)
