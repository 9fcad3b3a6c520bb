"""The tool that searches all transcripts."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from cerver_core.render.search import search
from cerver_core.wire.search import SearchTranscripts
from cerver_mcp.tools.base import Args, Call, Tool, hints

__all__ = ["SEARCH"]


class SearchArgs(Args):
    """What to look for, and what to leave out."""

    query: Annotated[str, Field(max_length=4_000, description="Words, phrases in quotes, -without, begin*, dates")]
    since: Annotated[str | None, Field(max_length=100, description="2026-05-01, 3h, yesterday, May")] = None
    until: Annotated[str | None, Field(max_length=100)] = None
    session_id: Annotated[str | None, Field(max_length=200)] = None
    project: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=50)] = 8
    cursor: Annotated[str | None, Field(max_length=200)] = None


async def _search(call: Call, args: SearchArgs) -> str:
    cerver = await call.cerver()
    within = await call.session(args.session_id) if args.session_id is not None else None
    request = SearchTranscripts(
        query=args.query,
        since=args.since,
        until=args.until,
        session=within,
        project=args.project,
        limit=args.limit,
        cursor=args.cursor,
    )
    return search(await cerver.transcripts.search(request), now=datetime.now(UTC), request=request)


SEARCH = Tool(
    name="cerver_session_search",
    about="Recall: find what was said, done or decided in any session, best first.",
    args=SearchArgs,
    run=_search,
    annotations=hints(reads=True),
)
