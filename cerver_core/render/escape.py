"""Show characters that would hide or reorder text; whoever shows text that others wrote calls this first."""

import re
from collections.abc import Callable

__all__ = ["json_visible", "visible", "visible_line"]

# Controls but newline and tab, bidi controls, invisible fillers, separators, selectors and tags (used to smuggle text
# past a reader), lone surrogates. A single joiner or emoji selector is ordinary writing; a run of them is not.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_RUNS = re.compile("[\u200c\u200d\ufe0e\ufe0f]{3,}")
_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(9), *range(11, 32), 127)}


def visible(text: str) -> str:
    r"""Write control, bidi and invisible characters as `\u202e`; newlines and tabs stay, CRLF becomes a newline.

    Ordinary text comes back as it is. A text that already spells `\u202e` out is not told apart from an escaped one.
    """
    return _replaced(text.replace("\r\n", "\n"), _escaped)


def visible_line(text: str, limit: int) -> str:
    """Make one line of at most `limit` characters: escaped, white space joined, and cut at the end with `…`."""
    line = visible(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def json_visible(text: str) -> str:
    """Escape the same characters inside JSON text; it still means the same."""
    return _replaced(text, _json_escaped)


def _replaced(text: str, escape: Callable[[re.Match[str]], str]) -> str:
    # Most text is ASCII, and a table is twenty times as fast there as the set of characters.
    if text.isascii():
        return text.translate(_CONTROLS)
    return _RUNS.sub(escape, _HIDDEN.sub(escape, text))


def _escaped(match: re.Match[str]) -> str:
    return "".join(
        f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"
        for character in match.group()
    )


def _json_escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
