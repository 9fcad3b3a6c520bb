"""Bring histories into a Cerver: a program over the contract, the same on every road; importers do the reading.

Each conversation becomes a session, each part of it an entry whose id its source determines: to import again, or after
a kill, adds what is new and nothing else. How far a document was read stands in its session's metadata.
"""

import fcntl
import os
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread
from pydantic import JsonValue

from cerver_core.api import Cerver
from cerver_core.errors import (
    Conflict,
    EntryConflict,
    InvalidInput,
    NotFound,
    SessionStateConflict,
    StoreUnavailable,
    TooLarge,
)
from cerver_core.importers.base import Batch, Conversation, Document, HistoryImporter, Tally
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import CreateSession, ListSessions, SessionRecord, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry

__all__ = ["HistoryImport", "Imported", "Standing", "alone", "made_searchable"]

Standing = Literal["new", "grown", "unchanged"]
"""How a document stands to what was imported: not yet, changed since, or the same."""

_READ_BYTES = 1024 * 1024
_LIST_LIMIT = 200
_LOCK_POLL_S = 0.05
_INDEX_PATIENCE_S = 300.0
_INDEX_POLL_S = 0.1
_NO_WORD = "qzxjvkw"
_NAME_CHARACTERS = 200
_HARNESSES = {"claude-code": "claude"}


@dataclass(slots=True)
class Imported:
    """What came of one document.

    `sessions` are the ids of the sessions it went to, `created` how many of them are new; `added` counts new entries.
    `differing` counts entries that stand in Cerver with another body (they stay as they are), `too_large` those over
    the limit. `refused` says why nothing, or nothing more, was taken from it.
    """

    document: Document
    standing: Standing
    tally: Tally
    sessions: list[str] = field(default_factory=list[str])
    created: int = 0
    added: int = 0
    differing: int = 0
    too_large: int = 0
    refused: str | None = None


@dataclass(slots=True)
class _Known:
    """A session that an import made: its id, its name and its metadata."""

    session_id: str
    name: str | None
    metadata: dict[str, JsonValue]


@asynccontextmanager
async def alone(home: Path, *, patience_s: float = 0) -> AsyncGenerator[None]:
    """Let one import run at a time on this machine; two at once could make two sessions of one conversation.

    Raises:
        StoreUnavailable: the home cannot be written.
        Conflict: another one runs, and does not end within `patience_s`.
    """
    handle = _lock_file(home)
    try:
        with anyio.move_on_after(patience_s):
            while not _is_ours(handle):  # noqa: ASYNC110 - nothing tells when a lock is free
                await anyio.sleep(_LOCK_POLL_S)
        if not _is_ours(handle):
            raise Conflict("another import is under way on this machine; wait for its end")
        yield
    finally:
        os.close(handle)


def _lock_file(home: Path) -> int:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(home / "import.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot write in {home}: {error.strerror or error}; free space or permit it") from error


def _is_ours(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def made_searchable(cerver: Cerver, since: datetime, *, patience_s: float = _INDEX_PATIENCE_S) -> bool:
    """Wait until a search sees all that was brought in up to `since`; tell whether it does.

    Each search indexes what waits for about two seconds. To stop in between loses nothing: the next search goes on.
    """
    request = SearchTranscripts(query=_NO_WORD, limit=1)
    with anyio.move_on_after(patience_s):
        while True:
            page = await cerver.transcripts.search(request)
            if page.indexed_up_to >= since:
                return True
            # A store that cannot index, since its disk is full, answers at once.
            await anyio.sleep(_INDEX_POLL_S)
    return False


class HistoryImport:
    """Imports the documents of one source into a caller's Cerver."""

    def __init__(self, cerver: Cerver, importer: HistoryImporter) -> None:
        self._cerver = cerver
        self._importer = importer
        self._known: dict[str, _Known] = {}

    async def look(self) -> None:
        """Learn what was imported from this source before; to be done first."""
        await self._look(lambda: False)

    async def look_for(self, document_id: str) -> None:
        """Learn of one conversation alone, with those under it; cheap for one that was lately active. To be done first.

        Of others nothing is known afterwards.
        """
        await self._look(lambda: document_id in self._known)
        if known := self._known.get(document_id):
            await self._look(lambda: False, parent=known.session_id)

    async def _look(self, is_enough: Callable[[], bool], *, parent: str | None = None) -> None:
        cursor: str | None = None
        while not is_enough():
            request = ListSessions(source=self._importer.name, parent=parent, limit=_LIST_LIMIT, cursor=cursor)
            page = await self._cerver.sessions.list(request)
            for record in page.sessions:
                self._learn(record)
            if (cursor := page.next_cursor) is None:
                return

    def standing(self, document: Document) -> Standing:
        """Tell how a document stands to what was imported."""
        if document.id not in self._known:
            return "new"
        return "unchanged" if self._place(document).get("stamp") == document.stamp else "grown"

    async def bring_in(self, document: Document, advanced: Callable[[int], None] = lambda _: None) -> Imported:
        """Import one document, or what is new in it; `advanced` is told the offset that was reached.

        What cannot be read is counted in the answer's tally; a document that is no transcript is refused in it.
        """
        done = Imported(document, self.standing(document), Tally(document.path))
        if done.standing == "unchanged":
            return done
        known_to = await to_thread.run_sync(_same_up_to, document, self._place(document))
        seen: dict[str, Conversation] = {}
        batches = self._importer.read(document, done.tally)
        try:
            while (batch := await to_thread.run_sync(_next, batches)) is not None:
                advanced(batch.end or 0)
                seen[batch.conversation.id] = batch.conversation
                if batch.end is None or batch.end > known_to:
                    await self._keep(batch, seen, done)
        except (InvalidInput, NotFound, SessionStateConflict) as error:
            done.refused = error.message
            return done
        finally:
            await to_thread.run_sync(partial(_close, batches))
        await self._conclude(seen, done)
        return done

    def _learn(self, record: SessionRecord) -> None:
        identity = record.metadata.get("source_id")
        # Of two sessions for one conversation (two imports raced), the older wins: lists begin with the newest.
        if isinstance(identity, str):
            self._known[identity] = _Known(record.session_id, record.session_name, dict(record.metadata))

    def _place(self, document: Document) -> dict[str, JsonValue]:
        known = self._known.get(document.id)
        places = known.metadata.get("imported") if known else None
        place = places.get(str(document.path)) if isinstance(places, dict) else None
        return place if isinstance(place, dict) else {}

    async def _keep(self, batch: Batch, seen: dict[str, Conversation], done: Imported) -> None:
        known = await self._session(batch.conversation, seen, batch.entries[0], done)
        if known.session_id not in done.sessions:
            done.sessions.append(known.session_id)
        await self._append(known.session_id, batch.entries, done)

    async def _append(self, session_id: str, entries: Sequence[NewEntry], done: Imported) -> None:
        """Append; around an entry that cannot be, in halves, so that the rest is in and in order."""
        try:
            request = AppendEntries(entries=tuple(entries), is_history=True)
            done.added += (await self._cerver.transcripts.append(session_id, request)).added
        except (EntryConflict, TooLarge) as error:
            if len(entries) == 1:
                done.differing += isinstance(error, EntryConflict)
                done.too_large += isinstance(error, TooLarge)
                return
            middle = len(entries) // 2
            await self._append(session_id, entries[:middle], done)
            await self._append(session_id, entries[middle:], done)

    async def _session(
        self, conversation: Conversation, seen: dict[str, Conversation], first: NewEntry, done: Imported
    ) -> _Known:
        """Find the conversation's session, or make it, under its parent's if that is known here."""
        if conversation.id in self._known:
            return self._known[conversation.id]
        parent = await self._parent(conversation, seen, first, done)
        request = CreateSession(
            session_name=_name(conversation.title),
            session_type="transcript",
            harness=_HARNESSES.get(self._importer.name, self._importer.name),
            metadata=self._metadata(conversation),
            parent_session_id=parent,
            created_at=first.at,
        )
        made = await self._cerver.sessions.create(request)
        known = _Known(made.session_id, request.session_name, dict(request.metadata))
        self._known[conversation.id] = known
        done.created += 1
        return known

    async def _parent(
        self, conversation: Conversation, seen: dict[str, Conversation], first: NewEntry, done: Imported
    ) -> str | None:
        parent_id = conversation.parent_id
        if parent_id is None or parent_id == conversation.id:
            return None
        if parent_id not in self._known and parent_id != done.document.id:
            await self._look(lambda: parent_id in self._known)
        if parent_id in self._known:
            return self._known[parent_id].session_id
        # It comes later: its session is made now, and filled then, so that the two belong together from the beginning.
        above = Conversation(parent_id, None)
        if parent_id == done.document.id:
            above = seen.setdefault(parent_id, Conversation(parent_id, done.document.parent_id))
        return (await self._session(above, seen, first, done)).session_id

    def _metadata(self, conversation: Conversation) -> dict[str, JsonValue]:
        told: dict[str, JsonValue] = {"source": self._importer.name, "source_id": conversation.id}
        if conversation.parent_id is not None:
            told["source_parent_id"] = conversation.parent_id
        return {**told, **conversation.facts()}

    async def _conclude(self, seen: dict[str, Conversation], done: Imported) -> None:
        """Write down what is known now: names, facts, and how far the document was read."""
        for conversation in seen.values():
            known = self._known.get(conversation.id)
            if known is None:
                continue
            fresh = {
                name: value for name, value in self._metadata(conversation).items() if known.metadata.get(name) != value
            }
            if conversation.id == done.document.id:
                fresh["imported"] = self._places(known, done)
            name = _name(conversation.title)
            # A name that somebody gave since then stays.
            is_renamed = name is not None and known.metadata.get("source_title", known.name) == known.name != name
            if name is not None and known.metadata.get("source_title") != name:
                fresh["source_title"] = name
            if fresh or is_renamed:
                request = UpdateSession(metadata=fresh)
                if is_renamed:
                    request = UpdateSession(metadata=fresh, session_name=name)
                self._learn(await self._cerver.sessions.update(known.session_id, request))

    @staticmethod
    def _places(known: _Known, done: Imported) -> JsonValue:
        places = known.metadata.get("imported")
        place: JsonValue = {
            "stamp": done.document.stamp,
            "read_to": done.tally.read_to,
            "checksum": done.tally.checksum,
        }
        return {**(places if isinstance(places, dict) else {}), str(done.document.path): place}


def _name(title: str | None) -> str | None:
    if title is None:
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return line if len(line) <= _NAME_CHARACTERS else f"{line[: _NAME_CHARACTERS - 1]}…"


def _next(batches: Iterator[Batch]) -> Batch | None:
    return next(batches, None)


def _close(batches: Iterator[Batch]) -> None:
    close: Callable[[], None] | None = getattr(batches, "close", None)
    if close is not None:
        close()


def _same_up_to(document: Document, place: dict[str, JsonValue]) -> int:
    """Tell up to which offset a document is what was imported of it: all that was, or nothing if any of it changed."""
    read_to, told = place.get("read_to"), place.get("checksum")
    if not isinstance(read_to, int) or not 0 < read_to <= document.size_bytes:
        return 0
    checksum, left = 0, read_to
    try:
        with document.path.open("rb") as stream:
            while left and (data := stream.read(min(left, _READ_BYTES))):
                checksum, left = zlib.crc32(data, checksum), left - len(data)
    except OSError:
        return 0
    return read_to if checksum == told and not left else 0
