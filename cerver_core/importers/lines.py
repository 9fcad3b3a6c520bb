"""Streams of JSON lines: read in order at a flat cost of memory, gathered into batches; nothing knows a format here."""

import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Generic, NamedTuple, TypeVar

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Batch, Conversation, Tally
from cerver_core.importers.values import Record, parsed
from cerver_core.wire.transcripts import NewEntry

__all__ = ["MAX_LINE_BYTES", "Gathered", "Line", "Recent", "json_lines", "opened", "read_lines"]

MAX_LINE_BYTES = 64 * 1024 * 1024
"""A longer line is passed over as malformed."""

_LOOK_BYTES = 16 * 1024 * 1024
"""A document without one known record up to here is none of its source's."""

_BATCH_ENTRIES = 400
_BATCH_BYTES = 1024 * 1024

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Line(NamedTuple):
    """One line that holds an object: its number from 1, its place in bytes, and the object."""

    number: int
    begin: int
    end: int
    value: Record


class Recent(dict[KeyT, ValueT], Generic[KeyT, ValueT]):
    """Remembers the newest things only, so that memory does not grow with the document."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: KeyT, value: ValueT) -> None:
        """Remember one, and forget the oldest when there are too many."""
        self[key] = value
        if len(self) > self._most:
            del self[next(iter(self))]


class Gathered:
    """Entries that wait to be handed on, per conversation."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Conversation, list[NewEntry]]] = {}
        self._count = 0
        self._bytes = 0

    @property
    def is_enough(self) -> bool:
        """Tell whether it is time to hand on."""
        return self._count >= _BATCH_ENTRIES or self._bytes >= _BATCH_BYTES

    def add(self, conversation: Conversation, new: NewEntry | None) -> None:
        """Take an entry in; nothing for null."""
        if new is None:
            return
        waiting = self._waiting.get(conversation.id)
        if waiting is None:
            waiting = self._waiting[conversation.id] = (conversation, [])
        waiting[1].append(new)
        self._count += 1
        self._bytes += len(new.content)

    def weigh(self, size_bytes: int) -> None:
        """Count bytes that were read, whatever came of them."""
        self._bytes += size_bytes

    def take(self, end: int | None) -> Iterator[Batch]:
        """Hand on what waits."""
        waiting, self._waiting, self._count, self._bytes = self._waiting, {}, 0, 0
        for conversation, entries in waiting.values():
            for start in range(0, len(entries), _BATCH_ENTRIES):
                yield Batch(conversation, entries[start : start + _BATCH_ENTRIES], end)


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """Open a document to read.

    Raises:
        FileMissing: it is not there.
        InvalidInput: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise FileMissing(f"there is no file {path} any more") from error
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error


def json_lines(stream: BinaryIO, tally: Tally) -> Iterator[Line]:
    """Yield the lines that hold objects; others are counted, blank ones ignored, an unfinished last one left alone."""
    number, begin = 0, 0
    while data := stream.readline(MAX_LINE_BYTES):
        number += 1
        end, is_whole = begin + len(data), data.endswith(b"\n")
        if not is_whole and len(data) == MAX_LINE_BYTES:
            end += _skip_line(stream)
            tally.complain(number, f"longer than {MAX_LINE_BYTES // 1024 // 1024} MB")
        elif (text := data.strip(b" \t\r\n\0")) and (
            value := _object(text, number, tally, is_whole=is_whole)
        ) is not None:
            yield Line(number, begin, end, value)
        if tally.is_torn:
            return
        tally.checksum = zlib.crc32(data, tally.checksum)
        tally.read_to = begin = end


def read_lines(
    stream: BinaryIO, tally: Tally, gathered: Gathered, take_in: Callable[[Line], None], what: str
) -> Iterator[Batch]:
    """Read a whole stream through `take_in`, which adds entries to `gathered` and counts known records.

    Raises:
        InvalidInput: no line of it is a known record of `what`.
    """
    end = 0
    for line in json_lines(stream, tally):
        take_in(line)
        end = line.end
        gathered.weigh(line.end - line.begin)
        if gathered.is_enough:
            yield from gathered.take(end)
        if not tally.known and end > _LOOK_BYTES:
            break
    if not tally.known and (end or tally.malformed or tally.is_torn):
        raise InvalidInput(f"{tally.path} is not a transcript of {what}: no line of it is a record of one")
    yield from gathered.take(end)


def _object(text: bytes, number: int, tally: Tally, *, is_whole: bool) -> Record | None:
    try:
        value = parsed(text)
    except ValueError:
        if is_whole:
            tally.complain(number, "not JSON")
        else:
            tally.is_torn = True
        return None
    if not isinstance(value, dict):
        tally.complain(number, "not a JSON object")
        return None
    return value


def _skip_line(stream: BinaryIO) -> int:
    skipped = 0
    while data := stream.readline(MAX_LINE_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
