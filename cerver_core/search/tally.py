"""Counts where an index found the terms of a query, and scores sessions by it: as one document and by their entries.

The index names an entry by a place: a block of 64 entries of one session, and where in the block it stands. Finding is
cheap and telling whose block it is is not; so the blocks are scored first, and only the best of them become sessions.
The score of a session is a sum over the terms of the query, each by how rarely sessions hold it (BM25 over sessions,
with the entries that hold a term as its frequency), and of its best entries with what stands round them.
"""

import heapq
import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from cerver_core.search.query import Query
from cerver_core.search.rank import DEFAULT_WEIGHTS, RELATIVE, Corpus, Weights

__all__ = ["BLOCK_BITS", "Tally"]

BLOCK_BITS = 6
"""A place is a block's number and, in its low bits, the position of an entry within the block."""

_IN_BLOCK = (1 << BLOCK_BITS) - 1


class _Found:
    """Where one term was found: by strength, the places in rising order; and how often in each block."""

    def __init__(self) -> None:
        self.places: dict[float, list[int]] = {}
        self.named: set[int] = set()
        self.blocks: Mapping[int, float] = {}
        self.own_blocks: Collection[int] = ()
        self.relative = RELATIVE

    def all(self) -> set[int]:
        """Give every place."""
        return set[int]().union(*self.places.values())

    def keep(self, allowed: Collection[int]) -> None:
        """Forget the places that are not among these."""
        self.places = {strength: [one for one in some if one in allowed] for strength, some in self.places.items()}

    def count(self, span: float, newest: int) -> None:
        """Count by block; of a place that was found twice the strongest finding counts.

        A relative counts by how rare relatives are, which says nothing of how rare the term itself is.
        """
        related = self.places.pop(RELATIVE, [])
        counts: dict[int, float] = {}
        seen: set[int] = set()
        for strength, places in sorted(self.places.items(), reverse=True):
            _add_up(counts, [one for one in places if one not in seen] if seen else places, strength)
            if related or len(self.places) > 1:
                seen.update(places)
        self.blocks = self.own_blocks = counts
        if related:
            self.own_blocks = frozenset(counts)
            both = self.own_blocks.union([place >> BLOCK_BITS for place in related])
            self.relative = RELATIVE * _idf(len(both) / span, newest) / _idf(len(counts) / span, newest)
            _add_up(counts, [one for one in related if one not in seen], self.relative)
            self.places[self.relative] = sorted({*related, *self.places.get(self.relative, ())})

    def in_block(self, block: int, first_seq: int) -> dict[int, float]:
        """Give the strength by seq within a block."""
        first, found = block << BLOCK_BITS, dict[int, float]()
        for strength in sorted(self.places):
            places = self.places[strength]
            start = bisect_left(places, first)
            end = bisect_left(places, first + _IN_BLOCK + 1, start)
            found.update(dict.fromkeys([place - first + first_seq for place in places[start:end]], strength))
        return found


def _add_up(counts: dict[int, float], places: Iterable[int], strength: float) -> None:
    found = Counter([place >> BLOCK_BITS for place in places])
    if not counts and strength == 1.0:
        counts.update(found)
        return
    for block, count in found.items():
        counts[block] = counts.get(block, 0.0) + strength * count


class Tally:
    """Counts, term by term, the entries and the sessions in which it was found."""

    def __init__(self, query: Query, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._query = query
        self._weights = weights
        self._found = [_Found() for _ in query.terms]
        self._idf: list[float] = [1.0] * len(query.terms)
        self._total = 1.0
        self._blocks: dict[int, list[tuple[int, int]]] = {}
        self._sums: list[dict[int, float]] = [{} for _ in query.terms]
        self._own: list[set[int]] = [set() for _ in query.terms]
        self._spans: Mapping[int, float] = {}
        self._share = 1.0
        self._entries: dict[int, list[dict[int, float]]] = {}
        self._scores: dict[int, dict[int, float]] = {}

    def add(self, term: int, places: Sequence[int], strength: float) -> None:
        """Note the places, in any order, at which a term was found; the strongest finding of each counts."""
        known = self._found[term].places
        known[strength] = sorted({*known[strength], *places}) if strength in known else sorted(places)

    def add_named(self, term: int, keys: Iterable[int]) -> None:
        """Note the sessions whose name or task holds a term."""
        self._found[term].named.update(keys)

    def places(self, term: int | None = None) -> set[int]:
        """Give the places at which a term, or any, was found."""
        if term is not None:
            return self._found[term].all()
        return set[int]().union(*(found.all() for found in self._found))

    def keep(self, allowed: Collection[int], term: int | None = None) -> None:
        """Forget findings, of one term or of all, that are not at these places."""
        for found in self._found if term is None else (self._found[term],):
            found.keep(allowed)

    def best_blocks(self, newest: int, spans: Mapping[int, float], most: int) -> Sequence[int]:
        """Count, and give the blocks that hold the most telling terms, at most so many; of equals the newest.

        `newest` is the number of the newest block, `spans` says which part of all a term was looked for in.
        """
        terms: list[tuple[float, Mapping[int, float]]] = []
        for number, found in enumerate(self._found):
            span = max(spans.get(number, 1.0), 1e-6)
            found.count(span, newest)
            held = len(found.own_blocks) / span
            terms.append((_idf(held, newest) * self._query.terms[number].weight, found.blocks))
        scores = _scored(terms, enough=2 * most)
        self._spans, self._share = spans, min(1.0, most / max(len(scores), 1))
        if len(scores) <= most:
            return list(scores)
        least = sorted(scores.values())[-most]
        best = [block for block, score in scores.items() if score > least]
        equal = sorted((block for block, score in scores.items() if score == least), reverse=True)
        return best + equal[: most - len(best)]

    def place(self, blocks: Iterable[tuple[int, int, int]]) -> None:
        """Note of which session a block is, and which one of its blocks: (block, session key, number)."""
        counted = [
            (found.blocks, found.own_blocks, sums, own)
            for found, sums, own in zip(self._found, self._sums, self._own, strict=True)
        ]
        for block, key, number in blocks:
            insort(self._blocks.setdefault(key, []), (number, block))
            for counts, own_blocks, sums, own in counted:
                if block in counts:
                    sums[key] = sums.get(key, 0.0) + counts[block]
                if block in own_blocks:
                    own.add(key)

    def sessions(self) -> frozenset[int]:
        """Give the sessions that were found, those that lack a required term left out."""
        found: set[int] = set()
        for one, sums in zip(self._found, self._sums, strict=True):
            found |= sums.keys() | one.named
        for term, sums in zip(self._query.terms, self._sums, strict=True):
            if term.is_required:
                found &= sums.keys()
        return frozenset(found)

    def weigh(self, corpus: Corpus) -> None:
        """Set how telling each term is, from the part of all in which it was looked for and that was placed."""
        for number, (found, own) in enumerate(zip(self._found, self._own, strict=True)):
            held = len(own | found.named) / max(self._spans.get(number, 1.0) * self._share, 1e-6)
            self._idf[number] = _idf(held, corpus.session_count) * self._query.terms[number].weight
        self._total = sum(self._idf) or 1.0

    @property
    def idf(self) -> Sequence[float]:
        """Give how telling each term is, in the order of the query."""
        return self._idf

    @property
    def relatives(self) -> Sequence[float]:
        """Give what a relative of each term counts for, beside the term itself."""
        return [found.relative for found in self._found]

    def roughly(self) -> list[int]:
        """Give the sessions by the terms they hold alone, cheaply, best and newest first."""
        scores = dict.fromkeys(self.sessions(), 0.0)
        for idf, found, sums in zip(self._idf, self._found, self._sums, strict=True):
            for key in sums.keys() | found.named:
                if key in scores:
                    scores[key] += idf * min(1.0, sums.get(key, 1.0))
        return [key for _, key in sorted(((round(score, 9), key) for key, score in scores.items()), reverse=True)]

    def as_document(self, key: int, word_count: int, corpus: Corpus) -> float:
        """Score a session as one document, between 0 and about 2."""
        weights = self._weights
        length = word_count / max(corpus.mean_words, 1.0)
        norm = weights.k1 * (1 - weights.b + weights.b * length)
        score = held = 0.0
        for idf, found, sums in zip(self._idf, self._found, self._sums, strict=True):
            frequency = sums.get(key, 0.0)
            if key in found.named:
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
        alone = heapq.nlargest(3 * limit, ((round(score, 9), seq) for seq, score in self._alone(key).items()))
        scored = [(seq, self._in_context(key, seq)) for _, seq in alone]
        scored.sort(key=_by_score)
        return scored[:limit]

    def _in_session(self, key: int) -> list[dict[int, float]]:
        """Give, for each term, its strength by seq."""
        if key not in self._entries:
            held: list[dict[int, float]] = []
            for found in self._found:
                seqs: dict[int, float] = {}
                for number, block in self._blocks.get(key, ()):
                    if block in found.blocks:
                        seqs.update(found.in_block(block, (number << BLOCK_BITS) + 1))
                held.append(seqs)
            self._entries[key] = held
        return self._entries[key]

    def _alone(self, key: int) -> dict[int, float]:
        if key not in self._scores:
            scores: dict[int, float] = {}
            for idf, held in zip(self._idf, self._in_session(key), strict=True):
                share = idf / self._total
                for seq, strength in held.items():
                    scores[seq] = scores.get(seq, 0.0) + share * strength
            self._scores[key] = scores
        return self._scores[key]

    def _in_context(self, key: int, seq: int) -> float:
        near, farther = self._weights.near, self._weights.farther
        score = 0.0
        for idf, held in zip(self._idf, self._in_session(key), strict=True):
            if held:
                score += idf * max(
                    held.get(seq, 0.0),
                    near * max(held.get(seq - 1, 0.0), held.get(seq + 1, 0.0)),
                    farther * max(held.get(seq - 2, 0.0), held.get(seq + 2, 0.0)),
                )
        return score / self._total

    def fused(self, document: float, entries: Sequence[float], *, in_range: float) -> float:
        """Fuse the score of the session as a document with those of its entries, best first."""
        weights = self._weights
        score = weights.session * document
        if entries:
            score += weights.best_entry * entries[0]
            score += weights.more_entries * sum(value / 2**rank for rank, value in enumerate(entries[1:4], 1))
        return score * (1 + weights.in_range * in_range)


def _scored(terms: Sequence[tuple[float, Mapping[int, float]]], enough: int) -> dict[int, float]:
    """Add up what telling terms each block holds. Once there are enough blocks, commoner terms bring no others in."""
    if len(terms) == 1:
        return dict(terms[0][1])
    scores: dict[int, float] = {}
    for idf, blocks in sorted(terms, key=_by_weight, reverse=True):
        both = blocks.keys() & scores.keys()
        kept = {block: scores[block] + idf for block in both}
        if len(scores) < enough:
            scores = {**dict.fromkeys(blocks, idf), **scores}
        scores.update(kept)
    return scores


def _by_weight(term: tuple[float, Mapping[int, float]]) -> float:
    return term[0]


def _idf(held: float, total: float) -> float:
    total = max(total, held, 1)
    return math.log(1 + (total - held + 0.5) / (held + 0.5))


def _by_score(scored: tuple[int, float]) -> tuple[float, int]:
    return (-round(scored[1], 9), -scored[0])
