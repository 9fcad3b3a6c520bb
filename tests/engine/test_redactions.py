"""Redactions at once: one after the other, so that none brings back what another took out."""

import os
import socket
from pathlib import Path

import anyio
import pytest

from cerver_core.engine import redactions
from cerver_core.engine.engine import AccountCerver
from cerver_core.errors import Conflict
from cerver_core.wire.redactions import RedactTranscripts
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from tests.engine.roads import embedded

ONE, OTHER = "correct-horse-battery", "staple-of-another-kind"


async def filled(cerver: AccountCerver) -> str:
    session_id = (await cerver.sessions.create(CreateSession(compute=None, metadata={"a": ONE, "b": OTHER}))).session_id
    entries = tuple(NewEntry(role="user", content=f"{number} {ONE} {OTHER}") for number in range(900))
    await cerver.transcripts.append(session_id, AppendEntries(entries=entries))
    return session_id


async def lease(cerver: AccountCerver, holder: str) -> None:
    now_us = cerver.context.now_us()
    await cerver.context.rows.records.put(
        "lease", "redaction", {"holder": holder}, now_us=now_us, expires_at_us=now_us + 60_000_000
    )


async def test_two_redactions_at_once_both_stand(tmp_path: Path) -> None:
    async with embedded(tmp_path) as cerver, embedded(tmp_path) as second:
        session_id = await filled(cerver)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cerver.transcripts.redact, RedactTranscripts(texts=(ONE,)))
            tasks.start_soon(second.transcripts.redact, RedactTranscripts(texts=(OTHER,)))
        page = await cerver.transcripts.read(session_id, ReadTranscript(full=True, limit=1_000))
        assert {entry.content.split(" ", 1)[1] for entry in page.entries} == {"[redacted:text] [redacted:text]"}
        metadata = (await cerver.sessions.get(session_id)).metadata
        assert metadata == {"a": "[redacted:text]", "b": "[redacted:text]"}


async def test_a_redaction_says_that_another_is_under_way_and_goes_on_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redactions, "_PATIENCE_S", 0.5)
    async with embedded(tmp_path) as cerver:
        await filled(cerver)
        await lease(cerver, "another-machine/1/1")
        assert (await cerver.transcripts.redact(RedactTranscripts(texts=(ONE,), dry_run=True))).entries_changed == 900
        with pytest.raises(Conflict, match="another process is at a redaction"):
            await cerver.transcripts.redact(RedactTranscripts(texts=(ONE,)))
        # The process of that number lives, and began at another time: it is another one.
        await lease(cerver, f"{socket.gethostname()}/{os.getpid()}/1")
        assert (await cerver.transcripts.redact(RedactTranscripts(texts=(ONE,)))).entries_changed == 900
        assert (await cerver.transcripts.redact(RedactTranscripts(texts=(ONE,)))).entries_changed == 0
