"""The tool that outlines sessions."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from cerver_core.render.digest import digest
from cerver_core.wire.digests import DEFAULT_DIGEST_TOKENS, DigestTranscripts
from cerver_mcp.tools.base import Args, Call, SessionRef, Tool, hints

__all__ = ["DIGEST"]


class DigestArgs(Args):
    """Which sessions."""

    session_id: SessionRef | None = None
    since: Annotated[str | None, Field(max_length=100)] = None
    until: Annotated[str | None, Field(max_length=100)] = None
    project: Annotated[str | None, Field(max_length=200)] = None
    max_tokens: Annotated[int, Field(ge=300, le=20_000)] = DEFAULT_DIGEST_TOKENS


async def _digest(call: Call, args: DigestArgs) -> str:
    cerver = await call.cerver()
    given = args.model_dump(exclude={"session_id"}, exclude_none=True)
    named = (await call.session(args.session_id),) if args.session_id is not None else ()
    request = DigestTranscripts.model_validate({**given, "sessions": named})
    found = await cerver.transcripts.digest(request)
    return digest(found, now=datetime.now(UTC), max_tokens=args.max_tokens)


DIGEST = Tool(
    name="cerver_session_digest",
    about="Outline a session, or the last 5: decisions, files, failed commands, last state.",
    args=DigestArgs,
    run=_digest,
    annotations=hints(reads=True),
)
