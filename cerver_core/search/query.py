"""Reads a query as people and agents type it: words, "phrases", -without, prefix*, dates; any text is one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cerver_core.search.dates import DateRange, find_dates
from cerver_core.search.texts import Part
from cerver_core.search.vocabulary import DECIDING, DOING
from cerver_core.search.words import forms, is_stop_word, is_weak, kin, words

__all__ = ["MOST_TERMS", "Query", "Term", "parse"]

MOST_TERMS = 24
"""How many terms of a query are looked for; of a longer one, the first that are no stop words."""

_SHORTEST_PREFIX = 3
_WEAK_WEIGHT = 0.4
_MEASURE_WEIGHT = 0.2
_LONGEST_MEASURE = 24
_TIME_WORDS = frozenset(
    {"today", "tonight", "yesterday", "last", "past", "day", "week", "weekend", "month", "year", "ago"}
)
_PIECE = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<plain>[^\s"]+))')
# Questions about what the assistant said ("you told me", "remind me", "our last chat"), and about the one who asks.
_OF_ASSISTANT = re.compile(
    r"\byou(?:'ve| have| had)? (?:\w+ )?(?:recommend|suggest|tell|told|sa[iy]|mention|advis|g[ai]ve|provid|explain|"
    r"list|propos|writ|wrote|describ|identif|recogni|c[oa]me up|prefer|creat|generat|shar|show|taught|teach|compil)"
    r"|\baccording to you\b|\byour (?:answer|advice|recommendation|suggestion|list|explanation|reply)"
    r"|\b(?:our|the) (?:previous|earlier|last|past|prior) (?:chat|conversation|discussion|talk)"
    r"|\bremind me\b|\bwe (?:talked|discussed|spoke|chatted|were talking|were discussing)\b",
    re.IGNORECASE,
)
_OF_USER = re.compile(r"\b(?:i|i'm|i've|i'd|my|mine|myself)\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"\?\s*$|^\s*(?:who|whom|whose|what|when|where|which|why|how|did|do|does|is|are|was|were|have|has|can|could|would"
    r"|should|tell|remind)\b",
    re.IGNORECASE,
)
_OF_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|often|fast|big|tall|soon|late)\b|\bwhen\b"
    r"|\bwhat (?:time|date|day|year|age|price|amount|percentage)\b",
    re.IGNORECASE,
)
# "How long" and "what time" say what is asked for: hardly anybody answers in these words.
_MEASURE = re.compile(r"\bhow \w+\W*$|\bwhat (?:time|date|day|year|month)\W*$", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['\u2019]s$", re.IGNORECASE)
_JOINED = re.compile(r"[^\s,;!?()\[\]{}<>]+")
_IDENTIFIER = re.compile(r"[\w][._/:@#$\\=][\w]|\d")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for: any of `spellings`, each a sequence of words that stand one behind the other.

    `relatives` are words that often mean the same and count for less. A prefix stands for every word that begins so.
    """

    spellings: tuple[tuple[str, ...], ...]
    relatives: tuple[str, ...] = ()
    is_prefix: bool = False
    is_required: bool = False
    weight: float = 1.0

    @property
    def is_phrase(self) -> bool:
        """Tell whether it is several words in a row."""
        return len(self.spellings[0]) > 1


@dataclass(frozen=True, slots=True)
class Query:
    """What a query asks for. Without terms it matches what is of its dates, and nothing without those.

    `date_leads`: it asks about a time more than about its words, and what is of that time comes first.
    `speaker` is who can be expected to have said it: the user for "my dog", the assistant for "you told me".
    `is_question` is false for words alone; `expects_number` is true for "how many", "how long", "when".
    """

    terms: tuple[Term, ...]
    excluded: tuple[Term, ...] = ()
    dates: tuple[DateRange, ...] = ()
    speaker: Part | None = None
    is_question: bool = False
    expects_number: bool = False
    date_leads: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Give the words that are looked for as they were typed, phrases and prefixes left out."""
        return frozenset(term.spellings[0][0] for term in self.terms if not (term.is_phrase or term.is_prefix))

    @property
    def required(self) -> tuple[Term, ...]:
        """Give the quoted phrases: a session without one of them is not found."""
        return tuple(term for term in self.terms if term.is_required)


def parse(text: str, now: datetime) -> Query:
    """Read a query; what is no operator is text, and nothing is an error.

    Stop words count only where nothing else is asked for. Words that name a date give a range and, when they are words
    of a text too ("october", not "3h"), still count as such, unless the rest only asks what was done then.
    """
    named = find_dates(_blanked(text), now)
    wanted: list[Term] = []
    dated: list[Term] = []
    excluded: list[Term] = []
    for piece in _PIECE.finditer(text):
        terms = list(_terms(piece))
        if piece["minus"]:
            excluded += terms
        elif not any(one.start <= piece.start() < one.end for one in named):
            is_measure = _MEASURE.search(text, max(0, piece.end() - _LONGEST_MEASURE), piece.end())
            wanted += [_measuring(term) for term in terms] if is_measure else terms
        elif piece["plain"] is not None:
            dated += [_lighter(term) for term in terms if _is_month_or_number(term)]
    date_leads = bool(named and wanted) and all(_tells_little(term) for term in wanted)
    if date_leads:
        wanted = [term for term in wanted if term.spellings[0][0] in DECIDING]
    else:
        wanted += dated
    dates = tuple(one.range for one in named)
    return Query(
        _kept(wanted),
        tuple(excluded[:MOST_TERMS]),
        dates,
        _speaker(text),
        is_question=_QUESTION.search(text) is not None,
        expects_number=_OF_NUMBER.search(text) is not None,
        date_leads=date_leads,
    )


def _tells_little(term: Term) -> bool:
    first = term.spellings[0][0]
    is_plain = not (term.is_phrase or term.is_prefix)
    return is_plain and (is_stop_word(first) or first in DOING or first in DECIDING)


def _speaker(text: str) -> Part | None:
    if _OF_ASSISTANT.search(text):
        return "assistant"
    return "user" if _OF_USER.search(text) else None


def _blanked(text: str) -> str:
    """Hide quoted and excluded words from the search for dates; places stay."""
    return _PIECE.sub(
        lambda piece: " " * len(piece.group()) if piece["minus"] or piece["phrase"] is not None else piece.group(), text
    )


def _terms(piece: re.Match[str]) -> Iterator[Term]:
    if piece["phrase"] is not None:
        phrase = tuple(word.text for word in words(piece["phrase"]))
        if phrase:
            yield Term((phrase,), is_required=not piece["minus"])
        return
    for match in _JOINED.finditer(piece["plain"]):
        yield from _plain(match.group(), is_excluded=bool(piece["minus"]))


def _plain(joined: str, *, is_excluded: bool) -> Iterator[Term]:
    is_prefix = joined.endswith("*")
    joined = _POSSESSIVE.sub("", joined.strip("*.:'\u2019`_-/"))
    parts = tuple(word.text for word in words(joined))
    if not parts:
        return
    if len(parts) > 1 and (is_excluded or is_prefix or _IDENTIFIER.search(joined) or not joined.isascii()):
        yield Term((parts,), is_prefix=is_prefix)
        return
    if len(parts) == 1 and is_prefix and len(parts[0]) >= _SHORTEST_PREFIX:
        yield Term((parts,), is_prefix=True)
        return
    for part in parts:
        if is_excluded:
            yield Term(((part,),))
        else:
            spellings = tuple((form,) for form in forms(part))
            yield Term(spellings, weight=_WEAK_WEIGHT) if is_weak(part) else Term(spellings, kin(part))


def _is_month_or_number(term: Term) -> bool:
    first = term.spellings[0][0]
    return not is_stop_word(first) and first not in {
        "today",
        "yesterday",
        "last",
        "past",
        "week",
        "month",
        "year",
        "ago",
    }


def _lighter(term: Term) -> Term:
    return Term(term.spellings, (), term.is_prefix, is_required=False, weight=0.5)


def _measuring(term: Term) -> Term:
    return replace(term, weight=_MEASURE_WEIGHT * term.weight)


def _kept(wanted: Sequence[Term]) -> tuple[Term, ...]:
    first: dict[tuple[str, ...], Term] = {}
    for term in wanted:
        first.setdefault(term.spellings[0], term)
    unique = list(first.values())
    telling = [term for term in unique if term.is_phrase or term.is_prefix or not is_stop_word(term.spellings[0][0])]
    return tuple((telling or unique)[:MOST_TERMS])
