"""How sure the choice is: the probability that a place is the best, from what is believed of each."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from cerver_core.wire.routing import Confidence

__all__ = ["HIGH", "MEDIUM", "probabilities_best", "word"]

HIGH = 0.85
MEDIUM = 0.60
_CERTAIN = 4.0
_STEPS = 5
"""How finely each loss is gone through; twice as many change no answer by 0.01."""

_QUANTILES = (-_CERTAIN, *(NormalDist().inv_cdf((step + 0.5) / _STEPS) for step in range(_STEPS)), _CERTAIN)


def probabilities_best(losses: Sequence[tuple[float, float]]) -> list[float]:
    """Give, for each (mean, standard deviation) of a loss, how probable it is that it is the smallest.

    Goes up through the values that the losses may take, in steps as narrow as the most certain of them needs: a place
    is the best if its loss lies within a step and all others beyond it. The error is below 0.01. Deviations are not 0.
    """
    reach = min((mean + _CERTAIN * deviation for mean, deviation in losses), default=0.0)
    contenders = [number for number, (mean, deviation) in enumerate(losses) if mean - _CERTAIN * deviation <= reach]
    chances = [0.0] * len(losses)
    if len(contenders) == 1:
        chances[contenders[0]] = 1.0
        return chances
    beliefs = [losses[number] for number in contenders]
    values = sorted(mean + deviation * quantile for mean, deviation in beliefs for quantile in _QUANTILES)
    beyond = [_beyond(values, mean, deviation) for mean, deviation in beliefs]
    middles = [[(low + high) / 2 for low, high in pairwise(row)] for row in beyond]
    all_beyond = list(map(math.prod, zip(*middles, strict=True)))
    for number, row, middle in zip(contenders, beyond, middles, strict=True):
        steps = zip(pairwise(row), middle, all_beyond, strict=True)
        chances[number] = sum((low - high) / mid * rest for (low, high), mid, rest in steps if rest)
    total = sum(chances)
    return [round(chance / total, 4) for chance in chances]


def _beyond(values: Sequence[float], mean: float, deviation: float) -> list[float]:
    """Give the probability that a normal variable is larger, for each value."""
    scale = 1 / (deviation * math.sqrt(2))
    return [0.5 * math.erfc((value - mean) * scale) for value in values]


def word(probability: float, *, own_observations: int) -> Confidence:
    """Name a probability: high from 0.85, medium from 0.6; never high without anything seen by ourselves."""
    if probability >= HIGH and own_observations:
        return "high"
    return "medium" if probability >= MEDIUM else "low"
