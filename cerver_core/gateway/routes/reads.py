"""A session with a part of its transcript: the stored JSON texts of entries are spliced into the answer, never parsed.

A read without a bound of its own (`full`, or `since` as older clients poll) is answered whole, a page at a time, so
that no transcript has to fit in memory.
"""

from collections.abc import AsyncIterator

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from cerver_core.gateway.call import Call
from cerver_core.wire.operations import JSON
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import ReadTranscript, TranscriptPage

__all__ = ["bounded", "in_pieces"]


async def bounded(call: Call, query: ReadTranscript) -> Response:
    """Answer one page."""
    most = call.serving.limits.page_bytes
    if query.max_bytes > most:
        query = query.model_copy(update={"max_bytes": most})
    record = await call.cerver.sessions.get(call.session_id)
    page = await call.cerver.transcripts.read(call.session_id, query)
    content = b"".join((_head(record, page.total), ",".join(page.raw).encode(), _foot(page.first_seq, page.last_seq)))
    return Response(content, media_type=JSON)


async def in_pieces(call: Call, query: ReadTranscript) -> Response:
    """Answer everything from behind `since`, page after page."""
    record = await call.cerver.sessions.get(call.session_id)
    query = query.model_copy(update={"since": query.since or 0, "full": False, "limit": 1_000})
    page = await call.cerver.transcripts.read(call.session_id, query)
    if not page.more_after:
        content = (_head(record, page.total), ",".join(page.raw).encode(), _foot(page.first_seq, page.last_seq))
        return Response(b"".join(content), media_type=JSON)
    return StreamingResponse(_pieces(call, query, record, page), media_type=JSON)


async def _pieces(
    call: Call, query: ReadTranscript, record: SessionRecord, page: TranscriptPage
) -> AsyncIterator[bytes]:
    """Write pages up to where the transcript ended when the answer began."""
    total, first, last = page.total, page.first_seq, page.last_seq
    yield _head(record, total)
    is_first = True
    while True:
        raw = page.raw if (page.last_seq or 0) <= total else page.raw[: total - (page.first_seq or 1) + 1]
        if raw:
            yield ("" if is_first else ",").encode() + ",".join(raw).encode()
            is_first = False
        last = min(page.last_seq or total, total)
        if last >= total:
            break
        page = await call.cerver.transcripts.read(call.session_id, query.model_copy(update={"since": last}))
    yield _foot(first, last)


def _head(record: SessionRecord, total: int) -> bytes:
    """Write the record up to its transcript, with the count of the same moment as the entries."""
    told = record
    if total != record.transcript_total:
        told = record.model_copy(update={"transcript_total": total, "message_count": total})
    return told.__pydantic_serializer__.to_json(told, by_alias=True)[:-1] + b',"transcript":['


def _foot(first: int | None, last: int | None) -> bytes:
    return b'],"transcriptFirstSeq":' + to_json(first) + b',"transcriptLastSeq":' + to_json(last) + b"}"
