"""Says how far a sentence can be expected to answer a question, by how it is put and who says it; looks for no word."""

import re
from dataclasses import dataclass

from cerver_core.search.query import Query
from cerver_core.search.words import Word

__all__ = ["Sentence", "Telling"]

_STOP = re.compile(r"[.!?]+(?=\s|$)|\n")
_LAST_STOPS = (". ", "! ", "? ", "\n")
_OWN = re.compile(r"\b(?:I|me|us|[Mm]y|[Mm]ine|[Ww]e|[Oo]ur)\b")
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|once|twice|hundred|thousand|half|dozen|daily|"
    r"weekly|january|february|march|april|june|july|august|september|october|november|december|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tomorrow|(?:minute|hour|day|week|month|year)s?)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\W{0,3}(?P<name>[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){0,2})\W{0,3}:\s")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Where a sentence ends, what a word in it counts for, and whether it holds a number that was asked for."""

    end: int
    weight: float
    has_number: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """Weighs the sentences of entries for one query."""

    query: Query
    asked: float
    """What a word counts for in a sentence that asks: who looks for an answer looks for one that tells."""
    not_own: float
    """What it counts for, in a question about the one who asks, where a sentence has no "I" and no "my"."""
    by_named: float
    """What an entry counts for that is said by somebody the query names, as in "Priya: I adopted a kitten"."""

    def sentence(self, text: str, word: Word, after: int) -> Sentence:
        """Weigh the sentence in which a word stands, and which begins after a place."""
        stop = _STOP.search(text, word.end)
        last = stop.end() if stop else len(text)
        first = max(after, *(text.rfind(sign, after, word.start) + 1 for sign in _LAST_STOPS))
        sentence = text[first:last]
        has_number = self.query.expects_number and _NUMBER.search(sentence) is not None
        return Sentence(last, self._weight(sentence), has_number)

    def by(self, text: str) -> float:
        """Weigh an entry by the name that stands before what is said, if one does."""
        speaker = _SPEAKER.match(text)
        if speaker is None:
            return 1.0
        names = speaker["name"].lower().split()
        return self.by_named if any(name in self.query.words for name in names) else 1.0

    def _weight(self, sentence: str) -> float:
        if not self.query.is_question:
            return 1.0
        if sentence.rstrip().endswith("?"):
            return self.asked
        if self.query.speaker == "user" and not _OWN.search(sentence):
            return self.not_own
        return 1.0
