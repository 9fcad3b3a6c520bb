"""The two halves of the sets made here: one to tune the ranking on, one to report from."""

from typing import Any

from benchmarks.recall import told_reporting, told_tuning, year_reporting, year_tuning
from benchmarks.recall.chats import chats
from benchmarks.recall.make import make
from benchmarks.recall.year import year

__all__ = ["reporting_half", "tuning_half"]

Sets = dict[str, dict[str, Any]]


def tuning_half() -> Sets:
    """Give the sets on which the ranking may be tuned."""
    return {
        "two people": make(seed=20260501),
        "chats with an assistant": chats(told_tuning.TOLD, seed=5),
        "a year with an assistant": year(year_tuning.FACTS, seed=11),
    }


def reporting_half() -> Sets:
    """Give the sets on which figures are reported."""
    return {
        "two people": make(seed=20260702),
        "chats with an assistant": chats(told_reporting.TOLD, seed=6),
        "a year with an assistant": year(year_reporting.FACTS, seed=12),
    }
