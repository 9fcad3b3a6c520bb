"""Ranks sessions by what a search found in them: the session as one document and its best entries, fused; pure.

The score of a session is a sum over the terms of the query, each by how rarely sessions hold it (BM25 over sessions,
with the entries that hold a term as its frequency), and of its best entries with what stands round them.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cerver_core.search.query import Query
from cerver_core.search.texts import EntryText, Part
from cerver_core.search.words import Word, words

__all__ = ["DEFAULT_WEIGHTS", "RELATIVE", "TOOL", "Corpus", "Evidence", "Judge", "Tally", "Weights", "holds_phrase"]

RELATIVE = 0.5
"""What a word that often means the same counts for, beside the word itself."""

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
    best_entry: float = 0.9
    more_entries: float = 0.35
    near: float = 0.5
    farther: float = 0.25
    proximity: float = 0.35
    named: float = 1.5
    in_range: float = 0.5
    coverage: float = 0.3


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Corpus:
    """How much there is: sessions, and their mean length in words."""

    session_count: int
    mean_words: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry, by its score; `marks` are the places of the words that matched in its text."""

    score: float
    marks: tuple[Word, ...]


_NOTHING: Mapping[int, float] = {}


class Tally:
    """Counts, term by term, the entries and the sessions in which it was found."""

    def __init__(self, query: Query, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._query = query
        self._weights = weights
        self._found: list[dict[int, dict[int, float]]] = [defaultdict(dict) for _ in query.terms]
        self._named: list[set[int]] = [set() for _ in query.terms]
        self._idf: list[float] = [1.0] * len(query.terms)
        self._total = 1.0

    def add(self, term: int, hits: Iterable[tuple[int, int]], strength: float) -> None:
        """Note (session key, seq) pairs at which a term was found; the strongest finding of each counts."""
        found = self._found[term]
        for key, seq in hits:
            entries = found[key]
            if entries.get(seq, 0.0) < strength:
                entries[seq] = strength

    def add_named(self, term: int, keys: Iterable[int]) -> None:
        """Note the sessions whose name or task holds a term."""
        self._named[term].update(keys)

    def entries(self, term: int) -> Sequence[tuple[int, int]]:
        """Give the (session key, seq) pairs at which a term was found."""
        return [(key, seq) for key, entries in self._found[term].items() for seq in entries]

    def keep(self, allowed: frozenset[tuple[int, int]], term: int | None = None) -> None:
        """Forget findings, of one term or of all, that are not among these pairs."""
        for number in range(len(self._found)) if term is None else (term,):
            old = self._found[number]
            kept: dict[int, dict[int, float]] = defaultdict(dict)
            for key, entries in old.items():
                for seq, strength in entries.items():
                    if (key, seq) in allowed:
                        kept[key][seq] = strength
            self._found[number] = kept

    def sessions(self) -> frozenset[int]:
        """Give the sessions that were found, those that lack a required term left out."""
        found: set[int] = set()
        for entries, named in zip(self._found, self._named, strict=True):
            found |= entries.keys() | named
        for term, entries in zip(self._query.terms, self._found, strict=True):
            if term.is_required:
                found &= entries.keys()
        return frozenset(found)

    def weigh(self, corpus: Corpus, spans: Mapping[int, float]) -> None:
        """Set how telling each term is; `spans` says which part of all sessions was looked at for a term."""
        for number, (entries, named) in enumerate(zip(self._found, self._named, strict=True)):
            held = len(entries.keys() | named) / max(spans.get(number, 1.0), 1e-6)
            total = max(corpus.session_count, held, 1)
            self._idf[number] = math.log(1 + (total - held + 0.5) / (held + 0.5)) * self._query.terms[number].weight
        self._total = sum(self._idf) or 1.0

    @property
    def idf(self) -> Sequence[float]:
        """Give how telling each term is, in the order of the query."""
        return self._idf

    def roughly(self, key: int) -> float:
        """Score a session by the terms it holds alone, cheaply."""
        return sum(
            idf * (max(entries[key].values()) if key in entries else 1.0)
            for idf, entries, named in zip(self._idf, self._found, self._named, strict=True)
            if key in entries or key in named
        )

    def as_document(self, key: int, word_count: int, corpus: Corpus) -> float:
        """Score a session as one document, between 0 and about 2."""
        weights = self._weights
        length = word_count / max(corpus.mean_words, 1.0)
        norm = weights.k1 * (1 - weights.b + weights.b * length)
        score = held = 0.0
        for idf, entries, named in zip(self._idf, self._found, self._named, strict=True):
            frequency = sum(entries[key].values()) if key in entries else 0.0
            if key in named:
                frequency += weights.named
            if frequency:
                score += idf * frequency * (weights.k1 + 1) / (frequency + norm)
                held += idf * min(1.0, frequency)
        return (score + weights.coverage * held) / self._total

    def best_entry_score(self, key: int) -> float:
        """Give the score of a session's most telling entry by itself, cheaply."""
        return max(self._alone(key).values(), default=0.0)

    def best_entries(self, key: int, limit: int) -> list[tuple[int, float]]:
        """Give the seqs of a session's most telling entries, with what stands round them, best and newest first."""
        alone = sorted(self._alone(key).items(), key=_by_score)[: 3 * limit]
        scored = [(seq, self._in_context(key, seq)) for seq, _ in alone]
        scored.sort(key=_by_score)
        return scored[:limit]

    def _alone(self, key: int) -> dict[int, float]:
        scores: dict[int, float] = {}
        for idf, entries in zip(self._idf, self._found, strict=True):
            share = idf / self._total
            for seq, strength in entries.get(key, _NOTHING).items():
                scores[seq] = scores.get(seq, 0.0) + share * strength
        return scores

    def _in_context(self, key: int, seq: int) -> float:
        near, farther = self._weights.near, self._weights.farther
        score = 0.0
        for idf, entries in zip(self._idf, self._found, strict=True):
            if (held := entries.get(key)) is None:
                continue
            score += idf * max(
                held.get(seq, 0.0),
                near * max(held.get(seq - 1, 0.0), held.get(seq + 1, 0.0)),
                farther * max(held.get(seq - 2, 0.0), held.get(seq + 2, 0.0)),
            )
        return score / self._total

    def fused(self, document: float, entries: Sequence[float], *, is_in_range: bool) -> float:
        """Fuse the score of the session as a document with those of its entries, best first."""
        weights = self._weights
        score = weights.session * document
        if entries:
            score += weights.best_entry * entries[0]
            score += weights.more_entries * sum(value / 2**rank for rank, value in enumerate(entries[1:4], 1))
        return score * (1 + weights.in_range) if is_in_range else score


def _by_score(scored: tuple[int, float]) -> tuple[float, int]:
    return (-round(scored[1], 9), -scored[0])


_PART_WEIGHT: Mapping[Part, float] = {"user": 1.0, "assistant": 0.92, "aside": 0.7, "tool": 0.5}


class Judge:
    """Reads the texts of entries and scores them for one query."""

    def __init__(self, query: Query, idf: Sequence[float] | None = None, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._idf = idf or [term.weight for term in query.terms]
        self._weights = weights
        self._spelled = _Spelled(query)

    def judge(self, entry: EntryText) -> Evidence:
        """Score an entry: which terms, how close together, and who says it; 1 is about all of them once."""
        marks, word_count = self._spelled.read(entry.text[:_MOST_CHARACTERS])
        best: dict[int, float] = {}
        counts: dict[int, int] = defaultdict(int)
        for number, strength, _ in marks:
            best[number] = max(best.get(number, 0.0), strength)
            counts[number] += 1
        score = sum(
            self._idf[number] * strength * (1 + 0.15 * min(counts[number] - 1, 3)) for number, strength in best.items()
        )
        score += self._weights.proximity * _closeness(marks, self._idf)
        score *= _PART_WEIGHT[entry.part] / (0.85 + 0.15 * max(1.0, math.log10(word_count + 1)))
        return Evidence(score / (sum(self._idf) or 1.0), tuple(dict.fromkeys(word for _, _, word in marks)))


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

    def __init__(self, query: Query) -> None:
        self._words: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._prefixes: list[tuple[int, str]] = []
        self._phrases: dict[str, list[tuple[int, tuple[str, ...], bool]]] = defaultdict(list)
        for number, term in enumerate(query.terms):
            for relative in term.relatives:
                self._words[relative].append((number, RELATIVE))
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
