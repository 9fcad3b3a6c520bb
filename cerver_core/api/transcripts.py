"""The contract of transcripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.wire.digests import Digest, DigestTranscripts
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

__all__ = ["Transcripts"]


class Transcripts(Protocol):
    """Append-only transcripts. Entries are numbered from 1 without gaps; what was acknowledged is never lost."""

    async def append(self, session_id: str, request: AppendEntries) -> AppendReply:
        """Append a batch: all of it is durable afterwards, or none. Works on any session that was not terminated.

        Raises:
            SequenceConflict: `expected_seq` is not where the transcript ends; `detail["last_seq"]` is. A batch whose
                entries were all appended before (by id) is answered as a repeat instead.
            EntryConflict: an entry's id already holds another body.
            SessionStateConflict: the session was terminated or failed.
            TooLarge: an entry is larger than `MAX_CONTENT_BYTES`.
        """
        ...

    async def read(self, session_id: str, request: ReadTranscript) -> TranscriptPage:
        """Read a bounded part, oldest entry first; the cost does not grow with the transcript."""
        ...

    async def export(self, session_id: str, request: ExportTranscript) -> ExportPage:
        """Write the transcript as text, markdown or JSON lines, a page at a time; JSON lines lose nothing."""
        ...

    async def import_jsonl(self, document: str, *, session_name: str | None = None) -> ImportReply:
        """Make a new session from a JSON-lines export; its transcript equals the exported one.

        Raises:
            InvalidInput: a line is not part of such an export; it is named, and nothing was made.
        """
        ...

    async def search(self, request: SearchTranscripts) -> SearchPage:
        """Find, among all sessions, those in which something was said or done, the best first, at a bounded cost.

        What was appended before the call, by whichever process, is found; `indexed_up_to` says so when so much is new
        that not all of it is. A query that holds neither a word to look for nor a time is refused.

        Raises:
            InvalidInput: `since` or `until` is no date that is understood, or the cursor is not one of ours.
            SessionNotFound: there is no session by the id in `session`.
        """
        ...

    async def digest(self, request: DigestTranscripts) -> Digest:
        """Outline sessions within a budget of tokens, in their own words: how each began and ended, what was decided,
        which files were written, which commands failed. The same sessions give the same digest; no model is asked.

        Raises:
            InvalidInput: `since` or `until` is no date that is understood.
            SessionNotFound: there is no session by an id in `sessions`.
        """
        ...

    async def redact(self, request: RedactTranscripts) -> RedactReport:
        """Replace given texts and recognised credentials in what is stored, each by a mark that names its kind.

        Entries keep their seq, time and id; sessions, their last activity. Afterwards searches find neither, and no
        file of the store holds what was replaced. To repeat it changes nothing more; broken off, it is completed so.

        Raises:
            SessionNotFound: there is no session by the id in `session_id`.
            StoreUnavailable: everything was replaced, but another process keeps old text in a file; run it again.
        """
        ...

    def follow(self, session_id: str, *, since: int) -> AbstractAsyncContextManager[AsyncIterator[Entry]]:
        """Yield the entries after seq `since` as they are appended, by whichever process; ends with the session."""
        ...
