"""The probability of being the best: as a textbook computes it, for certain and for vague beliefs."""

import random

import pytest

from cerver_core.advisor.confidence import probabilities_best


@pytest.mark.parametrize(
    ("losses", "chances"),
    [
        ([], []),
        ([(1.0, 0.1)], [1.0]),
        ([(1.0, 0.1), (1.0, 0.1)], [0.5, 0.5]),
        ([(0.0, 1.0), (1.0, 1.0)], [0.7602, 0.2398]),  # the normal distribution at 1 / sqrt(2)
        ([(0.0, 0.001), (1.0, 1.0)], [0.8413, 0.1587]),  # at 1: the first is as good as known
        ([(0.0, 1.0)] * 4, [0.25] * 4),
        ([(0.0, 0.1), (3.0, 0.1), (0.1, 0.1)], [0.7602, 0.0, 0.2398]),
    ],
)
def test_what_a_textbook_says_comes_out(losses: list[tuple[float, float]], chances: list[float]) -> None:
    assert probabilities_best(losses) == pytest.approx(chances, abs=0.01)


def test_ten_thousand_draws_say_the_same() -> None:
    source = random.Random(7)
    losses = [(source.gauss(1, 0.3), source.lognormvariate(-1.5, 0.8)) for _ in range(5)]
    wins = [0] * len(losses)
    for _ in range(10_000):
        drawn = [source.gauss(mean, deviation) for mean, deviation in losses]
        wins[drawn.index(min(drawn))] += 1
    assert probabilities_best(losses) == pytest.approx([count / 10_000 for count in wins], abs=0.02)
