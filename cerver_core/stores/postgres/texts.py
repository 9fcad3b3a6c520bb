"""Text as Postgres can keep it: it knows no NUL, so one is written as two other signs, keeping order and prefixes."""

from collections.abc import Sequence
from typing import Any

__all__ = ["DIRECTORY", "kept", "kept_all", "plain", "plain_all"]

_MARK = "\x01"
_NUL = "\x01\x01"
_MARK_ITSELF = "\x01\x02"

DIRECTORY = "\x01"
"""Stands where an account's name would for what belongs to none; no account's name is kept as this."""


def kept(text: str) -> str:
    """Write a text as it is kept. Two texts compare as their kept forms do, byte by byte."""
    if "\0" not in text and _MARK not in text:
        return text
    return text.replace(_MARK, _MARK_ITSELF).replace("\0", _NUL)


def plain(text: str) -> str:
    """Read a text as it was before it was kept."""
    if _MARK not in text:
        return text
    return text.replace(_NUL, "\0").replace(_MARK_ITSELF, _MARK)


def kept_all(values: Sequence[Any]) -> list[Any]:
    """Write the texts among some values as they are kept."""
    return [kept(value) if isinstance(value, str) else value for value in values]


def plain_all(values: Sequence[Any]) -> list[Any]:
    """Read the texts among some values as they were."""
    return [plain(value) if isinstance(value, str) else value for value in values]
