"""Names a process so that another process of this machine can tell later whether it still lives."""

import os
import socket
from pathlib import Path

__all__ = ["is_gone", "this_process"]


def this_process() -> str:
    """Name this process: host, process id and start time, which together never repeat."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid) or 0}"


def is_gone(holder: str) -> bool:
    """Tell whether the named process has certainly ended. One of another host may live: that is not certain."""
    host, _, rest = holder.rpartition("/")
    host, _, pid_text = host.rpartition("/")
    if host != socket.gethostname() or not pid_text.isdigit():
        return False
    pid = int(pid_text)
    started = _started(pid)
    if started is None:
        return not _exists(pid)
    return rest != "0" and str(started) != rest


def _started(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
