"""Counts where an index found the terms of a query, and scores sessions by it: as one document and by their entries.

The index names an entry by a place: a block of 64 entries of one session, and where in the block it stands. Finding is
cheap and telling whose block it is is not; so the blocks are scored first, and only the best of them become sessions.
The score of a session is a sum over the terms of the query, each by how rarely sessions hold it (BM25 over sessions,
with the entries that hold a term as its frequency), and of its best entries with what stands round them.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from cerver_core.search.query import Query
from cerver_core.search.rank import DEFAULT_WEIGHTS, RELATIVE, Corpus, Weights

__all__ = ["BLOCK_BITS", "Tally"]

BLOCK_BITS = 6
"""A place is a block's number and, in its low bits, the position of an entry within the block."""

_IN_BLOCK = (1 << BLOCK_BITS) - 1


class _Found:
    """Where one term was found: by strength, the places in rising order; and in which blocks."""

    def __init__(self) -> None:
        self.places: dict[float, list[int]] = {}
        self.by_strength: Sequence[tuple[float, list[int]]] = ()
        self.named: set[int] = set()
        self.whole: set[int] = set()
        """The blocks that hold the term itself, said."""
        self.weak: dict[int, float] = {}
        """How much the weaker findings of each block come to."""
        self.own_blocks: Collection[int] = ()
        self.blocks: Collection[int] = ()
        self.relative = RELATIVE

    def add(self, places: Sequence[int], strength: float) -> None:
        """Note places, in any order."""
        known = self.places.get(strength, [])
        # Sorting anew what is in order is cheap; a set of everything would cost more than the few that are new.
        fresh = set(places).difference(known) if known else places
        if fresh:
            self.places[strength] = sorted([*known, *sorted(fresh)])

    def all(self) -> set[int]:
        """Give every place."""
        return set[int]().union(*self.places.values())

    def keep(self, allowed: Collection[int]) -> None:
        """Forget the places that are not among these."""
        self.places = {strength: [one for one in some if one in allowed] for strength, some in self.places.items()}

    def settle(self, span: float, newest: int) -> None:
        """Part the findings by block; of a place that was found twice the strongest finding counts.

        A relative counts by how rare relatives are, which says nothing of how rare the term itself is.
        """
        related = self.places.pop(RELATIVE, [])
        seen: set[int] = set()
        for strength, places in sorted(self.places.items(), reverse=True):
            if strength == 1.0:
                self.whole = {place >> BLOCK_BITS for place in places}
            else:
                self._add_weak(places, strength, seen)
            if related or len(self.places) > 1:
                seen.update(places)
        self.own_blocks = self.whole | self.weak.keys() if self.weak else self.whole
        self.blocks = self.own_blocks
        if related:
            self.blocks = self.own_blocks | {place >> BLOCK_BITS for place in related}
            self.relative = RELATIVE * _idf(len(self.blocks) / span, newest) / _idf(len(self.own_blocks) / span, newest)
            self._add_weak(related, self.relative, seen)
            self.places[self.relative] = sorted({*related, *self.places.get(self.relative, ())})
        self.by_strength = [(strength, places) for strength, places in sorted(self.places.items()) if places]

    def _add_weak(self, places: Iterable[int], strength: float, seen: Collection[int]) -> None:
        for block, count in Counter([one >> BLOCK_BITS for one in places if one not in seen]).items():
            self.weak[block] = self.weak.get(block, 0.0) + strength * count

    def counted(self) -> Mapping[int, float]:
        """Tell how much the findings of each block come to."""
        counts = Counter([one >> BLOCK_BITS for one in self.places.get(1.0, ())])
        return {block: counts[block] + self.weak.get(block, 0.0) for block in self.blocks}

    def read_block(self, block: int, first_seq: int, into: dict[int, float]) -> None:
        """Note the strength by seq within a block."""
        first = block << BLOCK_BITS
        to_seq = first_seq - first
        for strength, places in self.by_strength:
            start = bisect_left(places, first)
            end = bisect_left(places, first + _IN_BLOCK + 1, start, min(start + _IN_BLOCK + 1, len(places)))
            for place in places[start:end]:
                into[place + to_seq] = strength


class _Held:
    """The sessions in which one term was found, as far as their blocks were placed."""

    def __init__(self) -> None:
        self.whole: set[int] = set()
        self.own: set[int] = set()
        self.weak: dict[int, float] = {}


class Tally:
    """Counts, term by term, the entries and the sessions in which it was found."""

    def __init__(self, query: Query, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._query = query
        self._weights = weights
        self._found = [_Found() for _ in query.terms]
        self._idf: list[float] = [1.0] * len(query.terms)
        self._total = 1.0
        self._blocks: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._held: list[_Held] = [_Held() for _ in query.terms]
        self._spans: Mapping[int, float] = {}
        self._share = 1.0
        self._entries: dict[int, list[dict[int, float]]] = {}
        self._scores: dict[int, dict[int, float]] = {}

    def add(self, term: int, places: Sequence[int], strength: float) -> None:
        """Note the places, in any order, at which a term was found; the strongest finding of each counts."""
        self._found[term].add(places, strength)

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
        terms: list[tuple[float, Collection[int]]] = []
        for number, found in enumerate(self._found):
            span = max(spans.get(number, 1.0), 1e-6)
            found.settle(span, newest)
            held = len(found.own_blocks) / span
            terms.append((_idf(held, newest) * self._query.terms[number].weight, found.blocks))
        levels = _by_score(self._found[0].counted()) if len(terms) == 1 else _levels(terms, enough=2 * most)
        self._spans, self._share = spans, min(1.0, most / max(sum(map(len, levels.values())), 1))
        return _leading(levels, most)

    def place(self, blocks: Iterable[tuple[int, int, int]]) -> None:
        """Note of which session a block is, and which one of its blocks: (block, session key, number)."""
        keys: dict[int, int] = {}
        for block, key, number in blocks:
            self._blocks[key].append((number, block))
            keys[block] = key
        for found, held in zip(self._found, self._held, strict=True):
            held.whole = {keys[block] for block in keys.keys() & found.whole}
            held.own = {keys[block] for block in keys.keys() & found.own_blocks}
            for block in keys.keys() & found.weak.keys():
                key = keys[block]
                held.weak[key] = held.weak.get(key, 0.0) + found.weak[block]

    def sessions(self) -> frozenset[int]:
        """Give the sessions that were found, those that lack a required term left out."""
        found: set[int] = set()
        for one, held in zip(self._found, self._held, strict=True):
            found |= held.whole | held.weak.keys() | one.named
        for term, held in zip(self._query.terms, self._held, strict=True):
            if term.is_required:
                found &= held.whole | held.weak.keys()
        return frozenset(found)

    def weigh(self, corpus: Corpus) -> None:
        """Set how telling each term is, from the part of all in which it was looked for and that was placed."""
        for number, (found, placed) in enumerate(zip(self._found, self._held, strict=True)):
            held = len(placed.own | found.named) / max(self._spans.get(number, 1.0) * self._share, 1e-6)
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
        for idf, found, held in zip(self._idf, self._found, self._held, strict=True):
            whole = held.whole | (found.named - held.weak.keys())
            for key in whole & scores.keys():
                scores[key] += idf
            for key in held.weak.keys() & scores.keys() - whole:
                scores[key] += idf * min(1.0, held.weak[key])
        return _leading(_by_score(scores), len(scores))

    def as_document(self, key: int, word_count: int, corpus: Corpus) -> float:
        """Score a session as one document, between 0 and about 2."""
        weights = self._weights
        length = word_count / max(corpus.mean_words, 1.0)
        norm = weights.k1 * (1 - weights.b + weights.b * length)
        score = held = 0.0
        for idf, found, seqs in zip(self._idf, self._found, self._in_session(key), strict=True):
            frequency = sum(seqs.values())
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
        alone = _leading(_by_score(self._alone(key)), 3 * limit)
        in_context = {seq: self._in_context(key, seq) for seq in alone}
        return [(seq, in_context[seq]) for seq in _leading(_by_score(in_context), limit)]

    def _in_session(self, key: int) -> list[dict[int, float]]:
        """Give, for each term, its strength by seq."""
        if key not in self._entries:
            held: list[dict[int, float]] = []
            for found in self._found:
                seqs: dict[int, float] = {}
                for number, block in self._blocks.get(key, ()):
                    if block in found.blocks:
                        found.read_block(block, (number << BLOCK_BITS) + 1, seqs)
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
            own = held.get(seq, 0.0)
            if held and own < near:  # no neighbour counts for more than this
                own = max(
                    own,
                    near * max(held.get(seq - 1, 0.0), held.get(seq + 1, 0.0)),
                    farther * max(held.get(seq - 2, 0.0), held.get(seq + 2, 0.0)),
                )
            score += idf * own
        return score / self._total

    def fused(self, document: float, entries: Sequence[float], *, in_range: float) -> float:
        """Fuse the score of the session as a document with those of its entries, best first."""
        weights = self._weights
        score = weights.session * document
        if entries:
            score += weights.best_entry * entries[0]
        if len(entries) > 1:
            score += weights.more_entries * sum(value / 2**rank for rank, value in enumerate(entries[1:4], 1))
        return score * (1 + weights.in_range * in_range)


def _levels(terms: Sequence[tuple[float, Collection[int]]], enough: int) -> Mapping[float, Collection[int]]:
    """Give the blocks by what telling terms each holds. Once there are enough, commoner terms bring no others in."""
    levels: dict[float, set[int]] = {}
    for idf, blocks in sorted(terms, key=_by_weight, reverse=True):
        raised: dict[float, set[int]] = defaultdict(set)
        for score, some in levels.items():
            both = some.intersection(blocks)
            raised[score + idf] |= both
            raised[score] |= some - both
        if sum(map(len, levels.values())) < enough:
            raised[idf] |= set(blocks).difference(*levels.values())
        levels = raised
    return levels


def _by_score(scores: Mapping[int, float]) -> Mapping[float, Collection[int]]:
    """Give the keys by their scores, as far as those can be told apart."""
    exact: dict[float, list[int]] = defaultdict(list)
    for key, score in scores.items():
        exact[score].append(key)
    levels: dict[float, list[int]] = defaultdict(list)
    for score, keys in exact.items():  # fewer than there are keys, and rounding costs
        levels[round(score, 9)] += keys
    return levels


def _leading(levels: Mapping[float, Collection[int]], most: int) -> list[int]:
    """Give the first of the highest levels, at most so many; of equals the greatest and so the newest."""
    leading: list[int] = []
    for score in sorted(levels, reverse=True):
        if len(leading) >= most:
            break
        leading += sorted(levels[score], reverse=True)[: most - len(leading)]
    return leading


def _by_weight(term: tuple[float, Collection[int]]) -> float:
    return term[0]


def _idf(held: float, total: float) -> float:
    total = max(total, held, 1)
    return math.log(1 + (total - held + 0.5) / (held + 0.5))
