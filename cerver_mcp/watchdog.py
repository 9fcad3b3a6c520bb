"""Ends the process when its client is gone or asks it to: signals, the parent's death, and a deadline for clean-up.

Standard library only: it is in force before anything else is loaded. A clean-up that hangs, or a call that blocks,
cannot keep the process: what was acknowledged is on disk already, and what runs in a sandbox dies with its host.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

__all__ = ["GRACE_S", "Watchdog", "leave"]

GRACE_S = 0.15
"""How long a clean-up may take once the process shall end; clients kill after 0.1 to 0.5 seconds."""

_PARENT_POLL_S = 0.1


class Watchdog:
    """Watches for the end. `ask` begins it; `code` is the exit code asked for, 0 before that."""

    def __init__(self) -> None:
        self._wake_read, self._wake_write = os.pipe()
        self._on_end: Callable[[], None] | None = None
        self.code = 0
        self._parent = os.getppid()

    def start(self) -> None:
        """Install the signal handlers and begin to watch the parent. Call it in the main thread."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        threading.Thread(target=self._watch, name="cerver-watchdog", daemon=True).start()

    def before_end(self, on_end: Callable[[], None]) -> None:
        """From now on call `on_end` (from any thread) when the process shall end, and allow it `GRACE_S`."""
        self._on_end = on_end

    def ask(self, code: int) -> None:
        """Begin the end with this exit code. Safe in a signal handler."""
        if self._on_end is None:
            leave(code)
        self.code = code
        os.write(self._wake_write, b"!")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.ask(128 + number)

    def _watch(self) -> None:
        self._until_asked_or_orphaned()
        if self._on_end is not None:
            self._on_end()
            threading.Event().wait(GRACE_S)
        leave(self.code)

    def _until_asked_or_orphaned(self) -> None:
        parent = _open_pidfd(self._parent)
        waiting = [self._wake_read] if parent is None else [self._wake_read, parent]
        patience = _PARENT_POLL_S if parent is None else None
        while os.getppid() == self._parent:
            ready, _, _ = select.select(waiting, [], [], patience)
            if ready:
                return


def leave(code: int) -> None:
    """End the process now: no finalizers, no waiting for threads. Nothing durable depends on them."""
    sys.stderr.flush()
    os._exit(code)


def _open_pidfd(process: int) -> int | None:
    """Give a descriptor that becomes readable when the process ends, where the system has such a thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None
