"""The few bytes between the host and a supervisor: a request with its pipes, and how it ended.

Requests come from the host and are trusted, so they are marshalled. Replies come from where foreign code runs, so
they are one fixed record that the host checks.
"""

from __future__ import annotations

import array
import marshal
import os
import socket
import struct
import sys
from typing import Any

__all__ = [
    "ENDED",
    "INLINE_BYTES",
    "KIND",
    "MOVED",
    "TIMED_OUT",
    "Request",
    "encode",
    "receive",
    "reply_cannot",
    "reply_ended",
    "send",
]

ENDED = struct.Struct("!BHBH")
TIMED_OUT, MOVED = 1, 2
"""Flags of the record: the deadline ended it; it started at the root, as its folder was gone."""

INLINE_BYTES = 16 * 1024
"""A larger request goes in a file of its own: what is sent on the socket must go whole or not at all."""

KIND = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_STREAM) if sys.platform == "linux" else socket.SOCK_STREAM
"""Of the channel's socket: several supervisors read it, and each must get a whole request."""

_MOST_DESCRIPTORS = 4
Request = dict[str, Any]
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def encode(request: Request) -> bytes:
    """Give the bytes of a request."""
    return marshal.dumps(request, 2)


def send(channel: socket.socket, body: bytes, descriptors: list[int]) -> None:
    """Send a request with its control socket and write ends; an empty one stands in a file, the fourth descriptor.

    Raises:
        BlockingIOError: the channel is full; nothing was sent.
    """
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    channel.sendmsg([body or b"\0"], rights)


def receive(channel: int) -> tuple[Request, list[int]] | None:
    """Wait for the next request and its descriptors; null when the host has closed the channel."""
    inlet = socket.socket(fileno=channel)
    try:
        rights = array.array("i")
        space = socket.CMSG_SPACE(_MOST_DESCRIPTORS * rights.itemsize)
        body, ancillary, _, _ = inlet.recvmsg(INLINE_BYTES, space, _CLOSE_ON_EXEC)
        for _, _, data in ancillary:
            rights.frombytes(data[: len(data) - len(data) % rights.itemsize])
        descriptors = list(rights)
        if not descriptors:
            return None
        if not _CLOSE_ON_EXEC:
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
        if len(descriptors) == _MOST_DESCRIPTORS:
            body = _read_spool(descriptors.pop())
        return marshal.loads(body), descriptors  # noqa: S302 - comes from the host
    finally:
        inlet.detach()


def reply_ended(control: int, code: int, *, flags: int, cwd: bytes) -> None:
    """Tell the host how the command ended and where its shell stood; the host may be gone."""
    _reply(control, ENDED.pack(1, code, flags, len(cwd)) + cwd)


def reply_cannot(control: int, error: OSError) -> None:
    """Tell the host that the command could not be started, and why."""
    text = (error.strerror or str(error)).encode()[:1000]
    _reply(control, ENDED.pack(2, error.errno or 0, 0, len(text)) + text)


def _reply(control: int, record: bytes) -> None:
    try:
        os.write(control, record)
    except OSError:
        return


def _read_spool(file: int) -> bytes:
    with os.fdopen(file, "rb") as spool:
        spool.seek(0)
        return spool.read()
