"""Takes texts and credentials out of what is stored: reads everything in the scope, replaces, purges, reports."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import anyio.to_thread
from pydantic import JsonValue

from cerver_core.credentials import mask_credentials, mask_json
from cerver_core.engine.context import Context
from cerver_core.engine.leases import Lease, lease
from cerver_core.redaction import Redactor
from cerver_core.stores.base import KEEP, ReadWindow, SessionChange, SessionQuery, StoredEntry, StoredSession
from cerver_core.wire.redactions import RedactedSession, RedactReport, RedactTranscripts

__all__ = ["redact"]

JsonObject = dict[str, JsonValue]

_SESSIONS_A_PAGE = 200
_ENTRIES_A_PAGE = 500
_BYTES_A_PAGE = 4 * 1024 * 1024
_GIVEN = "\ue000given"
_GIVEN_MARK = f"[secret:{_GIVEN}]"
_PATIENCE_S = 600.0
"""How long a redaction waits for another one to end. Our choice."""

_STAYS = frozenset({"seq", "at", "id", "role", "kind", "tool_id", "is_error"})


async def redact(context: Context, request: RedactTranscripts) -> RedactReport:
    """Do it; a run that was broken off is completed by running it again.

    One process at a time: each writes what it read before, and would bring back what another took out meanwhile.
    """
    if request.dry_run:
        return await _redact(context, request, None)
    async with lease(context, "redaction", patience_s=_PATIENCE_S) as held:
        return await _redact(context, request, held)


async def _redact(context: Context, request: RedactTranscripts, held: Lease | None) -> RedactReport:
    mask = _Mask(request)
    touched: list[RedactedSession] = []
    sessions = entries = 0
    async with aclosing(_sessions(context, request.session_id)) as found:
        async for session in found:
            one = await _session(context, session, mask, held)
            sessions += 1
            entries += session.last_seq
            if one is not None:
                touched.append(one)
    if held is not None:
        await context.journal.purge()
    return RedactReport(
        dry_run=request.dry_run,
        sessions=tuple(touched),
        sessions_read=sessions,
        entries_read=entries,
        entries_changed=sum(len(one.seqs) for one in touched),
        kinds=dict(sum((Counter(one.kinds) for one in touched), Counter[str]())),
    )


class _Mask:
    """Replaces in texts and JSON values, and counts by kind."""

    def __init__(self, request: RedactTranscripts) -> None:
        # The first name of a value is the one it goes by; each value needs a name, and all of them one mark.
        self._redactor = Redactor()
        for text in request.texts:
            self._redactor = self._redactor.with_secrets({_GIVEN: text})
        self._detects = request.detected

    def text(self, value: str, counts: Counter[str]) -> str:
        value = self._marked(self._redactor.text(value), counts)
        return mask_credentials(value, counts) if self._detects else value

    def json(self, value: JsonValue, counts: Counter[str]) -> JsonValue:
        masked = self._redactor.json(value)
        if masked != value:
            masked = json.loads(self._marked(json.dumps(masked, ensure_ascii=False), counts))
        return mask_json(masked, counts) if self._detects else masked

    def _marked(self, value: str, counts: Counter[str]) -> str:
        if found := value.count(_GIVEN_MARK):
            counts["text"] += found
            return value.replace(_GIVEN_MARK, "[redacted:text]")
        return value


@dataclass(slots=True)
class _Found:
    """What one page of entries comes to."""

    rewritten: list[tuple[int, JsonObject]] = field(default_factory=list[tuple[int, JsonObject]])
    counts: Counter[str] = field(default_factory=Counter[str])


async def _sessions(context: Context, session_id: str | None) -> AsyncGenerator[StoredSession]:
    """Give the sessions of the scope, each once; those that move up the list meanwhile are not missed."""
    if session_id is not None:
        yield await context.rows.sessions.get(session_id)
        return
    seen: set[str] = set()
    is_news = True
    while is_news:
        is_news = False
        after: tuple[int, str] | None = None
        while page := await context.rows.sessions.list(SessionQuery(limit=_SESSIONS_A_PAGE, after=after)):
            for session in page:
                if session.id not in seen:
                    is_news = True
                    seen.add(session.id)
                    yield session
            after = page[-1].updated_at_us, page[-1].id


async def _session(context: Context, session: StoredSession, mask: _Mask, held: Lease | None) -> RedactedSession | None:
    counts: Counter[str] = Counter()
    change, fields = _own_texts(session, mask, counts)
    if fields and held is not None:
        await held.renew()
        await context.journal.rewrite(session.id, (), change=change)
    seqs: list[int] = []
    position = 1
    while True:
        window = ReadWindow(from_seq=position, limit=_ENTRIES_A_PAGE, max_bytes=_BYTES_A_PAGE, whole=True)
        page = await context.rows.transcripts.read(session.id, window)
        if not page.entries:
            break
        found = await anyio.to_thread.run_sync(partial(_entries, page.entries, mask))
        if held is not None:
            await held.renew()
            if found.rewritten:
                await context.journal.rewrite(session.id, found.rewritten)
        seqs += [seq for seq, _ in found.rewritten]
        counts += found.counts
        position = page.entries[-1].seq + 1
    if not seqs and not fields:
        return None
    return RedactedSession(session_id=session.id, seqs=tuple(seqs), fields=fields, kinds=dict(counts))


def _entries(entries: Sequence[StoredEntry], mask: _Mask) -> _Found:
    found = _Found()
    for entry in entries:
        said: JsonObject = json.loads(entry.json)
        masked = {name: value if name in _STAYS else mask.json(value, found.counts) for name, value in said.items()}
        if masked != said:
            found.rewritten.append((entry.seq, masked))
    return found


def _own_texts(session: StoredSession, mask: _Mask, counts: Counter[str]) -> tuple[SessionChange, tuple[str, ...]]:
    name = mask.text(session.name, counts) if session.name is not None else None
    task = mask.text(session.task, counts)
    kept = dict(session.metadata)
    masked = mask.json(kept, counts)
    metadata = masked if isinstance(masked, dict) else {}
    fields = tuple(
        field_name
        for field_name, is_changed in (
            ("name", name != session.name),
            ("task", task != session.task),
            ("metadata", metadata != kept),
        )
        if is_changed
    )
    gone: JsonObject = dict.fromkeys(key for key in kept if key not in metadata)
    changed = {key: value for key, value in metadata.items() if key not in kept or kept[key] != value}
    return SessionChange(
        name=name if "name" in fields else KEEP,
        task=task if "task" in fields else KEEP,
        metadata_merge={**gone, **changed},
    ), fields
