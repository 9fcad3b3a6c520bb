"""The statements that read and write a session's two rows."""

from cerver_core.stores.rows import DETAIL_COLUMNS, SESSION_COLUMNS, select_opened

__all__ = ["INSERT_DETAILS", "INSERT_SESSION", "SELECT_OPENED"]

SELECT_OPENED = select_opened(
    "FROM entries WHERE place > s.session_key << 32 AND place <= (s.session_key << 32) + 8",
    "place",
    """instr(head, '"role":"user"') > 0""",
)
"""Yields what `read_session` takes, each session's opening included."""

INSERT_SESSION = (
    f"INSERT INTO sessions ({', '.join(SESSION_COLUMNS)}) VALUES ({', '.join('?' * len(SESSION_COLUMNS))}) "  # noqa: S608 - names of ours
    "RETURNING session_key"
)
INSERT_DETAILS = (
    f"INSERT INTO session_details ({', '.join(DETAIL_COLUMNS)}) VALUES ({', '.join('?' * len(DETAIL_COLUMNS))})"  # noqa: S608 - names of ours
)
