"""Finds credentials in text and masks them; what they look like is in the rules.

A vendor's key is a run of sixteen and more letters and digits, which ordinary text seldom has: only before and in such
runs the keywords are looked for, and only beside a keyword its rules. So text without credentials costs little.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import JsonValue

from cerver_core.credentials.rules import Rule, snapshot_rules
from cerver_core.credentials.supplement import SUPPLEMENT

__all__ = ["Finding", "find_credentials", "mask_credentials", "mask_json"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A credential of a kind between two places of a text."""

    start: int
    end: int
    kind: str


def find_credentials(text: str) -> Sequence[Finding]:
    """Find the credentials, in order and apart from each other; of two in one place the longer one."""
    found = list(_candidates(text)) if len(text) >= _FEWEST_LETTERS else []
    apart: list[Finding] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
        elif one.end > apart[-1].end:
            apart[-1] = Finding(apart[-1].start, one.end, apart[-1].kind)
    return apart


def mask_credentials(text: str, counts: Counter[str] | None = None) -> str:
    """Put `[redacted:KIND]` in the place of each credential; counts them by kind. A clean text comes back as it is."""
    pieces: list[str] = []
    written = 0
    for one in find_credentials(text):
        pieces += (text[written : one.start], f"[redacted:{one.kind}]")
        written = one.end
        if counts is not None:
            counts[one.kind] += 1
    return "".join((*pieces, text[written:])) if pieces else text


def mask_json(value: JsonValue, counts: Counter[str] | None = None) -> JsonValue:
    """Mask in every string of a JSON value; the key of a string counts as the words before it."""
    if isinstance(value, str):
        return mask_credentials(value, counts)
    if isinstance(value, list):
        return [mask_json(item, counts) for item in value]
    if isinstance(value, dict):
        return {mask_credentials(key, counts): _named(key, item, counts) for key, item in value.items()}
    return value


def _named(key: str, value: JsonValue, counts: Counter[str] | None) -> JsonValue:
    if not isinstance(value, str):
        return mask_json(value, counts)
    opening = f'{key}="'
    said = f'{opening}{value}"'
    masked = mask_credentials(said, counts)
    if masked == said:
        return value
    return masked[len(opening) : -1] if masked.startswith(opening) and masked.endswith('"') else mask_json(value)


def _candidates(text: str) -> Iterator[Finding]:
    plain = _without_escapes(text)
    data = plain.encode("ascii", "replace").lower()  # a byte a letter: places in it are places in the text
    rules = _rules()
    clear: dict[int, int] = {}
    for start, end in _windows(data):
        for hit in rules.heads.finditer(data, start, end):
            for keyword, members in rules.by_head[hit[1]]:
                if data.startswith(keyword, hit.start()):
                    yield from _near(plain, hit.start(), members, clear)
    for keyword, letter, members in rules.anywhere:
        position = data.find(keyword) if letter in data else -1
        while position >= 0:
            yield from _near(plain, position, members, clear)
            position = data.find(keyword, position + len(keyword))


def _without_escapes(text: str) -> str:
    """Put blanks in the place of the escapes that a text within a text has; every place stays where it is."""
    if "\\" in text:
        for escape in ("\\n", "\\r", "\\t"):
            text = text.replace(escape, "  ")
        text = text.replace('\\"', ' "')
    return text


def _near(text: str, position: int, rules: Sequence[Rule], clear: dict[int, int]) -> Iterator[Finding]:
    """Try rules at a keyword; `clear` tells of each, by its identity, up to where there is nothing to find."""
    for rule in rules:
        if position < clear.get(id(rule), 0):
            continue
        span = rule.secret(text, position)
        if isinstance(span, tuple):
            yield Finding(*span, rule.kind)
        else:
            clear[id(rule)] = span


def _windows(data: bytes) -> Iterator[tuple[int, int]]:
    """Give the parts of a text in which a keyword may stand: beside the long runs of letters and digits.

    A run with a digit may be a secret that is named before it; another one is a secret only if it begins with a name.
    """
    folded = data.translate(_FOLDED)
    done = 0
    start = folded.find(_LONG_RUN)
    while start >= 0:
        end = folded.find(b" ", start + len(_LONG_RUN))
        end = len(data) if end < 0 else end
        looked_at = min(end, start + _HEAD_OF_RUN)
        if _DIGIT.search(data, start, looked_at):
            window = start - _BEFORE_RUN, looked_at
        else:
            window = start - _JUST_BEFORE_RUN, start + _HEAD
        if window[1] > done:
            yield max(done, window[0]), window[1]
            done = window[1]
        start = folded.find(_LONG_RUN, end)


@dataclass(frozen=True, slots=True)
class _Rules:
    heads: re.Pattern[bytes]
    by_head: Mapping[bytes, Sequence[tuple[bytes, Sequence[Rule]]]]
    anywhere: Sequence[tuple[bytes, int, Sequence[Rule]]]


@cache
def _rules() -> _Rules:
    by_keyword: dict[bytes, list[Rule]] = {}
    for rule in snapshot_rules():
        for keyword in rule.keywords:
            by_keyword.setdefault(keyword.encode(), []).append(rule)
    by_head: dict[bytes, list[tuple[bytes, Sequence[Rule]]]] = {}
    for keyword, members in by_keyword.items():
        head = next(size for size in range(1, _HEAD + 1) if keyword[:size] in by_keyword or size == _HEAD)
        by_head.setdefault(keyword[:head], []).append((keyword, members))
    anywhere = [
        (keyword.encode(), ord(_NEEDED.get(keyword, keyword[0])), (rule,))
        for rule in SUPPLEMENT
        for keyword in rule.keywords
    ]
    # The look ahead makes every place a match of its own, since one keyword may begin within another.
    return _Rules(re.compile(b"(?=(" + _any_of([*by_head]) + b"))"), by_head, anywhere)


def _any_of(heads: Sequence[bytes]) -> bytes:
    """Write a pattern for any of the heads; branching letter by letter makes the search fast."""
    branches: dict[bytes, list[bytes]] = {}
    for head in sorted(heads):
        branches.setdefault(head[:1], []).append(head[1:])
    written = [re.escape(letter) + (b"" if b"" in rest else _any_of(rest)) for letter, rest in branches.items()]
    return written[0] if len(written) == 1 else b"(?:" + b"|".join(written) + b")"


_HEAD = 5
_FEWEST_LETTERS = 12
_LONG_RUN = b"x" * 16
_HEAD_OF_RUN = 256
_BEFORE_RUN = 100
_JUST_BEFORE_RUN = 1
_DIGIT = re.compile(rb"[0-9]")
_NEEDED = {
    "private key": "-",
    "api-key": "-",
    "x-auth-token": "-",
    "curl": "-",
    "authorization": "z",
    "password": ";",
    "pwd": ";",
    "://": "@",
}
"""A letter without which there is none: a text is looked through for one letter ten times as fast as for a word."""

_RUN_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_FOLDED = bytes(120 if byte in _RUN_LETTERS else 32 for byte in range(256))
