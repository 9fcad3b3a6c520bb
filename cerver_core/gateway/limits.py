"""How much a request may bring and how long it may take; all of it our choice, and documented in docs/hosting.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cerver_core.wire.operations import Operation

__all__ = ["Limits"]

_MIB = 1024 * 1024

_BODY_BYTES: Mapping[str, int] = {
    "transcripts.append": 64 * _MIB,
    "transcripts.import": 256 * _MIB,
    "transcripts.redact": 48 * _MIB,
    "computes.exec": 16 * _MIB,
    "computes.exec_stream": 16 * _MIB,
    "files.write": 64 * _MIB,
    "sandboxes.run": 16 * _MIB,
    "sandboxes.run_stream": 16 * _MIB,
    "sandboxes.write_file": 64 * _MIB,
    "files.upload": 1024 * _MIB,
}
"""One entry may hold 32 MiB of text and code 4 MiB, and JSON writes some characters as several."""

_SLOW = frozenset(
    {"sessions.create", "sessions.spawn", "sessions.attach", "sessions.pause", "sessions.resume"}
    | {
        "sandboxes.create",
        "sandboxes.delete",
        "sessions.terminate",
        "sessions.close",
        "sessions.switch",
        "transcripts.import",
        "transcripts.redact",
    }
)
_MOVES = frozenset({"files.read", "files.write", "files.upload", "files.download"}) | {
    "sandboxes.files",
    "sandboxes.write_file",
}
_OWN = frozenset({"computes.exec", "computes.install", "sandboxes.run", "sandboxes.install"})
"""These end by the session's own limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. A test makes them small.

    `header_bytes`: request line and headers together. `header_s`: how long they may take to come, from the opening of
    a connection or the end of the request before. `body_pause_s`: how long a body may stand still. `body_s`: how long
    a JSON body may take in all. `answer_s`: how long an answer that makes no sandbox may take. `drain_s`: how long
    requests may go on after the gateway was told to stop. `page_bytes`: the largest page of a transcript or an export.
    `file_bytes`: the largest file that is read in one answer. `socket_message_bytes`: the largest message of a
    socket.
    """

    header_bytes: int = 64 * 1024
    header_s: float = 20
    body_bytes: int = _MIB
    bodies: Mapping[str, int] = field(default_factory=lambda: dict(_BODY_BYTES))
    body_pause_s: float = 20
    body_s: float = 120
    answer_s: float = 60
    slow_answer_s: float = 300
    move_s: float = 3_600
    send_s: float = 60
    heartbeat_s: float = 15
    drain_s: float = 20
    page_bytes: int = 32 * _MIB
    file_bytes: int = 256 * _MIB
    socket_message_bytes: int = 64 * 1024

    def body_of(self, operation: Operation) -> int:
        """Give the largest body of an operation."""
        return self.bodies.get(operation.name, self.body_bytes)

    def answer_of(self, operation: Operation) -> float | None:
        """Give the longest time an operation may take; null when it has a limit of its own."""
        if operation.name in _OWN or operation.streams:
            return None
        if operation.name in _MOVES:
            return self.move_s
        return self.slow_answer_s if operation.name in _SLOW else self.answer_s
