"""The operations of transcripts."""

from cerver_core.errors import EntryConflict, SequenceConflict, SessionNotFound, TooLarge
from cerver_core.wire import digests, http, redactions, search, transcripts
from cerver_core.wire.operations.operation import EVENTS, JSON, SESSION, STATE, Operation

__all__ = ["TRANSCRIPTS"]

TRANSCRIPTS = (
    Operation(
        "transcripts.append",
        "POST",
        f"{SESSION}/transcript",
        "Append entries, all or none.",
        body=transcripts.AppendEntries,
        body_media=JSON,
        reply=(transcripts.AppendReply,),
        errors=(*STATE, SequenceConflict, EntryConflict, TooLarge),
    ),
    Operation(
        "transcripts.search",
        "GET",
        "/v2/search",
        "Find sessions by what stands in their transcripts, the best first.",
        query=search.SearchTranscripts,
        reply=(search.SearchPage,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.digest",
        "GET",
        "/v2/digest",
        "Outline sessions in their own words, within a budget of tokens.",
        query=digests.DigestTranscripts,
        reply=(digests.Digest,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.redact",
        "POST",
        "/v2/redactions",
        "Replace given texts and recognised credentials in stored transcripts.",
        body=redactions.RedactTranscripts,
        body_media=JSON,
        reply=(redactions.RedactReport,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.follow",
        "GET",
        f"{SESSION}/events",
        "Follow a transcript as it grows, until the session ends; `Last-Event-ID` goes on after that seq.",
        query=http.FollowTranscript,
        reply=(transcripts.Entry,),
        reply_media=EVENTS,
        errors=(SessionNotFound,),
        aliases=(f"{SESSION}/transcript/stream",),
    ),
    Operation(
        "transcripts.export",
        "GET",
        f"{SESSION}/export",
        "Export a transcript as text, markdown or JSON lines, a page at a time.",
        query=transcripts.ExportTranscript,
        reply=(transcripts.ExportPage,),
        errors=(SessionNotFound,),
    ),
    Operation(
        "transcripts.import",
        "POST",
        "/v2/sessions/import",
        "Make a session from a JSON-lines export.",
        body=http.ImportTranscript,
        body_media=JSON,
        reply=(transcripts.ImportReply,),
        status=201,
        errors=(TooLarge,),
    ),
)
