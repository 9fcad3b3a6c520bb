"""Start one command, watch it, end it with all it forked; how it is started is the launcher's part.

A supervisor is a process of its own and sees to one command at a time. Whatever its command forks or detaches becomes
its child when orphaned (it is a subreaper), so the tree of one execution can be told from every other. The command ends
in one of three ways: by itself, at its deadline, or because the host closes the control socket. Only in the first way
do processes left in the background live on; the supervisor stays as long as they do.
"""

# pathlib would double what is loaded inside a sandbox
# ruff: noqa: PTH108
from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

from . import privileges, tree, wire

__all__ = ["GRACE_S", "Launcher", "supervise"]

GRACE_S = 0.5
"""How long a command has to end after SIGTERM at its deadline, before its tree is killed."""

IDLE_S = 60.0
"""How long a supervisor waits for the next request."""

EXIT_TIMED_OUT = 124

Launcher = Callable[[wire.Request, int, int], int]
"""Starts the command of a request with these as standard output and error, and gives its process id."""


def supervise(channel: int, launch: Launcher) -> None:
    """Serve one request of the channel after another; return when idle for long, or no longer free for another.

    A supervisor whose command left processes behind stays with them, and serves nothing else.
    """
    bell = _settle()
    while select.select([channel], [], [], IDLE_S)[0]:
        received = wire.receive(channel)
        if received is None or not _serve(*received, bell, launch):
            return


def _serve(request: wire.Request, descriptors: list[int], bell: int, launch: Launcher) -> bool:
    control, out, err = descriptors
    child, moved = 0, False
    try:
        moved = _enter(request)
        if request["memory_bytes"] is not None:
            privileges.limit_memory(request["memory_bytes"])
        child = launch(request, out, err)
    except OSError as error:
        wire.reply_cannot(control, error)
    os.close(out)
    os.close(err)
    if child:
        _watch(child, control, bell, request, wire.MOVED if moved else 0)
    os.close(control)
    if "spilled" in request:
        _remove(request["spilled"])
    if not _has_children():
        return True
    _linger(bell)
    return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _enter(request: wire.Request) -> bool:
    """Go to the folder of the request; to the workspace when that is gone, which is then true."""
    try:
        os.chdir(request["cwd"])
    except OSError:
        os.chdir(request["workspace"])
        return True
    return False


def _settle() -> int:
    os.setsid()
    privileges.adopt_orphans()
    privileges.die_with_parent()
    bell, striker = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(striker, False)
    signal.set_wakeup_fd(striker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _note)
    signal.signal(signal.SIGTERM, _end_all)
    return bell


def _note(number: int, frame: object) -> None:
    """Do nothing: the wake-up descriptor has rung already."""


def _end_all(number: int, frame: object) -> None:
    tree.end_tree(os.getpid(), with_root=False)
    os._exit(128 + number)


def _watch(child: int, control: int, bell: int, request: wire.Request, flags: int) -> None:
    deadline = time.monotonic() + request["timeout_s"]
    status = _await(child, control, bell, deadline)
    if isinstance(status, int):
        wire.reply_ended(control, _code(status), flags=flags, cwd=_where(request))
        return
    if status == "late":
        _ask_to_end(bell)
    tree.end_tree(os.getpid(), with_root=False)
    wire.reply_ended(control, EXIT_TIMED_OUT, flags=flags | wire.TIMED_OUT, cwd=b"")


def _await(child: int, control: int, bell: int, deadline: float) -> int | str:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(bell, select.POLLIN)
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return "late"
        ready = {fd for fd, _ in poll.poll(min(left_s, 3600) * 1000)}
        if bell in ready:
            _silence(bell)
            ended = tree.reap()
            if child in ended:
                return ended[child]
        if control in ready:
            return "unwanted"


def _ask_to_end(bell: int) -> None:
    tree.send(tree.descendants(os.getpid()), signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until:
        select.select([bell], [], [], 0.02)
        _silence(bell)
        tree.reap()
        if not tree.descendants(os.getpid()):
            return


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _linger(bell: int) -> None:
    signal.set_wakeup_fd(-1)
    os.close(bell)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _silence(bell: int) -> None:
    try:
        os.read(bell, 4096)
    except BlockingIOError:
        return


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _where(request: wire.Request) -> bytes:
    note = request.get("cwd_note")
    if note is None:
        return b""
    path = f"{note}-{os.getpid()}"
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        os.unlink(path)
        return os.read(file, 4096).rstrip(b"\n")
    except OSError:
        return b""
    finally:
        os.close(file)
