"""Find and end whole process trees; who belongs to a tree is for the caller to say."""

# pathlib would double what is loaded inside a sandbox
# ruff: noqa: PTH112, PTH123, PTH208
from __future__ import annotations

import os
import signal
import subprocess
import time

__all__ = ["children", "descendants", "end_tree", "reap", "send", "start_time"]

END_DEADLINE_S = 3.0
"""How long to go on killing before giving up."""


def children(parent: int) -> list[int]:
    """List the living children of one process."""
    return [pid for pid, its_parent in _parents() if its_parent == parent]


def descendants(root: int) -> list[int]:
    """List the living processes below `root`, parents before children."""
    below: dict[int, list[int]] = {}
    for pid, parent in _parents():
        below.setdefault(parent, []).append(pid)
    found: list[int] = []
    front = [root]
    while front:
        front = [child for pid in front for child in below.get(pid, [])]
        found.extend(front)
    return found


def start_time(pid: int) -> str | None:
    """Tell when a process started, in a form that only compares equal; null when it is gone or a zombie."""
    if not os.path.isdir("/proc/self"):
        return _ps("lstart=,stat=", pid)
    fields = _stat(pid)
    return None if fields is None or fields[0] in (b"Z", b"X") else fields[19].decode()


def send(pids: list[int], number: int) -> None:
    """Send a signal to each process; those that are gone, or not ours, are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def reap() -> dict[int, int]:
    """Collect the children of this process that have ended; gives their wait statuses."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def end_tree(root: int, *, with_root: bool) -> bool:
    """End every process below `root`, and `root` itself if asked. True when none is left.

    All are stopped before any is killed, until a look at the tree finds nobody new: so nobody forks away in between.
    """
    deadline = time.monotonic() + END_DEADLINE_S
    while True:
        caught = _stop(root, with_root)
        send(list(caught), signal.SIGKILL)
        if root == os.getpid():
            reap()
        if _await_gone(caught, deadline) and not descendants(root):
            return True
        if time.monotonic() > deadline:
            return False


def _stop(root: int, with_root: bool) -> dict[int, str]:
    caught: dict[int, str] = {}
    while True:
        found = ([root] if with_root else []) + descendants(root)
        new = [pid for pid in found if pid not in caught]
        for pid in new:
            started = start_time(pid)
            if started is not None:
                caught[pid] = started
        living = [pid for pid in new if pid in caught]
        if not living:
            return caught
        send(living, signal.SIGSTOP)


def _await_gone(caught: dict[int, str], deadline: float) -> bool:
    pause_s = 0.0005
    while True:
        if all(start_time(pid) != started for pid, started in caught.items()):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.02)


def _parents() -> list[tuple[int, int]]:
    if not os.path.isdir("/proc/self"):
        return _parents_by_ps()
    pairs: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if fields is not None and fields[0] not in (b"Z", b"X"):
                pairs.append((int(name), int(fields[1])))
    return pairs


def _stat(pid: int) -> list[bytes] | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return None


def _parents_by_ps() -> list[tuple[int, int]]:
    answer = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, check=False)
    rows = [line.split() for line in answer.stdout.splitlines()]
    return [(int(row[0]), int(row[1])) for row in rows if len(row) > 2 and not row[2].startswith(b"Z")]


def _ps(columns: str, pid: int) -> str | None:
    command = ["/bin/ps", "-p", str(pid), "-o", columns]
    answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a fixed program and a number
    text = answer.stdout.decode(errors="replace").strip()
    return None if not text or text.split()[-1].startswith("Z") else text.rpartition(" ")[0].strip()
