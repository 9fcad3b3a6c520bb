"""Tells when any process on this machine wrote to the store: who writes touches the lock file, who wants to know waits.

A kernel that cannot tell, or has no room for one more who waits, is no error: then nobody is woken.
"""

import asyncio
import ctypes
import errno
import os
import select
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["WriteWatch"]

_PAUSE_S = 0.05
"""After a write nobody is woken for at least so long: a thousand writes a second wake twenty times. Our choice."""

_IN_MODIFY = 0x2
_IN_CLOEXEC, _IN_NONBLOCK = 0o2000000, 0o4000
"""From <sys/inotify.h>; the flags of `inotify_init1` are those of open(2) on Linux."""

_EVENTS_BYTES = 4_096

Wake = Callable[[], float]
"""Answers for how many seconds it wants to be left in peace."""


class WriteWatch:
    """Watches one file for as long as somebody wants to know. Belongs to the event loop of those who do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wakes: list[Wake] = []
        self._watched: _Watched | None = None

    @contextmanager
    def on_write(self, wake: Wake) -> Generator[bool]:
        """Call `wake` soon after each write until the block is left; gives false where nobody is woken."""
        if not self._wakes:
            self._watched = _watched(self._path, self._wake_all)
        self._wakes.append(wake)
        try:
            yield self._watched is not None
        finally:
            self._wakes.remove(wake)
            if not self._wakes and self._watched is not None:
                self._watched.close()
                self._watched = None

    def _wake_all(self) -> float:
        return sum(wake() for wake in tuple(self._wakes))


class _Watched:
    """A descriptor that becomes readable when the file is written, watched in this loop; pauses after each time."""

    def __init__(self, descriptor: int, drain: Callable[[], None], wake: Wake, also_close: int | None = None) -> None:
        self._descriptor = descriptor
        self._also_close = also_close
        self._drain = drain
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(descriptor, self._on_readable)

    def close(self) -> None:
        """Watch no more."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        if self._also_close is not None:
            os.close(self._also_close)

    def _on_readable(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._drain()
        self._pause = self._loop.call_later(max(_PAUSE_S, self._wake()), self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._descriptor, self._on_readable)


def _watched(path: Path, wake: Wake) -> _Watched | None:
    try:
        return _by_inotify(path, wake) if sys.platform == "linux" else _by_kqueue(path, wake)
    except (OSError, AttributeError):
        return None


def _by_inotify(path: Path, wake: Wake) -> _Watched:
    library = ctypes.CDLL(None, use_errno=True)
    descriptor: int = library.inotify_init1(_IN_CLOEXEC | _IN_NONBLOCK)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    if library.inotify_add_watch(descriptor, os.fsencode(path), _IN_MODIFY) < 0:
        os.close(descriptor)
        raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def drain() -> None:
        with suppress(BlockingIOError):
            os.read(descriptor, _EVENTS_BYTES)

    return _Watched(descriptor, drain, wake)


def _by_kqueue(path: Path, wake: Wake) -> _Watched:
    if sys.platform == "linux" or sys.platform == "win32":
        raise OSError(errno.ENOSYS, "kqueue")
    queue = select.kqueue()
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR
    queue.control([select.kevent(file, select.KQ_FILTER_VNODE, flags, select.KQ_NOTE_WRITE)], 0)

    def drain() -> None:
        queue.control(None, 1, 0)

    return _Watched(queue.fileno(), drain, wake, also_close=file)
