"""Wakes the followers of a transcript in this process when something was appended; other processes' appends are
found by looking."""

import anyio

__all__ = ["Feed"]


class Feed:
    """One event per session that somebody waits for; nothing is queued, so nothing can pile up."""

    def __init__(self) -> None:
        self._waiting: dict[str, anyio.Event] = {}

    def wake(self, session_id: str) -> None:
        """Tell the followers of a session to read on."""
        event = self._waiting.pop(session_id, None)
        if event is not None:
            event.set()

    async def wait(self, session_id: str, *, at_most_s: float) -> None:
        """Wait for the next append of this process, or for the time to pass."""
        event = self._waiting.setdefault(session_id, anyio.Event())
        with anyio.move_on_after(at_most_s):
            await event.wait()
