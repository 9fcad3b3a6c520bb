"""Finds in what was said the sentences that decide something, by the words in which people decide."""

import re
from collections.abc import Iterator

__all__ = ["deciding_sentences", "plain_words"]

_LONGEST = 20_000
"""How much of a text is looked at, in characters, at its beginning and at its end."""

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TAGGED = re.compile(
    r"<(system-reminder|command-[a-z]+|local-command-[a-z]+|environment_context)>.*?(?:</\1>|\Z)", re.DOTALL
)
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?!\s|$)[^\n.!?]*)*[.!?]*")
_MARKUP = re.compile(r"^[\s#>*\-+|]*(?:\d+[.)]\s+)?|[*`|]+")
_WORD = re.compile(r"[^\W_]+")

_MARKED = re.compile(r"^(?:decision|decided|resolution|conclusion|agreed|verdict)\b\s*[:\u2013\u2014-]", re.IGNORECASE)
_PLAIN = re.compile(
    r"^(?:so |then |ok(?:ay)?,? |and )?(?:we|i)(?:'ve| have)? "
    r"(?:chose|chosen|picked|selected|adopted|rejected|dropped) (?!(?:it|this|that|them|one|to|from)\b)\w",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:decid(?:ed|es|ing)|decision (?:is|was)|agreed|settled on|we(?:'ve| have)? (?:chose|chosen|picked)|"
    r"(?:i|we)(?:'ll| will|'re going to| are going to) (?:use|go with|keep|stick with|drop|switch|move)|"
    r"let(?:'|\u2019)?s (?:use|go with|keep|stick with|drop|switch|move|not)|go(?:ing)? with|opt(?:ed|ing)? for|"
    r"chose|chosen|picked|instead of|rather than|in favou?r of|ruled out|rejected|switch(?:ed|ing)? to|"
    r"from now on|no longer|stick(?:ing)? with|(?:is|are) to be)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:must(?: not)?|should(?: not|n't)?|always|never|prefer(?:red|s)?|don't use|do not use|only use|"
    r"requirement|the plan is|final(?:ly)?|because|approved?|renamed?|replaced?|removed?|keep)\b",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"\b(?:maybe|perhaps|might|could|not sure|wonder|let me|i'll (?:check|look|see|try|read))\b", re.IGNORECASE
)

_LEAST_WORDS, _MOST_WORDS = 4, 60
_LEAST_WORDS_SAID_PLAINLY = 3


def deciding_sentences(text: str, *, by_user: bool) -> Iterator[tuple[float, str]]:
    """Give the sentences that decide something, each behind its weight, from about 1 up; code is passed over."""
    shortened = text if len(text) <= 2 * _LONGEST else f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"
    spoken = _FENCED.sub("\n", _TAGGED.sub("\n", shortened))
    for found in _SENTENCE.finditer(spoken):
        sentence = " ".join(_MARKUP.sub("", found.group()).split())
        weight = _weight(sentence)
        if weight:
            yield weight + (0.5 if by_user else 0.0), sentence


def plain_words(sentence: str) -> frozenset[str]:
    """Give a sentence's words in small letters, without the shortest: two that share most of them say the same."""
    return frozenset(word.lower() for word in _WORD.findall(sentence) if len(word) > 2 or word.isdigit())


def _weight(sentence: str) -> float:
    is_marked, is_plain = _MARKED.match(sentence) is not None, _PLAIN.match(sentence) is not None
    least = _LEAST_WORDS_SAID_PLAINLY if is_marked or is_plain else _LEAST_WORDS
    if sentence.endswith("?") or not least <= sentence.count(" ") + 1 <= _MOST_WORDS:
        return 0.0
    weight = 4.0 if is_marked else 2.0 if is_plain and not _STRONG.search(sentence) else 0.0
    weight += 2.0 * min(2, len(_STRONG.findall(sentence)))
    if not weight:
        return 0.0
    weight += 0.5 * min(2, len(_WEAK.findall(sentence)))
    return weight - (1.5 if _DOUBTFUL.search(sentence) else 0.0)
