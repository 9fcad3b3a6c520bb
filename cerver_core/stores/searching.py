"""Searches one account's transcripts over what a store's index answers: rank, read the evidence, group by families.

The members find the places of words; what they are worth, and in which order sessions are shown, is said here for all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cerver_core.clock import from_us, to_us
from cerver_core.search.dates import DateRange
from cerver_core.search.rank import Corpus, Judge
from cerver_core.search.tally import Tally
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import FoundEntry, FoundTranscript, SearchQuery, SearchResult, StoredSession
from cerver_core.stores.placing import spliced

__all__ = ["Hit", "Shelf", "Weighed", "search"]

Hit = tuple[int, int]
"""A session key and a seq."""

_ENTRIES_GIVEN = 3
_MOST_WEIGHED = 150
_DEEPEST_FAMILY = 8
_LEADING = 1_000.0
"""How well a session fits the dates of a query that asks about them more than about its words."""


class Weighed(NamedTuple):
    """What is known of a session before any of its entries is read."""

    key: int
    session_id: str
    parent_id: str | None
    word_count: int
    first_at_us: int
    last_at_us: int


class Shelf(Protocol):
    """What a search reads of one account at one moment; the keys of sessions are the store's own."""

    @property
    def corpus(self) -> Corpus:
        """How much is indexed."""
        ...

    def gather(self, tally: Tally) -> None:
        """Look for every term of the query, keep what its filters keep, and weigh the terms."""
        ...

    def spoken_between(self, since_us: int, until_us: int, limit: int) -> Sequence[int]:
        """Give the sessions that the filters keep and in which something was said then, the latest first."""
        ...

    def weighed(self, keys: Sequence[int]) -> Sequence[Weighed]:
        """Read what is known of sessions, in any order."""
        ...

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        """Read the texts of entries."""
        ...

    def parent(self, session_id: str) -> tuple[str | None] | None:
        """Give the parent of one of the account's sessions, in a tuple; null when there is no such session."""
        ...

    def key_of(self, session_id: str) -> int:
        """Find a session by its id.

        Raises:
            SessionNotFound: this account has none by this id.
        """
        ...

    def sessions(self, keys: Sequence[int]) -> Sequence[StoredSession]:
        """Read sessions, with their openings, in this order; none stands there twice."""
        ...

    def indexed_up_to_us(self) -> int | None:
        """Give the time before which all that was committed is indexed; null when nothing waits."""
        ...


def search(shelf: Shelf, asked: SearchQuery) -> SearchResult:
    """Search what is indexed.

    Raises:
        SessionNotFound: the query is about a session that is not there.
    """
    return _Search(shelf, asked).run()


class _Effort(NamedTuple):
    """How many sessions are weighed, how many of those are read together, and how many entries of each."""

    weighed: int
    together: int
    entries: int


# What the index says of one word or two is nearly all there is to say; a question is worth reading for.
_ONE_TERM = _Effort(20, 10, _ENTRIES_GIVEN)
_TWO_TERMS = _Effort(60, 12, _ENTRIES_GIVEN)
_QUESTION = _Effort(_MOST_WEIGHED, 40, 5)


@dataclass(slots=True)
class _Candidate:
    about: Weighed
    document: float = 0.0
    score: float = 0.0
    entries: list[FoundEntry] = field(default_factory=list[FoundEntry])


@dataclass(slots=True)
class _Search:
    shelf: Shelf
    asked: SearchQuery

    def run(self) -> SearchResult:
        if self.asked.session_id is not None:
            self.shelf.key_of(self.asked.session_id)
        ranked = self._by_terms() if self.asked.query.terms else self._by_time()
        groups = _Families(self.shelf, self.asked).grouped(ranked)
        end = self.asked.skip + self.asked.limit
        shown = groups[self.asked.skip : end]
        is_of_dates = any(self._in_range(one) >= 1 for _, members in shown for one in members)
        left_out = max(0, len(groups) - end)
        return SearchResult(tuple(self._found(shown)), left_out, self.shelf.indexed_up_to_us(), is_of_dates)

    def _by_terms(self) -> list[_Candidate]:
        tally = Tally(self.asked.query)
        self.shelf.gather(tally)
        most = max(self._effort().weighed, self.asked.skip + 2 * self.asked.limit)
        candidates = [_Candidate(one) for one in self.shelf.weighed(tally.roughly()[:most])]
        for one in candidates:
            one.document = tally.as_document(one.about.key, one.about.word_count, self.shelf.corpus)
            best = [tally.best_entry_score(one.about.key)]
            one.score = tally.fused(one.document, best, in_range=self._in_range(one))
        candidates.sort(key=_order)
        self._read_best(tally, candidates)
        return candidates

    def _effort(self) -> _Effort:
        return (_ONE_TERM, _TWO_TERMS, _QUESTION)[min(len(self.asked.query.terms), 3) - 1]

    def _read_best(self, tally: Tally, candidates: list[_Candidate]) -> None:
        """Read the evidence of the first candidates, and order them by it, until there is enough for the page.

        They are read in parts of one size, so that a later page goes on where an earlier one ended.
        """
        judge = Judge(self.asked.query, tally.idf, tally.relatives)
        families = _Families(self.shelf, self.asked)
        _, size, entries = self._effort()
        for start in range(0, len(candidates), size):
            part = candidates[start : start + size]
            best = {one.about.key: tally.best_entries(one.about.key, entries) for one in part}
            bodies = self.shelf.bodies([(key, seq) for key, scored in best.items() for seq, _ in scored])
            for one in part:
                trust = _weigh_evidence(one, best[one.about.key], bodies, judge)
                scores = [found.score for found in one.entries]
                one.score = tally.fused(trust * one.document, scores, in_range=self._in_range(one))
            candidates[start : start + size] = sorted(part, key=_order)
            if len(families.grouped(candidates[: start + size])) >= self.asked.skip + self.asked.limit:
                return

    def _by_time(self) -> list[_Candidate]:
        """Without a word to look for, a range of time still asks for what happened then."""
        first, last = self.asked.since_us or 0, self.asked.until_us or 1 << 62
        named = [(to_us(one.since), to_us(one.until)) for one in self.asked.query.dates]
        is_filtered = self.asked.since_us is not None or self.asked.until_us is not None
        ranges = [(max(since, first), min(until, last)) for since, until in named or [(first, last)] * is_filtered]
        keys: dict[int, None] = {}
        for since_us, until_us in ranges:
            keys.update(dict.fromkeys(self.shelf.spoken_between(since_us, until_us, _MOST_WEIGHED)))
        return sorted((_Candidate(one) for one in self.shelf.weighed(list(keys))), key=_order)

    def _in_range(self, one: _Candidate) -> float:
        """Tell how well a session fits the dates of the query: 1 (more if they lead), 0, or a half for the same days
        of another year.
        """
        fits = 0.0
        for range_ in self.asked.query.dates:
            if one.about.last_at_us >= to_us(range_.since) and one.about.first_at_us < to_us(range_.until):
                return _LEADING if self.asked.query.date_leads else 1.0
            if not range_.names_year:
                fits = max(fits, 0.5 * _is_on_same_days(range_, one.about))
        return fits

    def _found(self, groups: Sequence[tuple[str, Sequence[_Candidate]]]) -> list[FoundTranscript]:
        keys = [self._key(root, members) for root, members in groups]
        sessions = self.shelf.sessions(keys)
        best = [_best_entries(root, members) for root, members in groups]
        without = zip(keys, sessions, best, strict=True)
        unshown = [(key, 1) for key, session, entries in without if session.last_seq and not entries]
        openings = self.shelf.bodies(unshown) if unshown else dict[Hit, str]()
        found: list[FoundTranscript] = []
        for (root, members), key, session, entries in zip(groups, keys, sessions, best, strict=True):
            score = max(one.score for one in members)
            others = sum(one.about.session_id != root for one in members)
            opening = openings.get((key, 1))
            shown = None if opening is None else spliced(1, opening)
            found.append(FoundTranscript(session, score, entries, others, shown))
        return found

    def _key(self, root: str, members: Sequence[_Candidate]) -> int:
        own = next((one.about.key for one in members if one.about.session_id == root), None)
        return self.shelf.key_of(root) if own is None else own


class _Families:
    """Puts candidates under the sessions that spawned them."""

    def __init__(self, shelf: Shelf, asked: SearchQuery) -> None:
        self._shelf = shelf
        self._asked = asked
        self._parents: dict[str, tuple[str | None] | None] = {}

    def grouped(self, ranked: Iterable[_Candidate]) -> list[tuple[str, list[_Candidate]]]:
        """Give (session id, candidates) in the order of the best candidate of each."""
        groups: dict[str, list[_Candidate]] = {}
        for one in ranked:
            groups.setdefault(self._root(one.about), []).append(one)
        return list(groups.items())

    def _root(self, one: Weighed) -> str:
        root, parent = one.session_id, one.parent_id
        if self._asked.include_children or self._asked.session_id is not None:
            return root
        for _ in range(_DEEPEST_FAMILY):
            if parent is None or parent == self._asked.exclude_session_id:
                break
            if parent not in self._parents:
                self._parents[parent] = self._shelf.parent(parent)
            above = self._parents[parent]
            if above is None:
                break
            root, parent = parent, above[0]
        return root


def _is_on_same_days(range_: DateRange, one: Weighed) -> bool:
    for year in {from_us(one.first_at_us).year, from_us(one.last_at_us).year}:
        back = range_.since.year - year
        try:
            since = range_.since.replace(year=year)
            until = range_.until.replace(year=range_.until.year - back)
        except ValueError:
            continue  # that year has no 29th of February
        if one.last_at_us >= to_us(since) and one.first_at_us < to_us(until):
            return True
    return False


def _weigh_evidence(
    one: _Candidate, best: Sequence[tuple[int, float]], bodies: Mapping[Hit, str], judge: Judge
) -> float:
    """Read and score a session's best entries; give what they count for by who said them, and how."""
    trusted = found = 0.0
    for seq, context in best:
        body = bodies[one.about.key, seq]
        entry = read_entry(body)
        evidence = judge.judge(entry)
        score = 0.5 * context + 0.5 * evidence.score
        one.entries.append(FoundEntry(one.about.session_id, spliced(seq, body), score))
        trusted, found = trusted + context * evidence.trust, found + context
    one.entries.sort(key=lambda found: (-round(found.score, 9), -found.entry.seq))
    return trusted / found if found else 1.0


def _best_entries(root: str, members: Sequence[_Candidate]) -> tuple[FoundEntry, ...]:
    """Give its own words; those of a session it spawned only where it has none."""
    own = [one for one in members if one.about.session_id == root]
    best = next((one.entries for one in (*own, *members) if one.entries), list[FoundEntry]())
    return tuple(best[:_ENTRIES_GIVEN])


def _order(one: _Candidate) -> tuple[float, int, int]:
    return (-round(one.score, 6), -one.about.last_at_us, -one.about.key)
