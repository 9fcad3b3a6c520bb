"""Asks the index for the entries that hold each term of a query, within bounds; ranks nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from cerver_core.search.query import Term
from cerver_core.search.rank import RELATIVE, TOOL, Corpus, holds_phrase
from cerver_core.search.tally import BLOCK_BITS, Tally
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import SearchQuery
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Gatherer", "Hit", "entry_place"]

_MOST_SAID = 4_000
_MOST_TOOL = 1_500
_MOST_RELATED = 1_000
_MOST_NAMED = 1_000
_MOST_LOOKED_AT = 50_000
_FURTHER = 12
"""How many times further a search looks when much of what it finds may not be asked for."""

_MOST_TOGETHER = 500
_MOST_BLOCKS = (40, 40, 250, 600)
"""How many blocks become sessions, by how many terms there are: no less than are weighed then."""
_MOST_PHRASES = 2_000
_MOST_FILTERED = 6_000
_SEQ_BITS = 32
_SEQ_MASK = (1 << _SEQ_BITS) - 1
_IN_BLOCK = (1 << BLOCK_BITS) - 1
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
        self._is_selective = _is_selective(connection, account_id, asked)
        self._newest: int = connection.execute("SELECT max(block) FROM index_blocks").get or 1
        self._blocks: dict[int, tuple[int, int, int] | None] = {}
        self.corpus = _corpus(connection)

    def gather(self, tally: Tally) -> None:
        """Look for every term, keep what the filters keep, and weigh the terms."""
        spans = {number: self._term(tally, number, term) for number, term in enumerate(self._asked.query.terms)}
        self._often(tally, spans)
        self._pass_over_phrases(tally)
        if self._has_entry_filter():
            self._filter(tally)
        most = _MOST_BLOCKS[min(len(spans), 3)]
        most = _MOST_LOOKED_AT if self._is_selective else most + 4 * self._asked.skip
        blocks = tally.best_blocks(self._newest, spans, most)
        tally.place(self._placed(blocks))
        tally.weigh(self.corpus)

    def conditions(self) -> tuple[str, Sequence[Any]]:
        """Give the condition on `sessions s`, with its values, that an answer must meet."""
        return self._conditions, self._values

    def _term(self, tally: Tally, number: int, term: Term) -> float:
        wanted = _any_of(term)
        span = 1.0
        if self._is_said():
            places, span = self._places("said_index", wanted, _MOST_SAID)
            tally.add(number, places, 1.0)
        if self._asked.role != "user":
            places, _ = self._places("tool_index", wanted, _MOST_TOOL)
            tally.add(number, places, TOOL)
        if term.relatives and self._asked.role != "tool":
            places, _ = self._places("said_index", _any_word(term.relatives), _MOST_RELATED)
            tally.add(number, places, RELATIVE)
        if term.is_phrase:
            tally.keep(self._phrases(tally.places(number), term), number)
        elif not self._has_entry_filter():
            tally.add_named(number, self._named(wanted))
        return span

    def _is_said(self) -> bool:
        return self._asked.role != "tool" and self._asked.kind not in _TOOL_KINDS

    def _places(self, table: str, wanted: str, most: int) -> tuple[list[int], float]:
        """Find the newest entries; with them, the part of the index that was looked at to find so many."""
        most = _FURTHER * most if self._is_selective else most
        statement = (
            f"SELECT group_concat(rowid) FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? "  # noqa: S608 - words of ours
            f"ORDER BY rowid DESC LIMIT {most})"
        )
        found = self._connection.execute(statement, (f"({wanted}){self._without}",)).get
        places: list[int] = from_json(f"[{found or ''}]")
        if len(places) < most:
            return places, 1.0
        return places, max(1, self._newest - (places[-1] >> BLOCK_BITS)) / self._newest

    def _often(self, tally: Tally, spans: Mapping[int, float]) -> None:
        """Of terms that stand in more entries than were looked at, find those that hold two, however old they are."""
        often = sorted((number for number, span in spans.items() if span < 1.0), key=lambda one: -spans[one])[:3]
        terms = self._asked.query.terms
        for at, first in enumerate(often):
            for second in often[at + 1 :]:
                wanted = f"({_any_of(terms[first])}) AND ({_any_of(terms[second])})"
                places, _ = self._places("said_index", wanted, _MOST_TOGETHER)
                for number in (first, second):
                    if not terms[number].is_phrase:
                        tally.add(number, places, 1.0)

    def _named(self, wanted: str) -> list[int]:
        statement = (
            "SELECT h.rowid FROM (SELECT rowid FROM session_index WHERE session_index MATCH ? "  # noqa: S608 - words of ours
            f"ORDER BY rowid DESC LIMIT {_MOST_NAMED}) h CROSS JOIN sessions s ON s.session_key = h.rowid "
            f"WHERE {self._conditions}"
        )
        return [key for (key,) in self._connection.execute(statement, (wanted, *self._values))]

    def _placed(self, blocks: Iterable[int]) -> list[tuple[int, int, int]]:
        """Give (block, session key, number) of those blocks whose sessions meet the conditions."""
        wanted = list(blocks)
        unknown = [block for block in wanted if block not in self._blocks]
        if unknown:
            self._blocks.update(dict.fromkeys(unknown))
            statement = (
                "SELECT b.block, b.session_key, b.number FROM json_each(?) j "  # noqa: S608 - words of ours
                "CROSS JOIN index_blocks b ON b.block = j.value CROSS JOIN sessions s USING (session_key) "
                f"WHERE {self._conditions}"
            )
            placed: Any = self._connection.execute(statement, (str(unknown), *self._values))
            self._blocks.update({row[0]: row for row in placed})
        return [one for block in wanted if (one := self._blocks[block]) is not None]

    def _hits(self, places: Collection[int]) -> dict[Hit, int]:
        """Give the session and seq of each place that meets the conditions."""
        known = {block: (key, number) for block, key, number in self._placed({one >> BLOCK_BITS for one in places})}
        return {
            (own[0], (own[1] << BLOCK_BITS) + (one & _IN_BLOCK) + 1): one
            for one in places
            if (own := known.get(one >> BLOCK_BITS)) is not None
        }

    def _phrases(self, places: Collection[int], term: Term) -> frozenset[int]:
        (phrase,) = term.spellings
        hits = self._hits(places)
        newest = sorted(hits, reverse=True)[:_MOST_PHRASES]
        return frozenset(
            hits[hit]
            for hit, body in self.bodies(newest).items()
            if holds_phrase(read_entry(body).text, phrase, is_prefix=term.is_prefix)
        )

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        """Read the texts of entries, in one statement."""
        places = str([entry_place(*hit) for hit in hits])
        statement = "SELECT e.place, e.body FROM json_each(?) j CROSS JOIN entries e ON e.place = j.value"
        found = self._connection.execute(statement, (places,))
        return {(place >> _SEQ_BITS, place & _SEQ_MASK): body for place, body in found}

    def _pass_over_phrases(self, tally: Tally) -> None:
        """Drop the entries that hold an excluded phrase; excluded words the index has passed over already."""
        for term in self._asked.query.excluded:
            if term.is_phrase:
                places = tally.places()
                tally.keep(places - self._phrases(places, term))

    def _has_entry_filter(self) -> bool:
        asked = self._asked
        return any(value is not None for value in (asked.role, asked.kind, asked.tool, asked.since_us, asked.until_us))

    def _filter(self, tally: Tally) -> None:
        hits = self._hits(tally.places())
        places = str([entry_place(*hit) for hit in sorted(hits, reverse=True)[:_MOST_FILTERED]])
        terms, values = _entry_conditions(self._asked)
        statement = (
            "SELECT e.place FROM json_each(?) j CROSS JOIN entries e ON e.place = j.value "  # noqa: S608 - words of ours
            f"WHERE {' AND '.join(terms)}"
        )
        found = self._connection.execute(statement, (places, *values))
        tally.keep(frozenset(hits[place >> _SEQ_BITS, place & _SEQ_MASK] for (place,) in found))


def _is_selective(connection: Database, account_id: str, asked: SearchQuery) -> bool:
    """Tell whether much of what the index holds may be somebody else's, or of sessions that are not asked for."""
    if asked.session_id is not None or asked.project is not None or asked.harness is not None:
        return True
    others = (
        "SELECT EXISTS (SELECT 1 FROM sessions WHERE account_id < ?1) "
        "OR EXISTS (SELECT 1 FROM sessions WHERE account_id > ?1)"
    )
    return bool(connection.execute(others, (account_id,)).get)


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
