"""Which ranges of an index make up a list of sessions; the members write the statements."""

from typing import NamedTuple

from cerver_core.stores.base import SessionQuery
from cerver_core.wire.sessions import Status

__all__ = ["Range", "ranges"]


class Range(NamedTuple):
    """The sessions of one status, from below the place `top`, down to those last active at `floor_us`."""

    status: Status
    top: tuple[int, str] | None
    floor_us: int | None = None


def ranges(query: SessionQuery) -> list[Range]:
    """Give the ranges that a query asks for; together they are the list."""
    after = query.after
    if query.status == "ended" and query.states is not None:
        return [Range("ended", after)]
    match query.status:
        case None:
            return [Range("running", after), Range("idle", after), Range("ended", after)]
        case "running":
            return [Range("running", after)]
        case "idle":
            return [Range("idle", after, query.stale_before_us)]
        case "ended":
            # One bound for both conditions: with two, an index is entered by one and walked up to the other.
            stale = (query.stale_before_us, "")
            return [Range("ended", after), Range("idle", stale if after is None else min(stale, after))]
