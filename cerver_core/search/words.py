"""Words of a text as the index sees them, and the other forms under which a word may stand there; finds nothing."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from cerver_core.search.kinds import KINDS
from cerver_core.search.vocabulary import IRREGULAR, KIN, NUMERALS, STOP_WORDS, WEAK_WORDS

__all__ = ["Word", "fold", "forms", "indexable", "is_stop_word", "is_weak", "kin", "words"]

# A letter or digit with the accents that follow it. The underscore separates, as in the index.
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
_RUN_TOGETHER = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_SHORTEST_NOISE = 200
_NOISE = re.compile(rf"[A-Za-z0-9+/=]{{{_SHORTEST_NOISE},}}")
_SHORTEST_INFLECTED = 3
_VOWELS = frozenset("aeiou")


class Word(NamedTuple):
    """A word as it is compared, and where it stands in the text it was found in."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Give the words of a text in order; in scripts that write without spaces each character is a word."""
    for match in _WORD.finditer(text):
        found = match.group()
        if found.isascii():
            yield Word(found.lower(), match.start(), match.end())
        else:
            yield from _parted(found, match.start())


def fold(text: str) -> str:
    """Write a text in lower case and without accents, as words are compared."""
    if text.isascii():
        return text.lower()
    parted = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(one for one in parted if unicodedata.category(one) != "Mn"))


def indexable(text: str) -> str:
    """Write a text so that an index which parts it at what is no letter or digit finds the same words.

    Encoded data (200 characters or more without a space) is left out: nobody looks for it, and it fills an index.
    """
    if _may_hold_noise(text):
        text = _NOISE.sub(" ", text)
    if text.isascii():
        return text
    return " ".join(word.text for word in words(text))


def _may_hold_noise(text: str) -> bool:
    """Tell cheaply whether 200 characters follow one another without a blank or the end of a line."""
    at = -1
    while len(text) - at > _SHORTEST_NOISE:
        gap = text.rfind(" ", at + 1, at + 1 + _SHORTEST_NOISE)
        if gap < 0:
            gap = text.rfind("\n", at + 1, at + 1 + _SHORTEST_NOISE)
        if gap < 0:
            return True
        at = gap
    return False


def is_stop_word(word: str) -> bool:
    """Tell whether a word is so common that it says nothing about a text."""
    return word in STOP_WORDS


def is_weak(word: str) -> bool:
    """Tell whether a word belongs to the asking more than to what is asked for."""
    return word in WEAK_WORDS


@lru_cache(maxsize=4_096)
def forms(word: str) -> tuple[str, ...]:
    """Give the inflected forms of an English word, the word itself first; some that are no words do no harm.

    Words in which a digit stands, and short ones, have no other form.
    """
    if word in NUMERALS:
        return (word, NUMERALS[word])
    if not _is_inflected(word):
        return (word,)
    found = [word]
    for spelling in _spellings(word):
        for base in _roots(spelling):
            found += [base, *_inflected(base), *IRREGULAR.get(base, ())]
    return tuple(dict.fromkeys(form for form in found if (len(form) > 1 and form not in STOP_WORDS) or form == word))


@lru_cache(maxsize=4_096)
def kin(word: str) -> tuple[str, ...]:
    """Give words that often stand for the same thing: derived ones and near synonyms, in all their forms."""
    if not _is_inflected(word):
        return ()
    own = set(forms(word))
    found: list[str] = []
    for base in _roots(word):
        found += _derived(base)
        for relative in KIN.get(base, ()):
            found += forms(relative)
        for relative in KINDS.get(base, ()):
            found += [relative, relative + ("es" if relative.endswith(("s", "x", "ch", "sh")) else "s")]
    return tuple(dict.fromkeys(form for form in found if form not in own and form not in STOP_WORDS))


def _spellings(word: str) -> Iterator[str]:
    """Give a word as it is written on either side of the Atlantic."""
    yield word
    for one, other in _SPELLINGS:
        if one in word[2:]:
            yield word[:2] + word[2:].replace(one, other, 1)


def _is_inflected(word: str) -> bool:
    return len(word) >= _SHORTEST_INFLECTED and word.isascii() and word.isalpha() and word not in STOP_WORDS


def _parted(found: str, start: int) -> Iterator[Word]:
    plain = start
    for match in _RUN_TOGETHER.finditer(found):
        at = start + match.start()
        if at > plain:
            yield from _folded(found[plain - start : match.start()], plain)
        yield Word(match.group(), at, at + 1)
        plain = at + 1
    if plain < start + len(found):
        yield from _folded(found[plain - start :], plain)


def _folded(piece: str, start: int) -> Iterator[Word]:
    folded = fold(piece)
    # Folding may part a word: what stands for a ligature or a fraction holds other signs.
    for part in _WORD.findall(folded):
        yield Word(part, start, start + len(piece))


def _roots(word: str) -> list[str]:
    """Give what can be inflected: not a form that is inflected already, but painting, which has a plural."""
    bases = _bases(word)
    if word in KIN or word in KINDS:
        return bases  # a word that is known by itself: breed, wedding
    return bases[1:] if len(bases) > 1 and not word.endswith("ing") else bases


def _bases(word: str) -> list[str]:
    """Give what the word may be a form of, itself first."""
    bases = [word]
    if word in IRREGULAR:
        return bases
    if (lemma := _LEMMA.get(word)) is not None:
        return [word, lemma]
    for ending, strip in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            bases += strip(word)
            break
    return list(dict.fromkeys(base for base in bases if len(base) >= 2))


def _without_s(word: str) -> list[str]:
    return [] if word.endswith(("ss", "us", "is")) else [word[:-1]]


def _without_es(word: str) -> list[str]:
    return [word[:-1], word[:-2]] if word.endswith(("ches", "shes", "sses", "xes", "zes", "oes")) else [word[:-1]]


def _without_past(word: str) -> list[str]:
    return _verb_bases(word[:-2])


def _without_ing(word: str) -> list[str]:
    return _verb_bases(word[:-3])


def _verb_bases(stem: str) -> list[str]:
    if not _VOWELS & set(stem.replace("y", "i")):
        return []
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return [stem[:-1]]
    if len(stem) > 2 and stem[-1] == stem[-2]:
        return [stem, stem[:-1]]
    return [stem, stem + "e"]


def _with_y(word: str) -> list[str]:
    return [word[:-3] + "y", word[:-1]]


_ENDINGS = (
    ("ies", _with_y),
    ("ied", _with_y),
    ("es", _without_es),
    ("s", _without_s),
    ("ed", _without_past),
    ("ing", _without_ing),
)


_SPELLINGS = (
    *(("our", "or"), ("isation", "ization"), ("ization", "isation"), ("ise", "ize"), ("ize", "ise")),
    *(("ising", "izing"), ("izing", "ising"), ("yse", "yze"), ("yze", "yse"), ("tre", "ter"), ("elling", "eling")),
    *(("elled", "eled"), ("eling", "elling"), ("eled", "elled"), ("ogue", "og"), ("ence", "ense")),
)


def _inflected(base: str) -> list[str]:
    if base.endswith("y") and base[-2] not in _VOWELS:
        return [base[:-1] + "ies", base[:-1] + "ied", base + "ing"]
    if base.endswith("e"):
        return [base + "s", base + "d", base[:-1] + "ing"]
    plural = base + "es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else base + "s"
    found = [plural, base + "ed", base + "ing"]
    if base.endswith("o"):
        found.append(base + "s")
    if _doubles(base):
        found += [base + base[-1] + "ed", base + base[-1] + "ing"]
    return found


def _doubles(base: str) -> bool:
    if len(base) < 3 or base[-1] in _VOWELS or base[-1] in "wxy":
        return False
    return base[-2] in _VOWELS and base[-3] not in _VOWELS


def _derived(base: str) -> list[str]:
    stem = base.removesuffix("e")
    found = [stem + "er", stem + "ers", stem + "ion", stem + "ions", stem + "ation", stem + "or", stem + "ive"]
    found += [base + "ment", base + "ments", base + "ly", base + "ness", base + "ful", base + "al"]
    for ending in ("ations", "ation", "ions", "ion", "ments", "ment", "ers", "er", "ors", "or", "ness", "ly", "al"):
        if base.endswith(ending) and len(base) - len(ending) >= 3:
            root = base[: -len(ending)]
            found += [*forms(root), *forms(root + "e")]
            break
    return found


_LEMMA = {form: base for base, inflected in IRREGULAR.items() for form in inflected}
