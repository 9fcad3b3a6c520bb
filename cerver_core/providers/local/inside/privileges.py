"""Ask the kernel for less: no new privileges, no capabilities, child of nobody, limits. Landlock has its own module."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

__all__ = ["adopt_orphans", "die_with_parent", "drop_capabilities", "forbid_new_privileges", "limit", "limit_memory"]

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_OPEN_FILES = 10_240 if sys.platform == "darwin" else 65_536


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends. Linux only; elsewhere nothing happens."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have SIGTERM sent here when the parent ends. Linux only."""
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def forbid_new_privileges() -> None:
    """Make setuid and file capabilities void for this process and all it starts. Linux only."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability for good; a no-op for an ordinary user."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_LAST_CAPABILITY + 1):
        _prctl(_PR_CAPBSET_DROP, number)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc().capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def limit() -> None:
    """Set the limits that hold for every command: no core files, many open files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))


def limit_memory(size_bytes: int) -> None:
    """Bound the address space of this process and, each for itself, of all it starts. macOS keeps to no such limit."""
    if sys.platform != "darwin":
        resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        _libc().prctl(option, value, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
