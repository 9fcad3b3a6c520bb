"""Reads entries and scores them for a query, and says how all evidence of a search is weighed; counts nothing."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cerver_core.search.query import Query
from cerver_core.search.telling import Sentence, Telling
from cerver_core.search.texts import EntryText, Part
from cerver_core.search.words import Word, words

__all__ = ["DEFAULT_WEIGHTS", "RELATIVE", "TOOL", "Corpus", "Evidence", "Judge", "Weights", "holds_phrase"]

RELATIVE = 0.7
"""What a word that often means the same counts for, at the most, beside the word itself."""

TOOL = 0.4
"""What a word in the input or output of a tool counts for, beside one that was said."""

_MOST_CHARACTERS = 40_000

Mark = tuple[int, float, Word]
"""A term, what it counts for, and where it stands."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How evidence is weighed; tuned on one half of a set of questions, reported on the other."""

    k1: float = 1.2
    b: float = 0.35
    session: float = 1.0
    best_entry: float = 1.5
    more_entries: float = 0.25
    near: float = 0.5
    farther: float = 0.25
    proximity: float = 0.35
    named: float = 1.5
    in_range: float = 0.5
    coverage: float = 0.3
    asked: float = 0.5
    not_own: float = 0.75
    by_named: float = 1.4
    number: float = 0.25


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Corpus:
    """How much there is: sessions, and their mean length in words."""

    session_count: int
    mean_words: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry, by its score; `marks` are the places of the words that matched in its text.

    `trust` is what its words count for by who says them and how; 1 is an answer of whom it can be expected of.
    """

    score: float
    marks: tuple[Word, ...]
    trust: float = 1.0


_PART_WEIGHT: Mapping[Part | None, Mapping[Part, float]] = {
    None: {"user": 1.0, "assistant": 0.98, "aside": 0.7, "tool": 0.5},
    "user": {"user": 1.0, "assistant": 0.7, "aside": 0.6, "tool": 0.5},
    "assistant": {"user": 0.85, "assistant": 1.0, "aside": 0.7, "tool": 0.5},
}
"""What counts by who said it, for each who can be expected to have said it."""


class Judge:
    """Reads the texts of entries and scores them for one query."""

    def __init__(
        self,
        query: Query,
        idf: Sequence[float] | None = None,
        relatives: Sequence[float] | None = None,
        weights: Weights = DEFAULT_WEIGHTS,
    ) -> None:
        self._idf = idf or [term.weight for term in query.terms]
        self._weights = weights
        self._spelled = _Spelled(query, relatives or [RELATIVE] * len(query.terms))
        self._telling = Telling(query, weights.asked, weights.not_own, weights.by_named)
        self._part_weight = _PART_WEIGHT.get(query.speaker, _PART_WEIGHT[None])

    def judge(self, entry: EntryText) -> Evidence:
        """Score an entry: which terms, how close together, and how it is said; 1 is about all of them once."""
        text = entry.text[:_MOST_CHARACTERS]
        marks, word_count = self._spelled.read(text)
        told, has_number = self._told(text, marks)
        counts = Counter([number for number, _, _ in marks])
        best = _strongest(told)
        score = sum(
            self._idf[number] * strength * (1 + 0.15 * min(counts[number] - 1, 3)) for number, strength in best.items()
        )
        score += self._weights.proximity * _closeness(told, self._idf)
        trust = self._part_weight[entry.part] * self._telling.by(text)
        score *= trust / (0.85 + 0.15 * max(1.0, math.log10(word_count + 1)))
        if has_number:
            score *= 1 + self._weights.number
        places = tuple(dict.fromkeys(word for _, _, word in marks))
        return Evidence(score / (sum(self._idf) or 1.0), places, trust * self._share(best, _strongest(marks)))

    def _told(self, text: str, marks: Sequence[Mark]) -> tuple[list[Mark], bool]:
        """Weigh each mark by its sentence, and tell whether one of those holds a number that was asked for."""
        told: list[Mark] = []
        sentence, has_number = Sentence(0, 1.0, has_number=False), False
        for number, strength, word in marks:
            if word.start >= sentence.end:
                sentence = self._telling.sentence(text, word, sentence.end)
                has_number = has_number or sentence.has_number
            told.append((number, strength * sentence.weight, word))
        return told, has_number

    def _share(self, told: Mapping[int, float], plain: Mapping[int, float]) -> float:
        whole = sum(self._idf[number] * strength for number, strength in plain.items())
        return sum(self._idf[number] * strength for number, strength in told.items()) / whole if whole else 1.0


def _strongest(marks: Sequence[Mark]) -> dict[int, float]:
    best: dict[int, float] = {}
    for number, strength, _ in marks:
        best[number] = max(best.get(number, 0.0), strength)
    return best


def _closeness(marks: Sequence[Mark], idf: Sequence[float]) -> float:
    """Add up, for each pair of terms, how near they come to each other."""
    pairs: dict[tuple[int, int], float] = {}
    for (first, one, here), (second, other, there) in pairwise(marks):
        gap = there.start - here.end
        if first == second or gap > 60:
            continue
        pair = (min(first, second), max(first, second))
        value = min(idf[first], idf[second]) * min(one, other) / (1 + gap / 12)
        pairs[pair] = max(pairs.get(pair, 0.0), value)
    return sum(pairs.values())


class _Spelled:
    """The words of a query, ready to be met in a text."""

    def __init__(self, query: Query, relatives: Sequence[float]) -> None:
        self._words: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._prefixes: list[tuple[int, str]] = []
        self._phrases: dict[str, list[tuple[int, tuple[str, ...], bool]]] = defaultdict(list)
        for number, term in enumerate(query.terms):
            for relative in term.relatives:
                self._words[relative].append((number, relatives[number]))
            for spelling in term.spellings:
                first = spelling[0]
                if len(spelling) > 1:
                    self._phrases[first].append((number, spelling, term.is_prefix))
                elif term.is_prefix:
                    self._prefixes.append((number, first))
                else:
                    self._words[first].append((number, 1.0))

    def read(self, text: str) -> tuple[list[Mark], int]:
        """Give what matched in a text, in order, and about how many words the text has."""
        if text.isascii() and not self._prefixes and not self._phrases:
            return self._read_plain(text.lower())
        found = list(words(text))
        marks: list[Mark] = []
        for at, word in enumerate(found):
            for number, strength, length in self._match(found, at):
                marks.append((number, strength, Word(word.text, word.start, found[at + length - 1].end)))
        return marks, len(found)

    def _read_plain(self, text: str) -> tuple[list[Mark], int]:
        """Do the same for what most texts and queries are: looking for each word is ten times faster than reading."""
        marks: list[Mark] = []
        for spelling, known in self._words.items():
            at = text.find(spelling)
            while at >= 0:
                end = at + len(spelling)
                if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                    word = Word(spelling, at, end)
                    marks += [(number, strength, word) for number, strength in known]
                at = text.find(spelling, end)
        marks.sort(key=_by_place)
        return marks, text.count(" ") + 1

    def _match(self, text: Sequence[Word], at: int) -> list[tuple[int, float, int]]:
        word = text[at].text
        found = [(number, strength, 1) for number, strength in self._words.get(word, ())]
        found += [(number, 1.0, 1) for number, start in self._prefixes if word.startswith(start)]
        for number, phrase, is_prefix in self._phrases.get(word, ()):
            if _stands(text, at, phrase, is_prefix=is_prefix):
                found.append((number, 1.0, len(phrase)))
        return found


def _by_place(mark: Mark) -> int:
    return mark[2].start


def _stands(text: Sequence[Word], at: int, phrase: Sequence[str], *, is_prefix: bool) -> bool:
    here = [word.text for word in text[at : at + len(phrase)]]
    if not is_prefix or len(here) < len(phrase):
        return here == list(phrase)
    return here[:-1] == list(phrase[:-1]) and here[-1].startswith(phrase[-1])


def holds_phrase(text: str, phrase: Sequence[str], *, is_prefix: bool) -> bool:
    """Tell whether words stand in a text one behind the other."""
    found = list(words(text))
    return any(_stands(found, at, phrase, is_prefix=is_prefix) for at in range(len(found)))
