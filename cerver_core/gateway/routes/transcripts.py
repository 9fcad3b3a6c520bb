"""Transcripts, over HTTP."""

from collections.abc import Mapping

from cerver_core.errors import InvalidInput
from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.gateway.reading import header
from cerver_core.gateway.streams import FollowAnswer
from cerver_core.wire.digests import DigestTranscripts
from cerver_core.wire.http import FollowTranscript, ImportTranscript
from cerver_core.wire.redactions import RedactTranscripts
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.transcripts import AppendEntries, ExportTranscript

__all__ = ["HANDLERS"]


async def _append(call: Call) -> Answer:
    return await call.cerver.transcripts.append(call.session_id, call.body(AppendEntries))


async def _export(call: Call) -> Answer:
    query = call.query(ExportTranscript)
    most = call.serving.limits.page_bytes
    if query.max_bytes > most:
        query = query.model_copy(update={"max_bytes": most})
    return await call.cerver.transcripts.export(call.session_id, query)


async def _import(call: Call) -> Answer:
    body = call.body(ImportTranscript)
    return await call.cerver.transcripts.import_jsonl(body.document, session_name=body.session_name)


async def _search(call: Call) -> Answer:
    return await call.cerver.transcripts.search(call.query(SearchTranscripts))


async def _digest(call: Call) -> Answer:
    return await call.cerver.transcripts.digest(call.query(DigestTranscripts))


async def _redact(call: Call) -> Answer:
    return await call.cerver.transcripts.redact(call.body(RedactTranscripts))


async def _follow(call: Call) -> Answer:
    query = call.query(FollowTranscript)
    since = query.since
    told = header(call.scope, b"last-event-id")
    if told:
        if not told.isascii() or not told.isdigit() or len(told) > 18:
            raise InvalidInput("Last-Event-ID must be the seq of the last entry that came")
        since = int(told)
    account_id = "" if call.caller is None else call.caller.account_id
    return FollowAnswer(call, call.serving.live.tail(account_id, call.cerver, call.session_id, since))


HANDLERS: Mapping[str, Handler] = {
    "transcripts.append": _append,
    "transcripts.export": _export,
    "transcripts.import": _import,
    "transcripts.search": _search,
    "transcripts.digest": _digest,
    "transcripts.redact": _redact,
    "transcripts.follow": _follow,
}
