"""The only writer of transcripts: redact, then store, then wake the followers."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from pydantic import JsonValue
from pydantic_core import to_json

from cerver_core.clock import Clock, to_us
from cerver_core.engine.feed import Feed
from cerver_core.engine.masking import Masking
from cerver_core.errors import TooLarge
from cerver_core.redaction import Redactor
from cerver_core.render.cut import cut_text
from cerver_core.stores.base import (
    KEEP,
    Appended,
    ClosedExec,
    EntryDraft,
    EntryRewrite,
    MetricDelta,
    OpenExec,
    SessionChange,
    TranscriptStore,
)
from cerver_core.wire.transcripts import MAX_CONTENT_BYTES, NewEntry

__all__ = ["VIEW_ABOVE_BYTES", "Journal"]

VIEW_ABOVE_BYTES = 256 * 1024
"""Entries larger than this are kept whole beside a view of their head and tail. Our choice."""

_SAID = ("role", "content", "kind", "tool_id", "tool_name", "tool_input", "is_error")
_VIEW_CHARACTERS = 16 * 1024
_LONG_CHARACTERS = 256 * 1024  # what takes tens of milliseconds to mask, while others wait for the event loop


class Journal:
    """Writes the transcripts of one account."""

    def __init__(self, store: TranscriptStore, masking: Masking, clock: Clock, feed: Feed) -> None:
        self._store = store
        self._masking = masking
        self._clock = clock
        self._feed = feed

    async def append(
        self,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        expected_seq: int | None = None,
        change: SessionChange | None = None,
        delta: MetricDelta | None = None,
        opens: OpenExec | None = None,
        closes: ClosedExec | None = None,
        redactor: Redactor | None = None,
    ) -> Appended:
        """Write entries and what changes with them, durably and at once; see `TranscriptStore.append` for the errors.

        `redactor` adds the secrets of one execution to those this process knows.

        Raises:
            TooLarge: an entry's content is over `MAX_CONTENT_BYTES`; nothing was written.
        """
        now = self._clock.now()
        make = partial(self.drafts, entries, at=now, redactor=redactor)
        is_long = sum(len(entry.content) for entry in entries) > _LONG_CHARACTERS
        drafts = await anyio.to_thread.run_sync(make) if is_long else make()
        activity = change or SessionChange()
        if activity.updated_at_us is KEEP:
            activity = replace(activity, updated_at_us=to_us(now))
        appended = await self._store.append(
            session_id,
            drafts,
            expected_seq=expected_seq,
            change=activity,
            delta=delta,
            opens=opens,
            closes=closes,
        )
        self._feed.wake(session_id)
        return appended

    async def rewrite(
        self,
        session_id: str,
        entries: Sequence[tuple[int, dict[str, JsonValue]]],
        *,
        change: SessionChange | None = None,
    ) -> None:
        """Replace entries, each given as its seq and what it is to say from now on, and a session's own texts."""
        await self._store.rewrite(session_id, [_rewrite(seq, said) for seq, said in entries], change=change)

    async def purge(self) -> None:
        """Remove what was replaced from where it is stored."""
        await self._store.purge()

    def drafts(
        self, entries: Sequence[NewEntry], *, at: datetime, redactor: Redactor | None = None
    ) -> tuple[EntryDraft, ...]:
        """Turn entries into redacted drafts, as they will stand in the store."""
        redactor = redactor or self._masking.redactor
        return tuple(_draft(entry, at, redactor, self._masking) for entry in entries)


def _draft(entry: NewEntry, now: datetime, redactor: Redactor, masking: Masking) -> EntryDraft:
    said: dict[str, Any] = {name: value for name in _SAID if (value := getattr(entry, name)) is not None}
    said["content"] = redactor.text(entry.content)
    if entry.tool_input is not None:
        said["tool_input"] = redactor.json(entry.tool_input)
    # Of the text before credentials are masked: a repeat is the same under another setting, or with newer rules.
    clear = to_json(said)
    told_at = entry.at.isoformat() if entry.at is not None else ""
    fingerprint = _fingerprint(told_at, clear) if entry.id is not None else None
    content, tool_input = said["content"], said.get("tool_input")
    said["content"] = masking.detected(content)
    if tool_input is not None:
        said["tool_input"] = masking.detected_json(tool_input)
    marks = {"at": (told_at or now.isoformat()).replace("+00:00", "Z")}
    if entry.id is not None:
        marks["id"] = entry.id
    is_clean = said["content"] == content and said.get("tool_input") == tool_input
    body = to_json(marks)[:-1] + b"," + (clear if is_clean else to_json(said))[1:]
    if len(body) > MAX_CONTENT_BYTES:
        raise TooLarge(
            f"an entry of {len(body)} bytes is over the limit of {MAX_CONTENT_BYTES}: split it, or keep it in a file",
            limit_bytes=MAX_CONTENT_BYTES,
        )
    return EntryDraft(
        body=body.decode(),
        client_id=entry.id,
        fingerprint=fingerprint,
        view=_view(marks, said) if len(body) > VIEW_ABOVE_BYTES else None,
        is_by_user=entry.role == "user",
    )


def _rewrite(seq: int, said: dict[str, JsonValue]) -> EntryRewrite:
    marks = {name: str(said[name]) for name in ("at", "id") if said.get(name) is not None}
    told = {name: value for name, value in said.items() if name not in {"seq", "at", "id"}}
    body = to_json({**marks, **told})
    view = _view(marks, told) if len(body) > VIEW_ABOVE_BYTES else None
    return EntryRewrite(seq, body.decode(), view)


def _fingerprint(told_at: str, said: bytes) -> bytes:
    return hashlib.blake2b(told_at.encode() + b"\0" + said, digest_size=16).digest()


def _view(marks: dict[str, str], said: dict[str, JsonValue]) -> str:
    content = str(said["content"])
    shown = {**said, "content": cut_text(content, _VIEW_CHARACTERS), "content_bytes": len(content.encode())}
    tool_input = said.get("tool_input")
    if tool_input is not None and len(text := to_json(tool_input).decode()) > _VIEW_CHARACTERS:
        shown["tool_input"] = cut_text(text, _VIEW_CHARACTERS)
    return to_json({**marks, **shown}).decode()
