"""How sure the choice is: the probability that a place is the best, by seeded draws from what is believed."""

import math
import random
from collections.abc import Sequence
from functools import cache
from operator import eq
from statistics import NormalDist

from cerver_core.wire.routing import Confidence

__all__ = ["DRAWS", "HIGH", "MEDIUM", "probabilities_best", "word"]

DRAWS = 400
HIGH = 0.85
MEDIUM = 0.60
_QUANTILES = 1_024
_SHUFFLES = 8
_CERTAIN = 4.0

_NEVER = (math.inf,) * DRAWS


def probabilities_best(losses: Sequence[tuple[float, float]], *, seed: int) -> list[float]:
    """Give, for each (mean, standard deviation) of a loss, how probable it is that it is the smallest.

    The same seed gives the same answer; the error of a draw is about 0.02.
    """
    if len(losses) < 2:
        return [1.0] * len(losses)
    normals = _normals()
    source = random.Random(seed)  # noqa: S311 - a sample, not a secret
    reach = min(mean + _CERTAIN * deviation for mean, deviation in losses)
    columns: list[list[float]] = []
    for mean, deviation in losses:
        start = source.randrange(len(normals) - DRAWS)
        if mean - _CERTAIN * deviation <= reach:  # else it wins in no draw
            columns.append([mean + deviation * draw for draw in normals[start : start + DRAWS]])
        else:
            columns.append([])
    smallest = list(map(min, *(column for column in columns if column), _NEVER))
    wins = [sum(map(eq, column, smallest)) for column in columns]
    return [count / DRAWS for count in wins]


def word(probability: float, *, own_observations: int) -> Confidence:
    """Name a probability: high from 0.85, medium from 0.6; never high without anything seen by ourselves."""
    if probability >= HIGH and own_observations:
        return "high"
    return "medium" if probability >= MEDIUM else "low"


@cache
def _normals() -> tuple[float, ...]:
    """Give a long row of draws from a standard normal distribution, the same every time; a draw is a piece of it.

    Making draws one by one takes most of the time that an advice may take.
    """
    inverse = NormalDist().inv_cdf
    source = random.Random(0)  # noqa: S311 - as above
    row: list[float] = []
    for _ in range(_SHUFFLES):
        quantiles = [inverse((number + 0.5) / _QUANTILES) for number in range(_QUANTILES)]
        source.shuffle(quantiles)
        row.extend(quantiles)
    return tuple(row)
