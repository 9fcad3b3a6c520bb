"""One large JSON object that holds a list: read item by item at a flat cost of memory; nothing here knows a format."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from cerver_core.importers.values import Record, as_record, parsed

__all__ = ["array_items"]

_CHUNK_BYTES = 256 * 1024
_MAX_ITEM_CHARACTERS = 64 * 1024 * 1024
_BETWEEN = re.compile(r"[\s,]*")
_SCAN = json.JSONDecoder(strict=False)


class _Window:
    """A piece of a stream of text, from `at` on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.at = 0

    def widen(self) -> bool:
        """Read on, as much as is held already; tell whether there was more."""
        self.text, self.at = self.text[self.at :], 0
        if len(self.text) > _MAX_ITEM_CHARACTERS:
            raise ValueError(f"a part longer than {_MAX_ITEM_CHARACTERS // 1024 // 1024} million characters")
        data = self._stream.read(max(_CHUNK_BYTES, len(self.text)))
        self.text += self._decoder.decode(data, final=not data)
        return bool(data)

    def widened_whole(self) -> str:
        """Read to the end."""
        while self.widen():
            pass
        return self.text


def array_items(stream: BinaryIO, key: str, about: Record) -> Iterator[str]:
    """Yield the JSON text of each item of the list that stands under `key`; the other members go into `about`.

    Those before the list are there when the first item comes, those behind it after the last.

    Raises:
        ValueError: it is no such object, or ends in its middle.
    """
    window = _Window(stream)
    opening = re.compile(rf'"{re.escape(key)}"\s*:\s*\[')
    while (found := opening.search(window.text)) is None:
        if not window.widen():
            about.update(as_record(parsed(window.text)))
            return
    about.update(as_record(parsed(window.text[: found.start()].rstrip().rstrip(",") + "}")))
    window.at = found.end()
    while (item := _item(window)) is not None:
        yield item
    rest = window.widened_whole().lstrip().removeprefix("]").lstrip().removeprefix(",")
    about.update(as_record(parsed("{" + rest)))


def _item(window: _Window) -> str | None:
    """Take the next item; null at the end of the list."""
    while True:
        between = _BETWEEN.match(window.text, window.at)
        window.at = between.end() if between else window.at
        if window.text.startswith("]", window.at):
            return None
        try:
            _, end = _SCAN.raw_decode(window.text, window.at)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        except ValueError:
            if not window.widen():
                raise ValueError("ends in its middle") from None
            continue
        start, window.at = window.at, end
        return window.text[start:end]
