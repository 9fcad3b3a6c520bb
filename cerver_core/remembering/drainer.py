"""Brings in what hooks noted, and goes on while the transcripts grow; the importing itself is the histories' work.

A note is forgotten only when its transcript was read after the note was taken: what is on disk is what is still to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio
from anyio import to_thread

from cerver_core.api import Cerver
from cerver_core.clock import Clock, SystemClock
from cerver_core.config import Settings
from cerver_core.errors import CerverError, Conflict
from cerver_core.histories import HistoryImport, alone
from cerver_core.importers.base import Document, HistoryImporter
from cerver_core.importers.sources import history_importer
from cerver_core.remembering.notes import Note, documents_of
from cerver_core.remembering.spool import Spool

__all__ = ["LINGER_S", "Drained", "Drainer"]

LINGER_S = 30.0
"""How long a drainer that follows stays when nothing is told and no transcript grows."""

_POLL_S = 0.5
_PATIENCE_S = 10.0
_MISSING_S = 2.0
_REST, _MOST_REST_S = 4, 20.0
"""A transcript is not read again before so many times the time its last reading took, up to a limit."""

_DRAFT_S = 3_600

_FIRST_RETRY_S, _LAST_RETRY_S, _GIVE_UP_S = 1.0, 30.0, 120.0


@dataclass(slots=True)
class Drained:
    """What came of draining: the transcripts that were read, and the entries that are new."""

    transcripts: int = 0
    added: int = 0
    refused: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Watched:
    """A transcript that a note spoke of.

    `stamps` tell what was read of it, `is_noted` that a note waits for that, `is_missing` that there is no file yet.
    """

    note: Note
    is_noted: bool = True
    is_missing: bool = False
    stamps: Sequence[str] = ()
    next_at_s: float = 0


class Drainer:
    """Drains one spool into a caller's Cerver."""

    def __init__(self, cerver: Cerver, spool: Spool, settings: Settings, clock: Clock | None = None) -> None:
        self._cerver = cerver
        self._spool = spool
        self._settings = settings
        self._clock = clock or SystemClock()
        self._watched: dict[str, _Watched] = {}
        self._active_at_s = self._clock.monotonic()

    @property
    def is_behind(self) -> bool:
        """Tell whether there are notes of transcripts that could be read and were not yet."""
        return any(watched.is_noted and not watched.is_missing for watched in self._watched.values())

    async def drain(self) -> Drained:
        """Bring in everything that is noted now, also what a drainer that died had taken.

        Raises:
            CerverError: Cerver cannot take some of it; the notes of that stay.
            Conflict: another import is under way, and does not end soon.
        """
        self._take()
        drained, refusal = Drained(), None
        for name, watched in self._watched.items():
            try:
                await self._bring_in(name, watched, drained)
            except CerverError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        return drained

    async def follow(self) -> None:
        """Bring in what is noted and what grows, until nothing has happened for `LINGER_S`.

        Where Cerver cannot take it this waits longer and longer, and at last raises what stands in the way.

        Raises:
            CerverError: Cerver could not take it for two minutes; the notes stay.
        """
        self._spool.sweep(self._clock.now().timestamp() - _DRAFT_S)
        wait_s, failing_since_s = _POLL_S, None
        while self.is_behind or self._clock.monotonic() - self._active_at_s < LINGER_S:
            try:
                await self.drain()
            except Conflict:
                wait_s = _FIRST_RETRY_S
            except CerverError:
                failing_since_s = failing_since_s or self._clock.monotonic()
                if self._clock.monotonic() - failing_since_s > _GIVE_UP_S:
                    raise
                wait_s = min(max(wait_s * 2, _FIRST_RETRY_S), _LAST_RETRY_S)
            else:
                wait_s, failing_since_s = _POLL_S, None
            await anyio.sleep(wait_s)
        self._forget_the_missing()

    def _take(self) -> None:
        """Take what waits; after a death, also what the dead had taken."""
        for name in self._spool.waiting():
            if self._spool.take(name):
                self._active_at_s = self._clock.monotonic()
                self._watch(name)
        for name in self._spool.taken():
            if name not in self._watched:
                self._watch(name)

    def _watch(self, name: str) -> None:
        note = Note.read(self._spool.read(name))
        if note is None:
            self._spool.done(name)
        elif name in self._watched:
            self._watched[name].note, self._watched[name].is_noted = note, True
        else:
            self._watched[name] = _Watched(note)

    async def _bring_in(self, name: str, watched: _Watched, drained: Drained) -> None:
        """Read a transcript if it grew since, and forget its note if there was anything to read."""
        began_s = self._clock.monotonic()
        if began_s < watched.next_at_s:
            return
        importer = history_importer(watched.note.source)
        documents = await to_thread.run_sync(documents_of, watched.note, importer, self._settings.environ)
        watched.is_missing = not documents
        if not documents:
            watched.next_at_s = began_s + _MISSING_S
            return
        watched.note = replace(watched.note, path=documents[0].path)
        stamps = [f"{document.id} {document.stamp}" for document in documents]
        if stamps != watched.stamps:
            await self._import(documents, importer, drained)
            watched.stamps = stamps
            self._active_at_s = self._clock.monotonic()
            watched.next_at_s = self._active_at_s + min(_REST * (self._active_at_s - began_s), _MOST_REST_S)
        if watched.is_noted:
            watched.is_noted = False
            self._spool.done(name)

    async def _import(self, documents: Sequence[Document], importer: HistoryImporter, drained: Drained) -> None:
        async with alone(self._settings.home, patience_s=_PATIENCE_S):
            histories = HistoryImport(self._cerver, importer)
            await histories.look_for(documents[0].id)
            for document in documents:
                imported = await histories.bring_in(document)
                drained.transcripts += imported.standing != "unchanged"
                drained.added += imported.added
                if imported.refused is not None:
                    drained.refused.append(imported.refused)

    def _forget_the_missing(self) -> None:
        """Forget the notes of transcripts that never came to be: a later hook tells of them if they do."""
        for name, watched in self._watched.items():
            if watched.is_noted and watched.is_missing:
                self._spool.done(name)
