"""One measured figure, beside the one it is a ratio of."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Figure", "median"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement and its rival from the same run.

    `ratio` is `value` over `against`; `to_reach` is the bound of it, `at_most` its direction (else at least).
    """

    name: str
    value: float
    unit: str
    against: float | None = None
    rival: str = ""
    to_reach: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Give value over rival; null when there is no rival."""
        return None if not self.against else self.value / self.against

    @property
    def is_reached(self) -> bool | None:
        """Tell whether the ratio (or, without a rival, the value) is within its bound; null without a bound."""
        if self.to_reach is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured <= self.to_reach if self.at_most else measured >= self.to_reach


def median(samples: Sequence[float]) -> float:
    """Give the median of samples."""
    return statistics.median(samples)
