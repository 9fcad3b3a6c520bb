"""Have a supervisor for every request, and end everything when the host goes away."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

from . import supervisor, tree

__all__ = ["Dispatcher"]

_PATIENCE_S = 0.002
"""A request that no idle supervisor has taken by then gets a new one."""


class Dispatcher:
    """Forks supervisors. They serve one request after another, so that an execution hardly ever waits for a fork."""

    def __init__(self, host: int) -> None:
        """Serve as long as the host holds the other end of `host`."""
        self._host = host
        self._launchers: dict[int, supervisor.Launcher] = {}
        self._on_request: dict[int, Callable[[], None]] = {}
        self._on_exit: dict[int, Callable[[], None]] = {}
        self._own: set[int] = set()
        self._bell, striker = os.pipe()
        for end in (self._bell, striker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(striker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)

    def supervise(self, channel: int, launch: supervisor.Launcher) -> None:
        """Serve this channel from now on, with one supervisor ready at once."""
        self._launchers[channel] = launch
        self._fork(channel)

    def on_request(self, channel: int, act: Callable[[], None]) -> None:
        """Call `act`, once, when a first request arrives on a channel that nobody reads yet."""
        self._on_request[channel] = act

    def on_exit(self, pid: int, act: Callable[[], None]) -> None:
        """Call `act` when this child ends."""
        self._own.add(pid)
        self._on_exit[pid] = act

    def serve(self) -> None:
        """Work until the host closes its end; then leave no process behind."""
        while True:
            poll = select.poll()
            for source in {self._host, self._bell, *self._launchers, *self._on_request}:
                poll.register(source, select.POLLIN if source != self._host or source in self._launchers else 0)
            ready = dict(poll.poll())
            if ready.get(self._host, 0) & (select.POLLHUP | select.POLLERR):
                tree.end_tree(os.getpid(), with_root=False)
                return
            if self._bell in ready:
                self._bury()
            for channel in self._on_request.keys() & ready.keys():
                self._on_request.pop(channel)()
            for channel in self._launchers.keys() & ready.keys():
                self._serve_late(channel)

    def _serve_late(self, channel: int) -> None:
        time.sleep(_PATIENCE_S)
        if select.select([channel], [], [], 0)[0]:
            self._fork(channel)

    def _fork(self, channel: int) -> None:
        pid = os.fork()
        if pid == 0:
            supervisor.supervise(channel, self._launchers[channel])
            os._exit(0)
        self._own.add(pid)

    def _bury(self) -> None:
        try:
            os.read(self._bell, 4096)
        except BlockingIOError:
            return
        ended = tree.reap()
        killed = any(pid in self._own and os.WIFSIGNALED(status) for pid, status in ended.items())
        self._own.difference_update(ended)
        if killed:
            self._end_strays()
        for pid in self._on_exit.keys() & ended.keys():
            self._on_exit.pop(pid)()

    def _end_strays(self) -> None:
        """End what a supervisor that was killed has left to this process."""
        for stray in tree.children(os.getpid()):
            if stray not in self._own:
                tree.end_tree(stray, with_root=True)


def _note(number: int, frame: object) -> None:
    """Do nothing: the wake-up descriptor has rung already."""
