"""Shares a budget of characters among entries: which are shown, and how much of each; writes none of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cerver_core.wire.transcripts import Entry, ReadTranscript

__all__ = ["CHARACTERS_PER_TOKEN", "LEAST_BODY", "Piece", "by_weight", "fit"]

CHARACTERS_PER_TOKEN = 4
"""About how many characters a model takes for one token, in English prose and code."""

LEAST_BODY = 160
"""An entry that is shown gets at least this many characters of its body; others are left out before that."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What showing an entry takes, in characters: `frame` in any case, and `size` for the whole of its body."""

    seq: int
    frame: int
    size: int

    @property
    def least(self) -> int:
        """Tell what it takes at least."""
        return self.frame + min(self.size, LEAST_BODY)


def by_weight(entries: Sequence[Entry], request: ReadTranscript) -> Sequence[Entry]:
    """Order entries by what they matter to a reader who asked so, the weightiest first.

    The newest matter most; the oldest where the reader goes on from a seq, so that the next read can go on in turn; the
    nearest where it asks for what stands around one.
    """
    if request.around is not None:
        focus = request.around
        return sorted(entries, key=lambda entry: (abs(entry.seq - focus), entry.seq))
    if request.since is not None or request.full:
        return entries
    return entries[::-1]


def fit(pieces: Iterable[Piece], room: int) -> Mapping[int, int]:
    """Choose what fits, from the weightiest on, and give the most characters of each body, by seq.

    Pieces are taken while each still gets its least; the first always is. Each gets its least, then half of what is
    left to the weightiest, and so on; then the rest.
    """
    kept = _that_fit(pieces, room)
    limits = {piece.seq: min(piece.size, LEAST_BODY) for piece in kept}
    room -= sum(piece.least for piece in kept)
    for portion in (2, 1):
        for piece in kept:
            extra = max(0, min(piece.size - limits[piece.seq], room // portion))
            limits[piece.seq] += extra
            room -= extra
    return limits


def _that_fit(pieces: Iterable[Piece], room: int) -> Sequence[Piece]:
    kept: list[Piece] = []
    for piece in pieces:
        room -= piece.least
        if room < 0 and kept:
            break
        kept.append(piece)
    return kept
