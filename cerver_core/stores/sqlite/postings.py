"""Asks the index for the entries that hold each term of a query, within bounds; ranks nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cerver_core.search.query import Term
from cerver_core.search.rank import RELATIVE, TOOL, Corpus, Tally, holds_phrase
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import SearchQuery
from cerver_core.stores.sqlite.index import BLOCK_BITS
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Gatherer", "Hit", "entry_place"]

_MOST_SAID = 4_000
_MOST_TOOL = 1_500
_MOST_RELATED = 1_000
_MOST_NAMED = 1_000
_MOST_LOOKED_AT = 50_000
_MOST_PHRASES = 2_000
_MOST_FILTERED = 6_000
_SEQ_BITS = 32
_SEQ_MASK = (1 << _SEQ_BITS) - 1
_TOOL_KINDS = frozenset({"tool_use", "tool_result"})

Hit = tuple[int, int]
"""A session key and a seq."""


def entry_place(session_key: int, seq: int) -> int:
    """Give the key under which an entry stands."""
    return session_key << _SEQ_BITS | seq


class Gatherer:
    """Fills a tally with what one account's part of the index holds for a query, the newest entries first."""

    def __init__(self, connection: Database, account_id: str, asked: SearchQuery) -> None:
        self._connection = connection
        self._asked = asked
        self._conditions, self._values = _conditions(account_id, asked)
        self._without = _without(asked.query.excluded)
        self.corpus = _corpus(connection)

    def gather(self, tally: Tally) -> None:
        """Look for every term, keep what the filters keep, and weigh the terms."""
        spans = {number: self._term(tally, number, term) for number, term in enumerate(self._asked.query.terms)}
        self._pass_over_phrases(tally)
        if self._has_entry_filter():
            self._filter(tally)
        tally.weigh(self.corpus, spans)

    def conditions(self) -> tuple[str, Sequence[Any]]:
        """Give the condition on `sessions s`, with its values, that an answer must meet."""
        return self._conditions, self._values

    def _term(self, tally: Tally, number: int, term: Term) -> float:
        wanted = _any_of(term)
        span = 1.0
        if self._asked.role != "tool" and self._asked.kind not in _TOOL_KINDS:
            hits, span = self._hits("said_index", wanted, _MOST_SAID)
            tally.add(number, hits, 1.0)
        if self._asked.role != "user":
            hits, _ = self._hits("tool_index", wanted, _MOST_TOOL)
            tally.add(number, hits, TOOL)
        if term.relatives and self._asked.role != "tool":
            hits, _ = self._hits("said_index", _any_word(term.relatives), _MOST_RELATED)
            tally.add(number, hits, RELATIVE)
        if term.is_phrase:
            tally.keep(self._phrases(tally.entries(number), term), number)
        elif not self._has_entry_filter():
            tally.add_named(number, self._named(wanted))
        return span

    def _hits(self, table: str, wanted: str, most: int) -> tuple[list[Hit], float]:
        """Find the newest entries; with them, the part of the index that was looked at to find so many."""
        match = f"({wanted}){self._without}"
        statement = (
            f"SELECT h.rowid, b.session_key, b.number FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? "  # noqa: S608 - words of ours
            f"ORDER BY rowid DESC LIMIT {_MOST_LOOKED_AT}) h JOIN index_blocks b ON b.block = h.rowid >> {BLOCK_BITS} "
            f"JOIN sessions s ON s.session_key = b.session_key WHERE {self._conditions} LIMIT ?"
        )
        rows = list(self._connection.execute(statement, (match, *self._values, most)))
        in_block = (1 << BLOCK_BITS) - 1
        hits = [(key, (number << BLOCK_BITS) + (rowid & in_block) + 1) for rowid, key, number in rows]
        if len(rows) < most:
            return hits, 1.0
        newest = self._connection.execute("SELECT max(block) FROM index_blocks").get or 1
        return hits, max(1, newest - (rows[-1][0] >> BLOCK_BITS)) / newest

    def _named(self, wanted: str) -> list[int]:
        statement = (
            "SELECT h.rowid FROM (SELECT rowid FROM session_index WHERE session_index MATCH ? "  # noqa: S608 - words of ours
            f"ORDER BY rowid DESC LIMIT {_MOST_NAMED}) h JOIN sessions s ON s.session_key = h.rowid "
            f"WHERE {self._conditions}"
        )
        return [key for (key,) in self._connection.execute(statement, (wanted, *self._values))]

    def _phrases(self, hits: Iterable[Hit], term: Term) -> frozenset[Hit]:
        (phrase,) = term.spellings
        newest = sorted(hits, reverse=True)[:_MOST_PHRASES]
        return frozenset(
            hit
            for hit, body in self.bodies(newest).items()
            if holds_phrase(read_entry(body).text, phrase, is_prefix=term.is_prefix)
        )

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        """Read the texts of entries, in one statement."""
        places = json.dumps([entry_place(*hit) for hit in hits])
        statement = "SELECT e.place, e.body FROM json_each(?) j JOIN entries e ON e.place = j.value"
        found = self._connection.execute(statement, (places,))
        return {(place >> _SEQ_BITS, place & _SEQ_MASK): body for place, body in found}

    def _pass_over_phrases(self, tally: Tally) -> None:
        """Drop the entries that hold an excluded phrase; excluded words the index has passed over already."""
        terms = range(len(self._asked.query.terms))
        for term in self._asked.query.excluded:
            if not term.is_phrase:
                continue
            hits = {hit for number in terms for hit in tally.entries(number)}
            tally.keep(frozenset(hits) - self._phrases(hits, term))

    def _has_entry_filter(self) -> bool:
        asked = self._asked
        return any(value is not None for value in (asked.role, asked.kind, asked.tool, asked.since_us, asked.until_us))

    def _filter(self, tally: Tally) -> None:
        hits = {hit for number in range(len(self._asked.query.terms)) for hit in tally.entries(number)}
        places = json.dumps([entry_place(*hit) for hit in sorted(hits, reverse=True)[:_MOST_FILTERED]])
        terms, values = _entry_conditions(self._asked)
        statement = (
            f"SELECT e.place FROM json_each(?) j JOIN entries e ON e.place = j.value WHERE {' AND '.join(terms)}"  # noqa: S608 - words of ours
        )
        found = self._connection.execute(statement, (places, *values))
        tally.keep(frozenset((place >> _SEQ_BITS, place & _SEQ_MASK) for (place,) in found))


def _conditions(account_id: str, asked: SearchQuery) -> tuple[str, Sequence[Any]]:
    terms, values = ["s.account_id = ?"], [account_id]
    if asked.session_id is not None:
        terms.append("(s.id = ? OR s.parent_id = ?)" if asked.include_children else "s.id = ?")
        values += [asked.session_id] * (2 if asked.include_children else 1)
    if asked.exclude_session_id is not None:
        terms.append("s.id <> ?")
        values.append(asked.exclude_session_id)
    if asked.project is not None:
        terms.append("s.project = ?")
        values.append(asked.project)
    if asked.harness is not None:
        terms.append("(SELECT d.harness FROM session_details d WHERE d.session_key = s.session_key) = ?")
        values.append(asked.harness)
    return " AND ".join(terms), values


def _entry_conditions(asked: SearchQuery) -> tuple[list[str], list[Any]]:
    terms: list[str] = []
    values: list[Any] = []
    for key, value in (("role", asked.role), ("kind", asked.kind), ("tool_name", asked.tool)):
        if value is not None:
            default = ", 'text'" if key == "kind" else ", ''"
            terms.append(f"coalesce(e.body ->> '{key}'{default}) = ?")
            values.append(value)
    for sign, value in ((">=", asked.since_us), ("<", asked.until_us)):
        if value is not None:
            terms.append(f"unixepoch(e.body ->> 'at', 'subsec') {sign} ?")
            values.append(value / 1_000_000)
    return terms, values


def _corpus(connection: Database) -> Corpus:
    sessions, word_count = connection.execute("SELECT session_count, word_count FROM indexed_totals").get
    return Corpus(sessions, word_count / max(sessions, 1))


def _any_of(term: Term) -> str:
    return " OR ".join(_all_of(spelling, is_prefix=term.is_prefix) for spelling in term.spellings)


def _all_of(spelling: Sequence[str], *, is_prefix: bool) -> str:
    quoted = [f'"{word}"' for word in spelling]
    if is_prefix:
        quoted[-1] += " *"
    return f"({' AND '.join(quoted)})" if len(quoted) > 1 else quoted[0]


def _any_word(words: Iterable[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


def _without(excluded: Sequence[Term]) -> str:
    single = [_any_of(term) for term in excluded if not term.is_phrase]
    return f" NOT ({' OR '.join(single)})" if single else ""
