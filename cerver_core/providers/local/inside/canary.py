"""Try what the isolation should not allow, from inside; the host judges what came of it."""

# pathlib would double what is loaded inside a sandbox
# ruff: noqa: PTH115, PTH123
from __future__ import annotations

import fcntl
import mmap
import os
import signal
import socket
import time

from . import privileges, wire

__all__ = ["start"]

_WAIT_S = 1.0
_STAY_S = 60.0
_MEMORY_BYTES = 256 * 1024 * 1024


def start(request: wire.Request, out: int) -> int:
    """Fork a child that tries everything, writes one line for each attempt to `out`, and stays."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        lines = [f"{name} {_outcome(name, request)}\n" for name in _ATTEMPTS]
        _leave_daemon(request["lock"])
        os.write(out, "".join(lines).encode() + b"end\n")
        time.sleep(_STAY_S)
        os._exit(0)
    return pid


def _outcome(name: str, request: wire.Request) -> str:
    try:
        return _ATTEMPTS[name](request)
    except OSError as error:
        return f"refused {error.strerror or error}"


def _write_outside(request: wire.Request) -> str:
    file = os.open(request["outside"], os.O_WRONLY | os.O_CREAT, 0o600)
    os.close(file)
    return "done"


def _read_secret(request: wire.Request) -> str:
    with open(request["secret"], "rb") as file:
        return "done" if file.read() == request["token"].encode() else "refused another file"


def _open_kernel_settings(request: wire.Request) -> str:
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    return "done"


def _connect(request: wire.Request) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(_WAIT_S)
        tcp.connect(("127.0.0.1", request["tcp_port"]))
    return "done"


def _send_datagram(request: wire.Request) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(request["token"].encode(), ("127.0.0.1", request["udp_port"]))
    return "done"


def _signal_host(request: wire.Request) -> str:
    os.kill(request["host_pid"], 0)
    return "done" if _same_namespace(request) else "refused another process"


def _see_host(request: wire.Request) -> str:
    with open(f"/proc/{request['host_pid']}/environ", "rb") as file:
        file.read(1)
    return "done" if _same_namespace(request) else "refused another process"


def _same_namespace(request: wire.Request) -> bool:
    try:
        return os.readlink("/proc/self/ns/pid") == request["pid_namespace"]
    except OSError:
        return True


def _exceed_memory(request: wire.Request) -> str:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            privileges.limit_memory(_MEMORY_BYTES)
            mmap.mmap(-1, 2 * _MEMORY_BYTES)
        except (OSError, MemoryError, ValueError):
            code = 0
        os._exit(code)
    return "refused by the limit" if os.waitpid(child, 0)[1] == 0 else "done"


def _hold_privileges(request: wire.Request) -> str:
    held: dict[str, str] = {}
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            held[name] = value.strip()
    if int(held.get("CapEff", "0"), 16) or (int(held.get("CapBnd", "0"), 16) and os.geteuid() == 0):
        return "done"
    return "refused no_new_privs" if held.get("NoNewPrivs") == "1" else "done"


def _leave_daemon(lock: str) -> None:
    """Detach a process that ignores SIGTERM and holds a lock: the host sees by it whether the process was ended."""
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(_STAY_S)
        os._exit(0)
    os.close(held)


_ATTEMPTS = {
    "filesystem_write": _write_outside,
    "kernel_settings": _open_kernel_settings,
    "filesystem_read": _read_secret,
    "tcp": _connect,
    "udp": _send_datagram,
    "signals": _signal_host,
    "environ": _see_host,
    "memory": _exceed_memory,
    "privileges": _hold_privileges,
}
