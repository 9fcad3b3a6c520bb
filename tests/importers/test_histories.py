"""Histories brought into the engine: once is enough, again adds what is new, a kill in between changes nothing."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from cerver_core.api import Cerver
from cerver_core.connect import connect
from cerver_core.histories import HistoryImport, Imported, made_searchable
from cerver_core.importers.base import HistoryImporter
from cerver_core.importers.sources import history_importer
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import ListSessions, SessionRecord, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from tests.engine.roads import settings_for
from tests.importers import test_claude_code as claude
from tests.importers import test_codex as codex
from tests.importers import test_copilot as copilot
from tests.importers import test_cursor as cursor
from tests.importers import test_gemini as gemini
from tests.importers import test_opencode as opencode

LAST = datetime(2026, 5, 4, 10, tzinfo=UTC)
LONG = 1_500

KILLED = """
import anyio, os, signal, sys
from pathlib import Path
from tests.importers.test_histories import bring_in, connect, settings_for

async def main(home, fatal):
    reached = 0
    def advance(offset):
        nonlocal reached
        reached += 1
        if reached == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    async with connect(settings_for(home)) as cerver:
        await bring_in(cerver, "claude-code", home, advance)

anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
"""


def ignored(_: int) -> None:
    """Do nothing about progress."""


async def bring_in(
    cerver: Cerver, source: str, home: Path, advanced: Callable[[int], None] = ignored
) -> list[Imported]:
    importer: HistoryImporter = history_importer(source)
    histories = HistoryImport(cerver, importer)
    await histories.look()
    return [await histories.bring_in(document, advanced) for document in importer.find(home, {})]


async def everything(cerver: Cerver) -> list[tuple[Any, ...]]:
    """Give all that is kept, in an order and with names that do not depend on ids given at import."""
    records = (await cerver.sessions.list(ListSessions(limit=200))).sessions
    names = {record.session_id: record.metadata["source_id"] for record in records}
    return sorted([await _kept(cerver, record, names) for record in records], key=lambda kept: str(kept[0]))


async def _kept(cerver: Cerver, record: SessionRecord, names: dict[str, Any]) -> tuple[Any, ...]:
    page = await cerver.transcripts.read(record.session_id, ReadTranscript(full=True, whole=True, limit=10_000))
    facts = {key: value for key, value in record.metadata.items() if key != "imported"}
    parent = names.get(record.parent_session_id or "")
    return (
        *(names[record.session_id], parent, record.session_name, record.created_at, record.updated_at),
        *(json.dumps(facts, sort_keys=True), page.raw),
    )


def session_file(home: Path) -> Path:
    project = home / ".claude" / "projects" / "-srv-api"
    project.mkdir(parents=True, exist_ok=True)
    return project / f"{claude.SESSION}.jsonl"


def turns(first: int, last: int) -> Sequence[Any]:
    return [claude.user(f"u{n}", f"u{n - 1}" if n else None, f"turn {n} " + "x" * 2_000) for n in range(first, last)]


async def test_a_conversation_becomes_a_session_at_its_own_time(tmp_path: Path) -> None:
    session_file(tmp_path).write_bytes(claude.jsonl(claude.HISTORY))
    async with connect(settings_for(tmp_path)) as cerver:
        (done,) = await bring_in(cerver, "claude-code", tmp_path)
        assert (done.standing, done.created, done.added, done.refused) == ("new", 2, 24, None)
        record = await cerver.sessions.get(done.sessions[0])
        assert (record.session_name, record.session_type, record.harness) == ("Red CI", "transcript", "claude")
        assert (record.created_at, record.updated_at) == (LAST, LAST)
        assert record.metadata["source"] == "claude-code"
        assert record.metadata["source_id"] == claude.SESSION
        assert record.metadata["working_dir"] == "/srv/api"
        assert record.metadata["usage"] == {"input_tokens": 400, "output_tokens": 28, "cache_read_tokens": 20}
        children = (await cerver.sessions.list(ListSessions(parent=record.session_id))).sessions
        assert [child.metadata["source_id"] for child in children] == [f"{claude.SESSION}/b1"]
        assert await cerver.sessions.resolve("Red CI") == record.session_id


async def test_a_sub_agent_that_comes_before_its_parent_belongs_to_it_all_the_same(tmp_path: Path) -> None:
    session = session_file(tmp_path)
    agent = session.with_suffix("") / "subagents" / "agent-f00.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(
        claude.jsonl([{**claude.user("s1", None, "Look into it"), "isSidechain": True, "agentId": "f00"}])
    )
    async with connect(settings_for(tmp_path)) as cerver:
        (first,) = await bring_in(cerver, "claude-code", tmp_path)
        assert (first.refused, first.added) == (None, 1)
        session.write_bytes(claude.jsonl(list(turns(0, 3))))
        await bring_in(cerver, "claude-code", tmp_path)
        records = (await cerver.sessions.list(ListSessions())).sessions
        above = {str(record.metadata["source_id"]): (record.session_id, record.transcript_total) for record in records}
        assert sorted(above) == [claude.SESSION, f"{claude.SESSION}/f00"]
        assert above[claude.SESSION][1] == 3
        (child,) = (await cerver.sessions.list(ListSessions(parent=above[claude.SESSION][0]))).sessions
        assert child.metadata["source_id"] == f"{claude.SESSION}/f00"


@pytest.mark.parametrize("source", ["claude-code", "codex"])
async def test_importing_twice_equals_importing_once(tmp_path: Path, source: str) -> None:
    session_file(tmp_path).write_bytes(claude.jsonl(claude.HISTORY))
    rollout = tmp_path / ".codex" / "sessions" / "rollout-1.jsonl"
    rollout.parent.mkdir(parents=True)
    rollout.write_bytes(codex.jsonl(codex.HISTORY))
    async with connect(settings_for(tmp_path)) as cerver:
        await bring_in(cerver, source, tmp_path)
        once = await everything(cerver)
        (again,) = await bring_in(cerver, source, tmp_path)
        assert (again.standing, again.added, again.created) == ("unchanged", 0, 0)
        for path in (session_file(tmp_path), rollout):
            os.utime(path, (1, 1))
        (touched,) = await bring_in(cerver, source, tmp_path)
        assert (touched.standing, touched.added, touched.created, touched.differing) == ("grown", 0, 0, 0)
        assert await everything(cerver) == once


async def test_what_was_added_is_imported_and_nothing_else(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    path.write_bytes(claude.jsonl([claude.user("u0", None, "zero")]) + b'{"type":"user","sess')
    async with connect(settings_for(tmp_path)) as cerver:
        (first,) = await bring_in(cerver, "claude-code", tmp_path)
        assert (first.added, first.tally.is_torn) == (1, True)
        path.write_bytes(claude.jsonl([claude.user("u0", None, "zero"), claude.user("u1", "u0", "one")]))
        (second,) = await bring_in(cerver, "claude-code", tmp_path)
        assert (second.standing, second.added, second.sessions) == ("grown", 1, first.sessions)
        page = await cerver.transcripts.read(first.sessions[0], ReadTranscript(full=True))
        assert [(entry.seq, entry.content) for entry in page.entries] == [(1, "zero"), (2, "one")]


async def test_a_file_that_was_rewritten_is_read_again_whole(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    path.write_bytes(claude.jsonl([claude.user("u0", None, "zero"), claude.user("u1", "u0", "one")]))
    async with connect(settings_for(tmp_path)) as cerver:
        await bring_in(cerver, "claude-code", tmp_path)
        lines = [claude.user("x0", None, "slipped in"), claude.user("u0", None, "ZERO"), claude.user("u1", "u0", "one")]
        path.write_bytes(claude.jsonl(lines))
        (again,) = await bring_in(cerver, "claude-code", tmp_path)
        assert (again.added, again.differing) == (2, 1)
        page = await cerver.transcripts.read(again.sessions[0], ReadTranscript(full=True))
        assert [entry.content for entry in page.entries if entry.kind == "text"] == ["zero", "one", "slipped in"]


async def test_a_new_title_names_the_session_unless_somebody_did(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    lines = [claude.user("u0", None, "zero"), claude.line("ai-title", aiTitle="First")]
    path.write_bytes(claude.jsonl(lines))
    async with connect(settings_for(tmp_path)) as cerver:
        session_id = (await bring_in(cerver, "claude-code", tmp_path))[0].sessions[0]
        lines.append(claude.line("ai-title", aiTitle="Second"))
        path.write_bytes(claude.jsonl(lines))
        await bring_in(cerver, "claude-code", tmp_path)
        assert (await cerver.sessions.get(session_id)).session_name == "Second"
        await cerver.sessions.update(session_id, UpdateSession(session_name="mine"))
        lines.append(claude.line("ai-title", aiTitle="Third"))
        path.write_bytes(claude.jsonl(lines))
        await bring_in(cerver, "claude-code", tmp_path)
        assert (await cerver.sessions.get(session_id)).session_name == "mine"


async def test_what_is_appended_here_stays_and_counts_as_activity(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    path.write_bytes(claude.jsonl([claude.user("u0", None, "zero")]))
    async with connect(settings_for(tmp_path)) as cerver:
        session_id = (await bring_in(cerver, "claude-code", tmp_path))[0].sessions[0]
        note = AppendEntries(entries=(NewEntry(role="user", content="a note"),))
        await cerver.transcripts.append(session_id, note)
        active = (await cerver.sessions.get(session_id)).updated_at
        path.write_bytes(claude.jsonl([claude.user("u0", None, "zero"), claude.user("u1", "u0", "one")]))
        await bring_in(cerver, "claude-code", tmp_path)
        record = await cerver.sessions.get(session_id)
        assert (record.updated_at, record.transcript_total) == (active, 3)


async def test_a_session_that_was_ended_here_is_left_alone(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    path.write_bytes(claude.jsonl([claude.user("u0", None, "zero")]))
    async with connect(settings_for(tmp_path)) as cerver:
        session_id = (await bring_in(cerver, "claude-code", tmp_path))[0].sessions[0]
        await cerver.sessions.terminate(session_id)
        path.write_bytes(claude.jsonl([claude.user("u0", None, "zero"), claude.user("u1", "u0", "one")]))
        (again,) = await bring_in(cerver, "claude-code", tmp_path)
        assert again.refused is not None
        assert "has ended" in again.refused
        assert (await cerver.sessions.get(session_id)).transcript_total == 1


async def test_a_kill_in_the_middle_and_another_import_equal_one(tmp_path: Path) -> None:
    for name in ("killed", "whole"):
        lines = [*turns(0, LONG // 2), *claude.HISTORY, *turns(LONG // 2, LONG)]
        session_file(tmp_path / name).write_bytes(claude.jsonl(lines))
    for fatal in (2, 4):
        command = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(fatal)]
        with anyio.fail_after(60):
            done = await anyio.run_process(command, cwd=Path(__file__).parents[2], check=False)
        assert done.returncode == -signal.SIGKILL
    async with connect(settings_for(tmp_path / "killed")) as cerver:
        begun = (await cerver.sessions.list(ListSessions())).sessions
        assert [0 < record.transcript_total < LONG for record in begun] == [True]
        (rest,) = await bring_in(cerver, "claude-code", tmp_path / "killed")
        assert (rest.standing, 0 < rest.added < LONG) == ("grown", True)
        killed = await everything(cerver)
    async with connect(settings_for(tmp_path / "whole")) as cerver:
        await bring_in(cerver, "claude-code", tmp_path / "whole")
        assert await everything(cerver) == killed


def fill_opencode(home: Path) -> None:
    store = opencode.Store(home / ".local" / "share" / "opencode" / "opencode.db")
    opencode.fill(store)
    store.connection.close()


def fill_cursor(home: Path) -> None:
    cursor.editor(home / ".config" / "Cursor" / "User" / "globalStorage" / "state.vscdb")
    transcript = home / ".cursor" / "projects" / "api" / "agent-transcripts" / "chat.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_bytes(cursor.jsonl(cursor.LINES))


def fill_gemini(home: Path) -> None:
    chats = home / ".gemini" / "tmp" / "api" / "chats"
    chats.mkdir(parents=True)
    (chats / "session-1.jsonl").write_bytes(gemini.jsonl(gemini.HISTORY))
    messages = [value for value in gemini.HISTORY if "id" in value]
    (chats / "session-0.json").write_text(json.dumps({**gemini.HEAD, "sessionId": "older", "messages": messages}))


def fill_copilot(home: Path) -> None:
    events = home / ".copilot" / "session-state" / "1" / "events.jsonl"
    events.parent.mkdir(parents=True)
    events.write_text("".join(json.dumps(value) + "\n" for value in copilot.HISTORY))


@pytest.mark.parametrize(
    ("fill", "source", "sessions", "entries"),
    [
        (fill_opencode, "opencode", 2, 15),
        (fill_cursor, "cursor", 3, 13),
        (fill_gemini, "gemini", 2, 17),
        (fill_copilot, "copilot", 2, 12),
    ],
)
async def test_every_source_gets_in_once(
    tmp_path: Path, fill: Callable[[Path], None], source: str, sessions: int, entries: int
) -> None:
    fill(tmp_path)
    async with connect(settings_for(tmp_path)) as cerver:
        done = await bring_in(cerver, source, tmp_path)
        assert (sum(one.created for one in done), sum(one.added for one in done)) == (sessions, entries)
        assert [one.refused for one in done if one.refused] == []
        once = await everything(cerver)
        again = await bring_in(cerver, source, tmp_path)
        assert {(one.standing, one.added, one.created) for one in again} == {("unchanged", 0, 0)}
        assert await everything(cerver) == once


async def test_what_was_brought_in_can_be_searched_once_that_is_waited_for(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    path.write_bytes(claude.jsonl([claude.user("u0", None, "the pontoon at Lake Tegern needs paint")]))
    async with connect(settings_for(tmp_path)) as cerver:
        (done,) = await bring_in(cerver, "claude-code", tmp_path)
        assert await made_searchable(cerver, datetime.now(UTC), patience_s=60)
        found = await cerver.transcripts.search(SearchTranscripts(query="pontoon"))
    assert [one.session_id for one in found.sessions] == done.sessions
