"""Confine this process with Landlock: files by allow-list, TCP, and reaching out of the domain. Linux only.

The numbers are those of the kernel's `linux/landlock.h`; what this kernel does not know yet is left out, and `version`
tells the caller what to promise.
"""

from __future__ import annotations

import ctypes
import os
import stat

__all__ = ["confine", "version"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_RIGHTS_BY_VERSION = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From this version on, this many rights are known."""

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP_BIND_AND_CONNECT = 3
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2
_NET_VERSION, _SCOPE_VERSION = 4, 6


def version() -> int:
    """Tell the Landlock version of this kernel; 0 when it has none."""
    return max(0, _syscall(_CREATE_RULESET, None, 0, _ASK_VERSION))


def confine(readable: list[str], writable: list[str], *, network: bool) -> None:
    """Allow reading below `readable` and everything but devices below `writable`, and nothing else, for good.

    Paths that do not exist are passed over. Without `network`, TCP is denied where the kernel can.
    """
    known = version()
    if known == 0:
        raise OSError("this kernel has no Landlock")
    rights = (1 << max(count for since, count in _RIGHTS_BY_VERSION if known >= since)) - 1
    ruleset = _ruleset(known, rights, 0 if network else _TCP_BIND_AND_CONNECT, _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)
    try:
        for path in readable:
            _allow(ruleset, path, rights & _READ)
        for path in writable:
            _allow(ruleset, path, rights & ~(_MAKE_CHAR | _MAKE_BLOCK))
        _restrict(ruleset)
    finally:
        os.close(ruleset)


def _ruleset(known: int, files: int, tcp: int, scopes: int) -> int:
    fields = [files]
    if known >= _NET_VERSION:
        fields.append(tcp)
    if known >= _SCOPE_VERSION:
        fields.append(scopes)
    attributes = (ctypes.c_uint64 * len(fields))(*fields)
    return _checked(_syscall(_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0), "landlock_create_ruleset")


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _FOR_FILES
        rule = _PathBeneath(rights, parent)
        _checked(_syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0), "landlock_add_rule")
    finally:
        os.close(parent)


def _restrict(ruleset: int) -> None:
    _checked(_syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")


def _syscall(number: int, *arguments: object) -> int:
    return ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)


def _checked(result: int, name: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result
