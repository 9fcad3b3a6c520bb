"""What a search asks of a store; the answer's shape and the contract are in `base`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cerver_core.search.query import Query

__all__ = ["SearchQuery"]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for, and where; see `TranscriptStore.search`. Times bound when an entry was written.

    What lies in the `dates` of the query is lifted; the rest is not left out. `skip` passes over the first so many.
    """

    query: Query
    limit: int
    skip: int = 0
    since_us: int | None = None
    until_us: int | None = None
    session_id: str | None = None
    project: str | None = None
    role: str | None = None
    kind: str | None = None
    tool: str | None = None
    harness: str | None = None
    include_children: bool = False
    exclude_session_id: str | None = None
