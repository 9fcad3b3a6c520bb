"""Server-sent events from bytes: lines, fields and blank lines; what an event means is the caller's."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

from cerver_core.errors import ProviderFailed

__all__ = ["MAX_EVENT_BYTES", "Event", "EventParser", "events"]

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""The largest event that is accepted. Our choice: an execution's whole capped output, escaped, fits several times."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_CR = 13


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its kind (`message` unless told), its data with lines joined by newlines, its id."""

    kind: str
    data: str
    id: str | None = None


class EventParser:
    """Takes bytes as they come and gives the events that are complete; memory stays under `max_bytes`.

    Lines end in LF, CRLF or CR. Comments and unknown fields are passed over; an event without data is none.
    """

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._scanned = 0
        self._kind = ""
        self._data: list[str] = []
        self._size = 0
        self._id: str | None = None
        self._started = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes and give the events they complete.

        Raises:
            ProviderFailed: an event is larger than allowed.
        """
        self._rest += chunk
        found: list[Event] = []
        while (line := self._next_line()) is not None:
            if event := self._take(line):
                found.append(event)
        if len(self._rest) + self._size > self._max_bytes:
            raise ProviderFailed(f"the gateway sent an event of more than {self._max_bytes:,} bytes")
        return found

    def _next_line(self) -> str | None:
        found = _LINE_END.search(self._rest, self._scanned)
        # A CR at the very end may be half of a CRLF: the next bytes tell.
        if found is None or (found.end() == len(self._rest) and self._rest[-1] == _CR):
            self._scanned = found.start() if found else len(self._rest)
            return None
        start, end = found.span()
        line = self._rest[:start].decode("utf-8", "replace")
        del found, self._rest[:end]
        self._scanned = 0
        if not self._started:
            self._started = True
            line = line.removeprefix("\ufeff")
        return line

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._finish()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _finish(self) -> Event | None:
        event = Event(self._kind or "message", "\n".join(self._data), self._id) if self._data else None
        self._kind, self._data, self._size = "", [], 0
        return event


async def events(chunks: AsyncIterable[bytes], max_bytes: int = MAX_EVENT_BYTES) -> AsyncGenerator[Event]:
    """Yield the events of a stream of bytes; an event cut off by the end of the stream is dropped."""
    parser = EventParser(max_bytes)
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
