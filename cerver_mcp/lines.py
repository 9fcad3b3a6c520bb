"""JSON-RPC lines: splits what a client sends into messages and answers what is none.

Imported before the handshake is answered: the standard library only, and not `typing`, which costs milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["MAX_LINE_BYTES", "Json", "LineBuffer", "Oversized", "error_line", "parse", "result_line"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_LINE_BYTES = 80 * 1024 * 1024
"""The longest message that is read: the largest transcript entry, escaped, has room in it. Our choice."""


class Oversized:
    """Stands for a line longer than `MAX_LINE_BYTES`; its bytes were dropped."""


class LineBuffer:
    """Collects bytes and gives whole lines; memory stays bounded by the longest line allowed."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max = max_line_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, data: bytes) -> Iterator[bytes | Oversized]:
        """Take the next bytes and yield the lines they end; blank lines are left out."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            yield from self._end(piece)
        self._keep(rest)

    def rest(self) -> bytes:
        """Give what stands after the last line end."""
        return b"".join(self._parts)

    def _keep(self, piece: bytes) -> None:
        if not piece or self._dropping:
            return
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > self._max:
            self._dropping = True
            self._parts.clear()

    def _end(self, piece: bytes) -> Iterator[bytes | Oversized]:
        self._keep(piece)
        line: bytes | Oversized = Oversized() if self._dropping else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self._dropping = False
        if isinstance(line, Oversized) or line.strip():
            yield line


def parse(line: bytes | Oversized) -> tuple[dict[str, Json] | None, bytes | None]:
    """Read one line: the message and no reply, or no message and the error line to send back.

    A batch is refused: MCP has none since 2025-06-18, and the SDK would answer nothing at all.
    """
    if isinstance(line, Oversized):
        return None, error_line(None, -32600, f"Invalid request: a message may have at most {MAX_LINE_BYTES} bytes")
    try:
        message: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None, error_line(None, -32700, "Parse error: every line must be one JSON-RPC message in UTF-8")
    if isinstance(message, list):
        return None, error_line(None, -32600, "Invalid request: batches are not supported; send one message a line")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return None, error_line(None, -32600, 'Invalid request: a message is an object with "jsonrpc": "2.0"')
    if "method" in message and not isinstance(message["method"], str):
        return None, error_line(message.get("id"), -32600, "Invalid request: method must be a string")
    return message, None


def result_line(request_id: Json, result: Json) -> bytes:
    """Write a reply exactly as the SDK would."""
    return _line({"jsonrpc": "2.0", "id": request_id, "result": result})


def error_line(request_id: Json, code: int, message: str) -> bytes:
    """Write an error reply; an id that is neither a string nor a whole number becomes null."""
    known = isinstance(request_id, str | int) and not isinstance(request_id, bool)
    return _line({"jsonrpc": "2.0", "id": request_id if known else None, "error": {"code": code, "message": message}})


def _line(reply: Json) -> bytes:
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
