"""Grows texts that a pattern matches, letters drawn at random, as keys are made."""

import re
import re._parser as parser  # the tree of a pattern, which nothing public gives
import string
from random import Random
from typing import Any

__all__ = ["grow"]

_LETTERS = string.ascii_letters + string.digits + "_-+/=."
_CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": _LETTERS,
    "CATEGORY_NOT_WORD": "-",
}
_MOST_OF_ENDLESS = 40


def grow(pattern: str, random: Random) -> str:
    """Grow a text; assertions about its surroundings are passed over."""
    return _all(parser.parse(pattern, re.ASCII), random)  # pyright: ignore[reportUnknownMemberType]


def _all(nodes: Any, random: Random) -> str:
    return "".join(_one(str(node[0]), node[1], random) for node in nodes)


def _one(kind: str, value: Any, random: Random) -> str:  # noqa: PLR0911 - one for each kind of node
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return random.choice([letter for letter in _LETTERS if ord(letter) != value])
        case "ANY":
            return random.choice(_LETTERS)
        case "IN":
            return random.choice(_members(value))
        case "BRANCH":
            return _all(random.choice(value[1]), random)
        case "SUBPATTERN":
            return _all(value[-1], random)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            fewest, most, nodes = value
            most = min(int(most), max(int(fewest), _MOST_OF_ENDLESS))
            return "".join(_all(nodes, random) for _ in range(random.randint(int(fewest), most)))
        case _:
            return ""


def _members(items: Any) -> list[str]:
    members: set[str] = set()
    is_negated = False
    for kind, value in items:
        match str(kind):
            case "NEGATE":
                is_negated = True
            case "LITERAL":
                members.add(chr(value))
            case "RANGE":
                members.update(map(chr, range(value[0], value[1] + 1)))
            case _:
                members.update(_CATEGORIES[str(value)])
    return sorted(set(_LETTERS) - members if is_negated else members)
