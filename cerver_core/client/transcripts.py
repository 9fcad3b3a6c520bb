"""Transcripts, asked of a gateway."""

import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import JsonValue, ValidationError

from cerver_core.client.sse import Event
from cerver_core.errors import GatewayUnreachable, ProviderFailed
from cerver_core.wire.digests import Digest, DigestTranscripts
from cerver_core.wire.http import FollowTranscript, ImportTranscript
from cerver_core.wire.redactions import RedactReport, RedactTranscripts
from cerver_core.wire.search import SearchPage, SearchTranscripts
from cerver_core.wire.transcripts import (
    AppendEntries,
    AppendReply,
    Entry,
    ExportPage,
    ExportTranscript,
    ImportReply,
    ReadTranscript,
    TranscriptPage,
)

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientTranscripts"]

_LARGE_S = 300.0
"""How long a whole document may take to go either way. Our choice."""


_WHOLE_STORE_S = 3_900.0
"""How long a redaction may take: it reads every session, and writes the store anew. Our choice."""


class ClientTranscripts:
    """See `cerver_core.api.transcripts.Transcripts`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def append(self, session_id: str, request: AppendEntries) -> AppendReply:
        """Append a batch: all of it is durable afterwards, or none."""
        return await self._transport.call(
            "transcripts.append", AppendReply, session_id=session_id, body=request, timeout_s=_LARGE_S
        )

    async def read(self, session_id: str, request: ReadTranscript) -> TranscriptPage:
        """Read a bounded part, oldest entry first."""
        # Without any parameter the gateway answers no transcript at all, so the limit is always said.
        query = request.model_copy(update={"limit": request.limit})
        value = await self._transport.call_json("sessions.get", session_id=session_id, query=query, timeout_s=_LARGE_S)
        entries, total = value.get("transcript"), value.get("transcriptTotal")
        if not isinstance(entries, list) or not isinstance(total, int):
            raise ProviderFailed(f"{self._transport.gateway.host} answered sessions.get without the transcript")
        return TranscriptPage(
            session_id=session_id,
            raw=tuple(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries),
            total=total,
            first_seq=_number(value.get("transcriptFirstSeq")) or (self._seq(entries[0]) if entries else None),
            last_seq=_number(value.get("transcriptLastSeq")) or (self._seq(entries[-1]) if entries else None),
        )

    async def export(self, session_id: str, request: ExportTranscript) -> ExportPage:
        """Write the transcript as text, markdown or JSON lines, a page at a time."""
        return await self._transport.call(
            "transcripts.export", ExportPage, session_id=session_id, query=request, timeout_s=_LARGE_S
        )

    async def import_jsonl(self, document: str, *, session_name: str | None = None) -> ImportReply:
        """Make a new session from a JSON-lines export."""
        body = ImportTranscript(document=document, session_name=session_name)
        return await self._transport.call("transcripts.import", ImportReply, body=body, timeout_s=_LARGE_S)

    async def search(self, request: SearchTranscripts) -> SearchPage:
        """Find sessions by what stands in them, the best first."""
        return await self._transport.call("transcripts.search", SearchPage, query=request)

    async def digest(self, request: DigestTranscripts) -> Digest:
        """Outline sessions in their own words."""
        return await self._transport.call("transcripts.digest", Digest, query=request)

    async def redact(self, request: RedactTranscripts) -> RedactReport:
        """Replace given texts and recognised credentials in what is stored."""
        return await self._transport.call("transcripts.redact", RedactReport, body=request, timeout_s=_WHOLE_STORE_S)

    @asynccontextmanager
    async def follow(self, session_id: str, *, since: int) -> AsyncGenerator[AsyncIterator[Entry]]:
        """Yield the entries after seq `since` as they are appended.

        Raises:
            GatewayUnreachable: the connection broke; `detail["last_seq"]` is where to follow on from.
        """
        query = FollowTranscript(since=since)
        async with (
            self._transport.events("transcripts.follow", session_id=session_id, query=query) as events,
            aclosing(self._entries(events, since)) as entries,
        ):
            yield entries

    async def _entries(self, events: AsyncIterable[Event], since: int) -> AsyncGenerator[Entry]:
        async for event in events:
            if event.kind == "end":
                return
            if event.kind == "entry":
                entry = self._entry(event.data)
                since = entry.seq
                yield entry
        raise GatewayUnreachable(
            f"{self._transport.gateway.host} closed the live transcript; follow it again from seq {since}",
            last_seq=since,
        )

    def _entry(self, data: str) -> Entry:
        try:
            return Entry.model_validate_json(data)
        except ValidationError as error:
            raise self._transport.gateway.misfit(error, "transcripts.follow") from error

    def _seq(self, entry: JsonValue) -> int:
        seq = entry.get("seq") if isinstance(entry, dict) else None
        if not isinstance(seq, int):
            raise ProviderFailed(f"{self._transport.gateway.host} answered sessions.get with an entry without a seq")
        return seq


def _number(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
