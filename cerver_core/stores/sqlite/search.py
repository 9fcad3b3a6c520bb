"""Searches one account's transcripts on a reader's connection: gather, rank, read the evidence; writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cerver_core.clock import to_us
from cerver_core.search.rank import Corpus, Judge
from cerver_core.search.tally import Tally
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import (
    FoundEntry,
    FoundTranscript,
    SearchQuery,
    SearchResult,
    StoredEntry,
    StoredSession,
)
from cerver_core.stores.rows import SELECT_SESSIONS, read_session
from cerver_core.stores.sqlite.changes import locate
from cerver_core.stores.sqlite.index import indexed_up_to_us
from cerver_core.stores.sqlite.postings import Gatherer, Hit, entry_place
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Search"]

_ENTRIES_GIVEN = 3
_MOST_WEIGHED = 150
_DEEPEST_FAMILY = 8


class _Effort(NamedTuple):
    """How many sessions are weighed, how many of those are read together, and how many entries of each."""

    weighed: int
    together: int
    entries: int


# What the index says of one word or two is nearly all there is to say; a question is worth reading for.
_ONE_TERM = _Effort(30, 10, _ENTRIES_GIVEN)
_TWO_TERMS = _Effort(60, 12, _ENTRIES_GIVEN)
_QUESTION = _Effort(_MOST_WEIGHED, 40, 5)


@dataclass(slots=True)
class _Candidate:
    key: int
    session_id: str
    parent_id: str | None
    word_count: int
    first_at_us: int
    last_at_us: int
    score: float = 0.0
    entries: list[FoundEntry] = field(default_factory=list[FoundEntry])


@dataclass(slots=True)
class Search:
    """One search, to be called with a connection."""

    account_id: str
    asked: SearchQuery

    def __call__(self, connection: Database) -> SearchResult:
        """Search what is indexed at this moment."""
        connection.execute("BEGIN")  # one moment for all that is read
        try:
            return self._search(connection)
        finally:
            connection.execute("ROLLBACK")

    def _search(self, connection: Database) -> SearchResult:
        if self.asked.session_id is not None:
            locate(connection, self.account_id, self.asked.session_id)
        gatherer = Gatherer(connection, self.account_id, self.asked)
        rank = self._by_terms if self.asked.query.terms else self._by_time
        ranked = rank(connection, gatherer)
        groups = _Families(connection, self.account_id, self.asked).grouped(ranked)
        end = self.asked.skip + self.asked.limit
        shown = groups[self.asked.skip : end]
        found = [self._found(connection, root, members) for root, members in shown]
        return SearchResult(tuple(found), max(0, len(groups) - end), indexed_up_to_us(connection))

    def _by_terms(self, connection: Database, gatherer: Gatherer) -> list[_Candidate]:
        tally = Tally(self.asked.query)
        gatherer.gather(tally)
        rough = tally.roughly()
        most = max(self._effort().weighed, self.asked.skip + 2 * self.asked.limit)
        candidates = _candidates(connection, rough[:most])
        for one in candidates:
            one.score = self._first_score(tally, one, gatherer.corpus)
        candidates.sort(key=_order)
        self._read_best(connection, tally, candidates, gatherer)
        return candidates

    def _effort(self) -> _Effort:
        return (_ONE_TERM, _TWO_TERMS, _QUESTION)[min(len(self.asked.query.terms), 3) - 1]

    def _read_best(self, connection: Database, tally: Tally, candidates: list[_Candidate], gatherer: Gatherer) -> None:
        """Read the evidence of the first candidates, and order them by it, until there is enough for the page.

        They are read in parts of one size, so that a later page goes on where an earlier one ended.
        """
        judge = Judge(self.asked.query, tally.idf, tally.relatives)
        families = _Families(connection, self.account_id, self.asked)
        _, size, entries = self._effort()
        for start in range(0, len(candidates), size):
            part = candidates[start : start + size]
            best = {one.key: tally.best_entries(one.key, entries) for one in part}
            bodies = gatherer.bodies([(key, seq) for key, scored in best.items() for seq, _ in scored])
            for one in part:
                trust = self._weigh_evidence(one, best[one.key], bodies, judge)
                document = trust * tally.as_document(one.key, one.word_count, gatherer.corpus)
                scores = [found.score for found in one.entries]
                one.score = tally.fused(document, scores, is_in_range=self._is_in_range(one))
            candidates[start : start + size] = sorted(part, key=_order)
            if len(families.grouped(candidates[: start + size])) >= self.asked.skip + self.asked.limit:
                return

    def _by_time(self, connection: Database, gatherer: Gatherer) -> list[_Candidate]:
        """Without a word to look for, a range of time still asks for what happened then."""
        ranges = [(to_us(one.since), to_us(one.until)) for one in self.asked.query.dates]
        if self.asked.since_us is not None or self.asked.until_us is not None:
            ranges.append((self.asked.since_us or 0, self.asked.until_us or 1 << 62))
        conditions, values = gatherer.conditions()
        statement = (
            "SELECT s.session_key FROM indexed_sessions i JOIN sessions s USING (session_key) "  # noqa: S608 - words of ours
            f"WHERE i.last_at_us >= ? AND i.first_at_us < ? AND {conditions} ORDER BY i.last_at_us DESC LIMIT ?"
        )
        keys: dict[int, None] = {}
        for since_us, until_us in ranges:
            rows = connection.execute(statement, (since_us, until_us, *values, _MOST_WEIGHED))
            keys.update((key, None) for (key,) in rows)
        return sorted(_candidates(connection, list(keys)), key=_order)

    def _first_score(self, tally: Tally, one: _Candidate, corpus: Corpus) -> float:
        document = tally.as_document(one.key, one.word_count, corpus)
        return tally.fused(document, [tally.best_entry_score(one.key)], is_in_range=self._is_in_range(one))

    def _weigh_evidence(
        self, one: _Candidate, best: Sequence[tuple[int, float]], bodies: Mapping[Hit, str], judge: Judge
    ) -> float:
        """Read and score a session's best entries; give what they count for by who said them."""
        trusted = found = 0.0
        for seq, context in best:
            body = bodies[one.key, seq]
            entry = read_entry(body)
            score = 0.5 * context + 0.5 * judge.judge(entry).score
            one.entries.append(FoundEntry(one.session_id, _stored(seq, body), score))
            trusted, found = trusted + context * judge.trust(entry), found + context
        one.entries.sort(key=lambda found: (-round(found.score, 9), -found.entry.seq))
        return trusted / found if found else 1.0

    def _is_in_range(self, one: _Candidate) -> bool:
        return any(
            one.last_at_us >= to_us(range_.since) and one.first_at_us < to_us(range_.until)
            for range_ in self.asked.query.dates
        )

    def _found(self, connection: Database, root: str, members: Sequence[_Candidate]) -> FoundTranscript:
        session_key = _key_of(root, members) or locate(connection, self.account_id, root)[0]
        session = _session(connection, session_key)
        own = [one for one in members if one.key == session_key]
        # Its own words first; those of a session it spawned only where it has none.
        best = next((one.entries for one in (*own, *members) if one.entries), list[FoundEntry]())
        has_title = bool(best and (session.name or session.task))
        return FoundTranscript(
            session=session,
            score=max(one.score for one in members),
            entries=tuple(best[:_ENTRIES_GIVEN]),
            children_found=len(members) - len(own),
            opening=None if has_title or not session.last_seq else _stored(1, _body(connection, session_key, 1)),
        )


class _Families:
    """Puts candidates under the sessions that spawned them."""

    def __init__(self, connection: Database, account_id: str, asked: SearchQuery) -> None:
        self._connection = connection
        self._account_id = account_id
        self._asked = asked
        self._parents: dict[str, str | None] = {}

    def grouped(self, ranked: Iterable[_Candidate]) -> list[tuple[str, list[_Candidate]]]:
        """Give (session id, candidates) in the order of the best candidate of each."""
        groups: dict[str, list[_Candidate]] = {}
        for one in ranked:
            groups.setdefault(self._root(one), []).append(one)
        return list(groups.items())

    def _root(self, one: _Candidate) -> str:
        root, parent = one.session_id, one.parent_id
        if self._asked.include_children or self._asked.session_id is not None:
            return root
        for _ in range(_DEEPEST_FAMILY):
            if parent is None or parent == self._asked.exclude_session_id or not self._is_here(parent):
                break
            root, parent = parent, self._parents[parent]
        return root

    def _is_here(self, session_id: str) -> bool:
        if session_id not in self._parents:
            statement = "SELECT id, parent_id FROM sessions WHERE account_id = ? AND id = ?"
            row = self._connection.execute(statement, (self._account_id, session_id)).get
            if row is None:
                return False
            self._parents[session_id] = row[1]
        return True


def _key_of(root: str, members: Sequence[_Candidate]) -> int | None:
    return next((one.key for one in members if one.session_id == root), None)


def _order(one: _Candidate) -> tuple[float, int, int]:
    return (-round(one.score, 6), -one.last_at_us, -one.key)


def _candidates(connection: Database, keys: Sequence[int]) -> list[_Candidate]:
    statement = (
        "SELECT s.session_key, s.id, s.parent_id, i.word_count, coalesce(i.first_at_us, s.updated_at_us), "
        "coalesce(i.last_at_us, s.updated_at_us) FROM json_each(?) j "
        "CROSS JOIN sessions s ON s.session_key = j.value JOIN indexed_sessions i USING (session_key)"
    )
    return [_Candidate(*row) for row in connection.execute(statement, (str(list(keys)),))]


def _body(connection: Database, session_key: int, seq: int) -> str:
    body: Any = connection.execute("SELECT body FROM entries WHERE place = ?", (entry_place(session_key, seq),)).get
    return body


def _stored(seq: int, body: str) -> StoredEntry:
    return StoredEntry(seq, f'{{"seq":{seq},{body[1:]}')


def _session(connection: Database, session_key: int) -> StoredSession:
    return read_session(connection.execute(f"{SELECT_SESSIONS} WHERE s.session_key = ?", (session_key,)).get)
