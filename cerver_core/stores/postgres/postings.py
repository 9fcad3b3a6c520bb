"""Asks one account's index for the entries that hold each term of a query, within bounds; ranks nothing.

All calls are made from a worker thread: what is read costs the event loop little, what is made of it much.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from cerver_core.search.query import Term
from cerver_core.search.rank import RELATIVE, TOOL, Corpus, holds_phrase
from cerver_core.search.tally import BLOCK_BITS, Tally
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import SearchQuery
from cerver_core.stores.postgres.index import MOST_WORD_CHARACTERS, mark, unsigned
from cerver_core.stores.postgres.texts import kept
from cerver_core.stores.searching import Hit

__all__ = ["Gatherer", "Reader", "conditions"]

_MOST_SAID = 4_000
_MOST_TOOL = 1_500
_MOST_RELATED = 1_000
_MOST_NAMED = 1_000
_MOST_LOOKED_AT = 50_000
_MOST_TOGETHER = 500
_MOST_COMPARED = 20_000
_MOST_BLOCKS = 600
_MOST_BLOCKS_ALONE = 60
_MOST_PHRASES = 2_000
_IN_BLOCK = (1 << BLOCK_BITS) - 1
_EVERY = (1 << 64) - 1
_TOOL_KINDS = frozenset({"tool_use", "tool_result"})
_LAST_CHARACTER = "\U0010ffff"
_ARRAYS = "array_agg(p.block), array_agg(p.said), array_agg(p.tool)"
_WORDS = f"""
SELECT w.word, p.* FROM unnest($2::text[], $3::int[]) w (word, most) CROSS JOIN LATERAL (
    SELECT {_ARRAYS} FROM (
        SELECT block, said, tool FROM postings WHERE account_key = $1 AND word = w.word ORDER BY block DESC LIMIT w.most
    ) p
) p
"""  # noqa: S608 - words of ours
_PREFIX = f"""
SELECT {_ARRAYS} FROM (
    SELECT block, said, tool FROM postings WHERE account_key = $1 AND word >= $2 AND word <= $3 LIMIT $4
) p
"""  # noqa: S608 - words of ours
_TOGETHER = """
SELECT a.block, bit_or(a.said & b.said) FROM unnest($2::text[]) w (word) CROSS JOIN LATERAL (
    SELECT block, said FROM postings WHERE account_key = $1 AND word = w.word ORDER BY block DESC LIMIT $4
) a JOIN postings b ON b.account_key = $1 AND b.word = ANY ($3) AND b.block = a.block
WHERE a.said & b.said <> 0 GROUP BY a.block ORDER BY a.block DESC LIMIT $5
"""
_TITLES = """
SELECT w.word, array(
    SELECT session_key FROM title_words WHERE account_key = $1 AND word = w.word ORDER BY session_key DESC LIMIT $3
) FROM unnest($2::text[]) w (word)
"""
_TITLES_FROM = """
SELECT DISTINCT session_key FROM (
    SELECT session_key FROM title_words WHERE account_key = $1 AND word >= $2 AND word <= $3 LIMIT $4
) t
"""

Masks = dict[int, tuple[int, int]]
"""By block, the bits of what was said and those of tools."""


class Reader(Protocol):
    """Runs statements in the search's own transaction."""

    def fetch(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:  # noqa: ANN401 - whatever it takes
        """Give the rows."""
        ...


class Gatherer:
    """Fills a tally with what one account's index holds for a query, the newest entries first."""

    def __init__(self, reader: Reader, account_id: str, asked: SearchQuery) -> None:
        self._reader = reader
        self._asked = asked
        self._conditions, self._values = conditions(account_id, asked, first=2)
        rows = reader.fetch(
            "SELECT account_key, newest_block, session_count, word_count FROM indexes WHERE account_id = $1",
            kept(account_id),
        )
        self._account_key, newest, sessions, word_count = rows[0] if rows else (0, 0, 0, 0)
        self._newest: int = max(newest, 1)
        self.corpus = Corpus(sessions, word_count / max(sessions, 1))
        self._is_selective = any(one is not None for one in (asked.session_id, asked.project, asked.harness))
        self._words: dict[str, tuple[Masks, bool]] = {}
        self._prefixes: dict[str, tuple[Masks, bool]] = {}
        self._blocks: dict[int, tuple[int, int, int] | None] = {}

    def gather(self, tally: Tally) -> None:
        """Look for every term, keep what the filters keep, and weigh the terms."""
        self._read_words()
        self._without = self._excluded()
        spans = {number: self._term(tally, number, term) for number, term in enumerate(self._asked.query.terms)}
        self._often(tally, spans)
        self._pass_over_phrases(tally)
        if self._has_entry_filter():
            self._filter(tally)
        most = _MOST_BLOCKS if len(spans) > 1 else _MOST_BLOCKS_ALONE
        most = _MOST_LOOKED_AT if self._is_selective else most + 4 * self._asked.skip
        tally.place(self._placed(tally.best_blocks(self._newest, spans, most)))
        tally.weigh(self.corpus)

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        """Read the texts of entries, in one statement."""
        statement = (
            "SELECT e.session_key, e.seq, e.body FROM unnest($1::bigint[], $2::bigint[]) h (session_key, seq) "
            "JOIN entries e ON e.session_key = h.session_key AND e.seq = h.seq"
        )
        rows = self._reader.fetch(statement, [key for key, _ in hits], [seq for _, seq in hits])
        return {(key, seq): body for key, seq, body in rows}

    def _term(self, tally: Tally, number: int, term: Term) -> float:
        masks, is_cut = self._any_of(term)
        span = 1.0
        if self._asked.role != "tool" and self._asked.kind not in _TOOL_KINDS:
            places = _places(masks, 0, self._most(_MOST_SAID))
            tally.add(number, places, 1.0)
            span = self._span(masks, places, _MOST_SAID, is_cut=is_cut)
        if self._asked.role != "user":
            tally.add(number, _places(masks, 1, self._most(_MOST_TOOL)), TOOL)
        if term.relatives and self._asked.role != "tool":
            related, _ = _union([self._words[_cut(word)] for word in term.relatives])
            tally.add(number, _places(self._kept(related), 0, self._most(_MOST_RELATED)), RELATIVE)
        if term.is_phrase:
            tally.keep(self._phrases(tally.places(number), term), number)
        elif not self._has_entry_filter():
            tally.add_named(number, self._named(term))
        return span

    def _span(self, masks: Masks, places: Sequence[int], most: int, *, is_cut: bool) -> float:
        """Tell which part of the index was looked at to find so many."""
        if len(places) < self._most(most) and not is_cut:
            return 1.0
        oldest = min(places) >> BLOCK_BITS if len(places) >= self._most(most) else min(masks, default=1)
        return max(1, self._newest - oldest) / self._newest

    def _most(self, most: int) -> int:
        return _MOST_LOOKED_AT if self._is_selective else most

    def _read_words(self) -> None:
        """Read the newest blocks of every word of the query in one statement."""
        most: dict[str, int] = {}
        for terms, bound in ((self._asked.query.terms, _MOST_SAID), (self._asked.query.excluded, _MOST_LOOKED_AT)):
            for term in terms:
                for word in (*(word for spelling in term.spellings for word in spelling), *term.relatives):
                    known = max(most.get(_cut(word), 0), self._most(bound))
                    most[_cut(word)] = known
        most.update(dict.fromkeys(self._marks(), _MOST_LOOKED_AT))
        rows = self._reader.fetch(_WORDS, self._account_key, list(most), list(most.values()))
        for word, *arrays in rows:
            masks = _masks(*arrays)
            self._words[word] = (masks, len(masks) >= most[word])

    def _prefix(self, start: str) -> tuple[Masks, bool]:
        if start not in self._prefixes:
            bounds = (start, start + _LAST_CHARACTER, _MOST_LOOKED_AT)
            (arrays,) = self._reader.fetch(_PREFIX, self._account_key, *bounds)
            masks = _masks(*arrays)
            self._prefixes[start] = (masks, len(arrays[0] or ()) >= _MOST_LOOKED_AT)
        return self._prefixes[start]

    def _any_of(self, term: Term) -> tuple[Masks, bool]:
        masks, is_cut = _union([self._all_of(spelling, is_prefix=term.is_prefix) for spelling in term.spellings])
        return self._kept(masks), is_cut

    def _all_of(self, spelling: Sequence[str], *, is_prefix: bool) -> tuple[Masks, bool]:
        found = [self._words[_cut(word)] for word in spelling]
        if is_prefix:
            found[-1] = self._prefix(_cut(spelling[-1]))
        masks, is_cut = found[0]
        for other, other_is_cut in found[1:]:
            both = masks.keys() & other.keys()
            masks = {one: (masks[one][0] & other[one][0], masks[one][1] & other[one][1]) for one in both}
            is_cut = is_cut or other_is_cut
        return masks, is_cut

    def _excluded(self) -> Masks:
        """Give the entries that hold an excluded word; phrases are read for."""
        single = [term for term in self._asked.query.excluded if not term.is_phrase]
        found = [self._all_of(one, is_prefix=term.is_prefix) for term in single for one in term.spellings]
        return _union(found)[0] if found else {}

    def _kept(self, masks: Masks) -> Masks:
        if not self._without:
            return masks
        none = (0, 0)
        return {
            block: (said & ~self._without.get(block, none)[0], tool & ~self._without.get(block, none)[1])
            for block, (said, tool) in masks.items()
        }

    def _often(self, tally: Tally, spans: Mapping[int, float]) -> None:
        """Of terms that stand in more entries than were looked at, find those that hold two, however old they are."""
        often = sorted((number for number, span in spans.items() if span < 1.0), key=lambda one: -spans[one])[:3]
        terms = self._asked.query.terms
        for at, first in enumerate(often):
            for second in often[at + 1 :]:
                words = [
                    [_cut(one[0]) for one in terms[number].spellings if len(one) == 1] for number in (first, second)
                ]
                rows = self._reader.fetch(_TOGETHER, self._account_key, *words, _MOST_COMPARED, _MOST_TOGETHER)
                masks = self._kept({block: (unsigned(said), 0) for block, said in rows})
                places = _places(masks, 0, _MOST_TOGETHER)
                for number in (first, second):
                    if not terms[number].is_phrase:
                        tally.add(number, places, 1.0)

    def _named(self, term: Term) -> list[int]:
        keys: set[int] = set()
        for spelling in term.spellings:
            exact = [_cut(word) for word in (spelling[:-1] if term.is_prefix else spelling)]
            rows = self._reader.fetch(_TITLES, self._account_key, exact, _MOST_NAMED) if exact else ()
            found = [set(some) for _, some in rows]
            if term.is_prefix:
                start = _cut(spelling[-1])
                bounds = (start, start + _LAST_CHARACTER, _MOST_NAMED)
                found.append({key for (key,) in self._reader.fetch(_TITLES_FROM, self._account_key, *bounds)})
            keys |= set[int].intersection(*found) if found else set()
        if not keys:
            return []
        statement = f"SELECT s.session_key FROM sessions s WHERE s.session_key = ANY ($1) AND {self._conditions}"  # noqa: S608 - words of ours
        return [key for (key,) in self._reader.fetch(statement, list(keys), *self._values)]

    def _placed(self, blocks: Iterable[int]) -> list[tuple[int, int, int]]:
        """Give (block, session key, number) of those blocks whose sessions meet the conditions."""
        wanted = list(blocks)
        unknown = [block for block in wanted if block not in self._blocks]
        if unknown:
            self._blocks.update(dict.fromkeys(unknown))
            statement = (
                "SELECT b.block, b.session_key, b.number FROM index_blocks b JOIN sessions s USING (session_key) "  # noqa: S608 - words of ours
                f"WHERE b.account_id = s.account_id AND b.block = ANY ($1) AND {self._conditions}"
            )
            for block, key, number in self._reader.fetch(statement, unknown, *self._values):
                self._blocks[block] = (block, key, number)
        return [one for block in wanted if (one := self._blocks[block]) is not None]

    def _phrases(self, places: Collection[int], term: Term) -> frozenset[int]:
        (phrase,) = term.spellings
        known = {block: (key, number) for block, key, number in self._placed({one >> BLOCK_BITS for one in places})}
        hits: dict[Hit, int] = {}
        for one in places:
            if (own := known.get(one >> BLOCK_BITS)) is not None:
                hits[own[0], (own[1] << BLOCK_BITS) + (one & _IN_BLOCK) + 1] = one
        newest = sorted(hits, reverse=True)[:_MOST_PHRASES]
        return frozenset(
            hits[hit]
            for hit, body in self.bodies(newest).items()
            if holds_phrase(read_entry(body).text, phrase, is_prefix=term.is_prefix)
        )

    def _pass_over_phrases(self, tally: Tally) -> None:
        """Drop the entries that hold an excluded phrase; excluded words have been passed over already."""
        for term in self._asked.query.excluded:
            if term.is_phrase:
                masks, _ = self._any_of(term)
                held = {*_places(masks, 0, _MOST_LOOKED_AT), *_places(masks, 1, _MOST_LOOKED_AT)} & tally.places()
                tally.keep(tally.places() - self._phrases(held, term))

    def _has_entry_filter(self) -> bool:
        asked = self._asked
        return bool(self._marks()) or asked.since_us is not None or asked.until_us is not None

    def _marks(self) -> list[str]:
        asked = {"role": self._asked.role, "kind": self._asked.kind, "tool": self._asked.tool}
        return [kept(mark(what, value)) for what, value in asked.items() if value is not None]

    def _filter(self, tally: Tally) -> None:
        """Keep the entries of the asked role, kind, tool and time."""
        allowed = tally.places()
        for word in self._marks():
            masks, _ = self._words[word]
            allowed = {
                one
                for one in allowed
                if (both := masks.get(one >> BLOCK_BITS)) and (both[0] | both[1]) >> (one & _IN_BLOCK) & 1
            }
        if self._asked.since_us is not None or self._asked.until_us is not None:
            allowed = self._in_time(allowed)
        tally.keep(allowed)

    def _in_time(self, places: Collection[int]) -> set[int]:
        since_us, until_us = self._asked.since_us or 0, self._asked.until_us or _EVERY
        statement = (
            "SELECT b.block, b.times FROM indexes i JOIN index_blocks b USING (account_id) "
            "WHERE i.account_key = $1 AND b.block = ANY ($2)"
        )
        rows = self._reader.fetch(statement, self._account_key, list({one >> BLOCK_BITS for one in places}))
        said: dict[int, Sequence[int | None]] = {block: times for block, times in rows}  # noqa: C416 - rows are no pairs
        return {
            one
            for one in places
            if (at := one & _IN_BLOCK) < len(times := said.get(one >> BLOCK_BITS, ()))
            and (at_us := times[at]) is not None
            and since_us <= at_us < until_us
        }


def conditions(account_id: str, asked: SearchQuery, *, first: int) -> tuple[str, Sequence[Any]]:
    """Give the condition on `sessions s` that an answer must meet, with its values, the first of which is `$first`."""
    values: list[Any] = []

    def bound(value: str) -> str:
        values.append(kept(value))
        return f"${first + len(values) - 1}"

    terms = [f"s.account_id = {bound(account_id)}"]
    if asked.session_id is not None:
        place = bound(asked.session_id)
        terms.append(f"(s.id = {place} OR s.parent_id = {place})" if asked.include_children else f"s.id = {place}")
    if asked.exclude_session_id is not None:
        terms.append(f"s.id <> {bound(asked.exclude_session_id)}")
    if asked.project is not None:
        terms.append(f"s.project = {bound(asked.project)}")
    if asked.harness is not None:
        harness = "(SELECT d.harness FROM session_details d WHERE d.session_key = s.session_key)"
        terms.append(f"{harness} = {bound(asked.harness)}")
    return " AND ".join(terms), values


def _cut(word: str) -> str:
    return kept(word[:MOST_WORD_CHARACTERS])


def _masks(blocks: Sequence[int] | None, said: Sequence[int] | None, tool: Sequence[int] | None) -> Masks:
    masks: Masks = {}
    for block, one, other in zip(blocks or (), said or (), tool or (), strict=True):
        before = masks.get(block, (0, 0))
        masks[block] = (before[0] | unsigned(one), before[1] | unsigned(other))
    return masks


def _union(found: Sequence[tuple[Masks, bool]]) -> tuple[Masks, bool]:
    masks: Masks = {}
    # Of a union of lists that were cut, what is older than where the first of them ends is not known well.
    for some, _ in found:
        for block, (said, tool) in some.items():
            before = masks.get(block, (0, 0))
            masks[block] = (before[0] | said, before[1] | tool)
    return masks, any(is_cut for _, is_cut in found)


def _places(masks: Masks, which: int, most: int) -> list[int]:
    """Give the newest places of one kind, at most so many."""
    places: list[int] = []
    for block in sorted(masks, reverse=True):
        bits = masks[block][which]
        while bits and len(places) < most:
            place = bits.bit_length() - 1
            bits ^= 1 << place
            places.append(block << BLOCK_BITS | place)
        if len(places) >= most:
            break
    return places
