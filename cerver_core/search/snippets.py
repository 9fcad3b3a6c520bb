"""Cuts a short piece out of a text, round the words that matched, and marks them; escapes nothing."""

from collections.abc import Sequence

from cerver_core.search.words import Word

__all__ = ["MARK", "snippet"]

MARK = "**"
"""Stands before and behind each word that matched."""


def snippet(text: str, marks: Sequence[Word], limit: int = 240) -> str:
    """Give at most `limit` characters of a text, and the marks, on one line, where most of the matched words stand.

    What is left out at either end shows as `…`. Without marks it is the beginning.
    """
    start = _start(text, marks, limit)
    end = min(len(text), start + limit)
    start, end = _at_words(text, start, end)
    pieces: list[str] = []
    at = start
    for word in sorted(set(marks), key=lambda one: one.start):
        if word.start < at or word.end > end:
            continue
        pieces += [text[at : word.start], MARK, text[word.start : word.end], MARK]
        at = word.end
    pieces.append(text[at:end])
    line = " ".join("".join(pieces).split())
    return ("…" if start > 0 else "") + line + ("…" if end < len(text) else "")


def _start(text: str, marks: Sequence[Word], limit: int) -> int:
    """Choose the window that holds the most different words, the first of those that are as good."""
    if len(text) <= limit or not marks:
        return 0
    ordered = sorted(marks, key=lambda word: word.start)
    best, first = 0, ordered[0]
    for number, word in enumerate(ordered[:200]):
        inside = {other.text for other in ordered[number : number + 40] if other.end <= word.start + limit - 40}
        if len(inside) > best:
            best, first = len(inside), word
    return max(0, min(first.start - 40, len(text) - limit))


def _at_words(text: str, start: int, end: int) -> tuple[int, int]:
    if start > 0:
        space = text.find(" ", start, start + 24)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", end - 24, end)
        end = space if space > start else end
    return start, end
