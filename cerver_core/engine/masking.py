"""What is masked before anything is kept or answered: secrets this process knows, credentials that nobody named."""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from cerver_core.credentials import find_credentials, mask_credentials, mask_json
from cerver_core.redaction import KnownSecrets, Redactor

__all__ = ["Detection", "LiveText", "Masking"]

Detection = Literal["off", "detect", "on"]
"""What is done about credentials that nobody named: nothing, a warning in the log, or a mask in their place."""

_log = logging.getLogger(__name__)


class Masking:
    """Masks texts and JSON values: the secrets this process knows, and credentials that nobody named."""

    def __init__(self, known: KnownSecrets, detection: Detection = "on") -> None:
        self._known = known
        self.detection: Detection = detection

    @property
    def redactor(self) -> Redactor:
        """What masks the secrets this process knows."""
        return self._known.redactor

    def text(self, value: str) -> str:
        """Mask a text."""
        return self.detected(self.redactor.text(value))

    def object(self, value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Mask a JSON object."""
        masked = self.detected_json(self.redactor.json(dict(value)))
        return masked if isinstance(masked, dict) else {}

    def detected(self, value: str) -> str:
        """Mask the credentials in a text, as far as the setting says so."""
        if self.detection == "on":
            return mask_credentials(value)
        if self.detection == "detect":
            _warn(Counter(one.kind for one in find_credentials(value)))
        return value

    def detected_json(self, value: JsonValue) -> JsonValue:
        """Mask the credentials in a JSON value, as far as the setting says so."""
        if self.detection == "on":
            return mask_json(value)
        if self.detection == "detect":
            counts: Counter[str] = Counter()
            mask_json(value, counts)
            _warn(counts)
        return value


class LiveText:
    """Masks credentials in text that comes in pieces: within a piece, and where one was cut within a word.

    The last word of a piece is held back until more comes, since it may be half of a credential. One that spans lines
    can go through: the record of the whole, which is masked at the end, is what stays.
    """

    def __init__(self, detection: Detection) -> None:
        self._is_on = detection == "on"
        self._held = ""

    def take(self, piece: str) -> str:
        """Take a piece; gives what may be shown now."""
        if not self._is_on:
            return piece
        text = self._held + piece
        word = _LAST_WORD.search(text)
        cut = word.start() if word is not None else len(text)
        self._held = text[cut:]
        return mask_credentials(text[:cut])

    def finish(self) -> str:
        """Give what was held back, masked, at the end."""
        held, self._held = self._held, ""
        return mask_credentials(held)


def _warn(counts: Counter[str]) -> None:
    if counts:
        _log.warning("kept as they are: %s", ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())))


_LAST_WORD = re.compile(r"(?<!\S)\S{1,4096}\Z")
