"""Writes Go's regular expressions (RE2) as Python's; knows what the rules use, and refuses what it does not know."""

import re

__all__ = ["to_python"]

_CLASSES = {"[:alnum:]": "A-Za-z0-9", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9", "[:xdigit:]": "0-9A-Fa-f"}
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_UNKNOWN = re.compile(r"\\[pPQEC]|\(\?[ims]*[U-]+[imsU-]*\)")
_END = r"\z"


def to_python(pattern: str) -> str:
    r"""Translate; compile what comes with `re.ASCII`, since Go's `\w`, `\s`, `\d` and `\b` know ASCII alone.

    Flags in a group hold to its end in Go, and become a group of their own here.

    Raises:
        ValueError: the pattern has something that is not translated.
    """
    found = _UNKNOWN.search(pattern)
    if found:
        raise ValueError(f"{found[0]} is not translated: {pattern}")
    done: list[str] = []
    groups: list[list[int]] = [[0, 0]]  # of each open group: where it begins in `done`, how many of ours it holds
    position = 0
    while position < len(pattern):
        piece = _piece(pattern, position)
        position += len(piece)
        if flags := _FLAGS.fullmatch(piece):
            if len(done) > groups[-1][0] and _has_alternative(pattern, position):
                raise ValueError(f"flags in the midst of alternatives are not translated: {pattern}")
            groups[-1][1] += 1
            done.append(f"(?{flags[1]}:")
        elif piece == "(":
            done.append(piece)
            groups.append([len(done), 0])
        elif piece == ")":
            done.append(")" * (groups.pop()[1] + 1))
        else:
            done.append(_written(piece))
    return "".join(done) + ")" * groups[0][1]


def _piece(pattern: str, position: int) -> str:
    """Give the one thing that stands at a place: an escape, a class, flags or a letter."""
    letter = pattern[position]
    if letter == "\\":
        return pattern[position : position + 2]
    if letter == "[":
        return pattern[position : _class_end(pattern, position)]
    flags = _FLAGS.match(pattern, position)
    return letter if flags is None else flags[0]


def _class_end(pattern: str, start: int) -> int:
    position = start + 1
    if pattern.startswith("^", position):
        position += 1
    if pattern.startswith("]", position):
        position += 1
    while pattern[position] != "]":
        if pattern[position] == "\\":
            position += 1
        elif pattern.startswith("[:", position):
            position = pattern.index(":]", position) + 1
        position += 1
    return position + 1


def _has_alternative(pattern: str, position: int) -> bool:
    """Tell whether an alternative follows in the same group."""
    depth = 0
    while position < len(pattern) and depth >= 0:
        piece = _piece(pattern, position)
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "|" and depth == 0:
            return True
        position += len(piece)
    return False


def _written(piece: str) -> str:
    if piece == _END:
        return r"\Z"
    if not piece.startswith("["):
        return piece
    for name, letters in _CLASSES.items():
        piece = piece.replace(name, letters)
    # Python warns of a bracket within a class: it may come to mean a set in a set.
    return piece[0] + re.sub(r"(?<!\\)\[", r"\\[", piece[1:])
