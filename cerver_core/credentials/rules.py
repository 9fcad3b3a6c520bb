"""The rules of what is a credential: the snapshot's and the supplement's, read once and compiled when first needed."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from cerver_core.credentials.patterns import to_python

__all__ = ["FARTHEST_REACH", "Rule", "snapshot_rules"]

FARTHEST_REACH = 8_192
"""Of a longer secret the rest stays; there is none but a private key, which has no letter to lose."""


@dataclass(frozen=True)
class Rule:
    """Tells one kind of credential. `pattern` is as Go writes it; `keywords` are lower-case, one is in every match.

    The secret is group `group`, by default the first one that took part, else the whole match. It is one only when its
    entropy in bits a letter is over `entropy`, no `refused` pattern is found in it and every `needed` one is.
    `is_worded` says that ordinary words could match and digits must be among them. `reach` is the longest match.
    """

    kind: str
    pattern: str
    keywords: Sequence[str]
    entropy: float = 0.0
    group: int | None = None
    is_worded: bool = False
    refused: Sequence[str] = ()
    needed: Sequence[str] = ()
    reach: int = FARTHEST_REACH

    def secret(self, text: str, keyword_at: int) -> tuple[int, int] | int:
        """Find the secret whose keyword stands at a place of a text, as its two ends.

        Without one, tells up to where no keyword need be looked at: a text full of them is not searched anew for each.
        """
        # One more than it can reach: the end of what is searched must not pass for the end of the text.
        start, end = max(0, keyword_at - _BEFORE_KEYWORD), keyword_at + self.reach + 1
        while (found := self._compiled.search(text, start, end)) is not None and found.start() <= keyword_at:
            span = found.span(self._group(found))
            if found.end() > keyword_at and self._is_plausible(text[span[0] : span[1]]):
                return span
            start = found.end()
        return keyword_at + self.reach // 2 if found is None else found.start()

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return _compiled(self.pattern)

    @cached_property
    def _checks(self) -> tuple[Sequence[re.Pattern[str]], Sequence[re.Pattern[str]]]:
        return [_compiled(one) for one in (*self.refused, *_NO_SECRETS)], [_compiled(one) for one in self.needed]

    def _group(self, found: re.Match[str]) -> int:
        if self.group is not None:
            return self.group
        return next((number for number in range(1, found.re.groups + 1) if found[number]), 0)

    def _is_plausible(self, secret: str) -> bool:
        if _entropy(secret) <= self.entropy:
            return False
        if self.is_worded and sum(letter.isdigit() for letter in secret) < _FEWEST_DIGITS:
            return False
        refused, needed = self._checks
        return all(one.search(secret) for one in needed) and not any(one.search(secret) for one in refused)


@cache
def snapshot_rules() -> tuple[Rule, ...]:
    """Read the rules that were taken from elsewhere; the package's docstring says from where."""
    document = json.loads(files("cerver_core.credentials").joinpath("rules.json").read_text(encoding="utf-8"))
    return tuple(Rule(**rule) for rule in document["rules"])


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(to_python(pattern), re.ASCII)


def _entropy(text: str) -> float:
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


_BEFORE_KEYWORD = 256
_FEWEST_DIGITS = 2
_NO_SECRETS = (
    r"^(?:[\w.]*\$\{?[A-Za-z_]\w*}?|\$?\{\{.*}}|\{.*}|<.*>|\[.*\]|%\(?\w+\)?s?%?|@\w+@|(.)\1*)$",
    r"(?i)example|placeholder|changeme|your[_-]|abcdefghijklmnop|x{6}|\*{3}|\.{3}|redacted",
)
"""What stands where a secret would: a variable, a template, a mask."""
