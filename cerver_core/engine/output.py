"""One output stream on its way from a provider to a reader: redacted first, then kept head and tail."""

import codecs

from cerver_core.engine.masking import LiveText, Masking
from cerver_core.redaction import Redactor
from cerver_core.render.cut import HeadTail

__all__ = ["OUTPUT_CAP_BYTES", "Capture"]

OUTPUT_CAP_BYTES = 1024 * 1024
"""How much of each stream is kept, head and tail. Our choice."""


class Capture:
    """Takes the bytes of one stream as they come; memory is bounded by the cap whatever flows through."""

    def __init__(self, redactor: Redactor, masking: Masking) -> None:
        self._redacting = redactor.stream()
        self._masking = masking
        self._live = LiveText(masking.detection)
        self._kept = HeadTail(OUTPUT_CAP_BYTES)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def take(self, data: bytes) -> str:
        """Take a piece; gives the text that may be shown now, which can be less or more than the piece."""
        clean = self._redacting.feed(data)
        self._kept.feed(clean)
        return self._live.take(self._decoder.decode(clean))

    def finish(self) -> str:
        """Give the text that was held back, at the end of the stream."""
        clean = self._redacting.finish()
        self._kept.feed(clean)
        return self._live.take(self._decoder.decode(clean, final=True)) + self._live.finish()

    def text(self) -> str:
        """Give what was kept of the whole stream."""
        return self._masking.detected(self._kept.text())

    @property
    def total_bytes(self) -> int:
        """Tell how many bytes flowed, after redaction."""
        return self._kept.total_bytes

    @property
    def truncated(self) -> bool:
        """Tell whether something between head and tail was left out."""
        return self._kept.truncated
