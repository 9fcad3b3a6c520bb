"""Reads a bounded part of a transcript: which entries, of which kinds, and how much of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pydantic_core import from_json, to_json

from cerver_core.engine.context import Context
from cerver_core.render.cut import cut_text
from cerver_core.render.fit import CHARACTERS_PER_TOKEN, Piece, by_weight, fit
from cerver_core.render.transcripts import tool_input_text
from cerver_core.stores.base import Page, ReadWindow, StoredEntry
from cerver_core.wire.transcripts import Entry, ReadTranscript, TranscriptPage

__all__ = ["read"]

_ENTRIES_A_LOOK = 1_000
_MOST_LOOKED_AT = 10_000
"""How many entries one read looks at for the kinds it was asked for; the next read goes on from there."""

_FRAME = 80
"""What an entry's seq, time, role and names take, about, in characters."""


async def read(context: Context, session_id: str, request: ReadTranscript) -> TranscriptPage:
    """Read; see `cerver_core.api.transcripts.Transcripts.read`."""
    if request.tail == 0:
        last_seq = (await context.rows.sessions.get(session_id)).last_seq
        return TranscriptPage(session_id=session_id, raw=(), total=last_seq)
    if request.kinds:
        page = await _of_kinds(context, session_id, request)
    else:
        kept = await context.rows.transcripts.read(session_id, _window(request))
        page = _page(session_id, kept)
    return page if request.max_tokens is None else _fitted(page, request, request.max_tokens)


def _window(request: ReadTranscript) -> ReadWindow:
    window = ReadWindow(limit=request.limit, max_bytes=request.max_bytes, whole=request.whole)
    if request.tail is not None:
        return replace(window, limit=request.tail)
    if request.since is not None:
        return replace(window, from_seq=request.since + 1)
    if request.around is not None:
        return replace(window, from_seq=max(1, request.around - request.limit // 2))
    return replace(window, from_seq=1) if request.full else window


def _page(session_id: str, kept: Page) -> TranscriptPage:
    first, last = (kept.first_seq, kept.next_seq - 1) if kept.raw else (None, None)
    return TranscriptPage(session_id=session_id, raw=kept.raw, total=kept.last_seq, first_seq=first, last_seq=last)


@dataclass(slots=True)
class _Look:
    """Looks through a transcript for entries of some kinds."""

    context: Context
    session_id: str
    request: ReadTranscript
    room: int
    total: int = 0
    looked_at: int = 0
    found: list[StoredEntry] = field(default_factory=list[StoredEntry])

    async def forward(self, from_seq: int, most: int) -> int:
        """Take up to `most` entries from a seq on; gives the last seq that was looked at."""
        seq = from_seq - 1
        while most > 0:
            page = await self._next(ReadWindow(from_seq=seq + 1))
            for entry in page.entries:
                if self._is_too_large(entry):
                    return seq
                seq = entry.seq
                most -= self._take(entry)
                if not most:
                    return seq
            if seq >= page.last_seq or self.looked_at >= _MOST_LOOKED_AT:
                break
        return seq

    async def backward(self, to_seq: int | None, most: int) -> int:
        """Take up to `most` entries up to a seq, the newest first; gives the first seq that was looked at."""
        seq = to_seq + 1 if to_seq is not None else 0
        while most > 0 and seq != 1:
            page = await self._next(ReadWindow(to_seq=seq - 1 if seq else None))
            seq = seq or page.last_seq + 1
            for entry in reversed(page.entries):
                if self._is_too_large(entry):
                    return seq
                seq = entry.seq
                most -= self._take(entry)
                if not most:
                    return seq
            if self.looked_at >= _MOST_LOOKED_AT:
                break
        return seq

    async def _next(self, window: ReadWindow) -> Page:
        bounded = replace(window, limit=_ENTRIES_A_LOOK, max_bytes=self.request.max_bytes, whole=self.request.whole)
        page = await self.context.rows.transcripts.read(self.session_id, bounded)
        self.looked_at += len(page.entries)
        self.total = page.last_seq
        return page

    def _is_of_kind(self, entry: StoredEntry) -> bool:
        return from_json(entry.json).get("kind", "text") in (self.request.kinds or ())

    def _is_too_large(self, entry: StoredEntry) -> bool:
        return bool(self.found) and len(entry.json) > self.room and self._is_of_kind(entry)

    def _take(self, entry: StoredEntry) -> bool:
        """Keep the entry if it is of a kind asked for, and tell whether it is."""
        if not self._is_of_kind(entry):
            return False
        self.room -= len(entry.json)
        self.found.append(entry)
        return True


async def _of_kinds(context: Context, session_id: str, request: ReadTranscript) -> TranscriptPage:
    look = _Look(context, session_id, request, request.max_bytes)
    if request.since is not None or request.full:
        first = (request.since or 0) + 1
        last = await look.forward(first, request.limit)
    elif request.around is not None:
        first = await look.backward(request.around - 1, request.limit // 2)
        look.looked_at = 0
        last = await look.forward(request.around, request.limit - len(look.found))
    else:
        first = await look.backward(None, request.tail or request.limit)
        last = look.total
    raw = tuple(entry.json for entry in sorted(look.found, key=_seq))
    if not look.total or first > look.total:
        return TranscriptPage(session_id=session_id, raw=raw, total=look.total)
    return TranscriptPage(
        session_id=session_id, raw=raw, total=look.total, first_seq=first, last_seq=min(last, look.total)
    )


def _seq(entry: StoredEntry) -> int:
    return entry.seq


def _fitted(page: TranscriptPage, request: ReadTranscript, max_tokens: int) -> TranscriptPage:
    """Leave out what does not fit, and cut what is too long."""
    entries = page.entries
    if not entries:
        return page
    limits = fit(_pieces(by_weight(entries, request)), max_tokens * CHARACTERS_PER_TOKEN)
    kept = [(entry, text) for entry, text in zip(entries, page.raw, strict=True) if entry.seq in limits]
    first = page.first_seq if kept[0][0] is entries[0] else kept[0][0].seq
    last = page.last_seq if kept[-1][0] is entries[-1] else kept[-1][0].seq
    raw = tuple(_cut(entry, text, limits[entry.seq]) for entry, text in kept)
    return TranscriptPage(session_id=page.session_id, raw=raw, total=page.total, first_seq=first, last_seq=last)


def _pieces(entries: Iterable[Entry]) -> Iterable[Piece]:
    return (Piece(entry.seq, _FRAME, len(entry.content) + len(tool_input_text(entry))) for entry in entries)


def _cut(entry: Entry, text: str, limit: int) -> str:
    given = tool_input_text(entry)
    if len(entry.content) + len(given) <= limit:
        return text
    said = from_json(text)
    for_content = limit if not given else max(limit // 2, limit - len(given))
    if len(entry.content) > for_content:
        said["content"] = cut_text(entry.content, for_content)
        said["content_bytes"] = entry.content_bytes or len(entry.content.encode())
    if len(given) > (left := max(limit - for_content, limit - len(entry.content))):
        said["tool_input"] = cut_text(given, left)
    return to_json(said).decode()
