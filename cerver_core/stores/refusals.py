"""What every store says when it refuses: no such session, another state, another end of the transcript."""

from cerver_core.errors import SequenceConflict, SessionNotFound, SessionStateConflict
from cerver_core.stores.base import SessionChange
from cerver_core.wire.sessions import Lifecycle

__all__ = ["check_seq", "check_state", "not_found"]


def not_found(session_id: str) -> SessionNotFound:
    """Say that this account has no session by that id."""
    return SessionNotFound(f"there is no session {session_id!r}; list the sessions to see their ids")


def check_state(session_id: str, state: Lifecycle, change: SessionChange | None) -> None:
    """Refuse a change that is meant for other states.

    Raises:
        SessionStateConflict: the state is not in `from_states`.
    """
    if change is None or change.from_states is None or state in change.from_states:
        return
    allowed = ", ".join(sorted(change.from_states))
    raise SessionStateConflict(
        f"session {session_id} is {state}; this can be done only when it is {allowed}", state=state
    )


def check_seq(session_id: str, last_seq: int, expected_seq: int | None) -> None:
    """Refuse an append that expects the transcript to end elsewhere.

    Raises:
        SequenceConflict: `expected_seq` is not `last_seq`.
    """
    if expected_seq is not None and expected_seq != last_seq:
        raise SequenceConflict(
            f"session {session_id} ends at entry {last_seq}, not {expected_seq}; read what was added and append again",
            last_seq=last_seq,
        )
