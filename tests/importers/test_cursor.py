"""Cursor's chats: the command line's lines, which carry no times, and the editor's database."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import apsw
import pytest

from cerver_core.importers.base import Document, Tally
from cerver_core.importers.cursor import CursorImporter
from cerver_core.testing.importers import ImporterContract, Sample, spoken

CHAT = "44444444-dddd-4ddd-8ddd-000000000001"
AT_MS = 1_777_888_800_000


def line(role: str, *blocks: Any) -> dict[str, Any]:
    return {"role": role, "message": {"content": list(blocks)}}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


ASKED = "<timestamp>Monday, May 4, 2026, 1:06 PM (UTC+3)</timestamp>\n<user_query>Why is CI red?</user_query>"
LINES = [
    line("user", text(ASKED)),
    line(
        "assistant",
        text("Let me look."),
        {"type": "tool_use", "id": "t1", "name": "Shell", "input": {"command": "make"}},
    ),
    line("user", {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}),
    {"type": "turn_ended"},
]


def bubble(kind: int, words: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "text": words, "createdAt": "2026-05-04T10:00:00Z", **fields}


def tool(call: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"toolCallId": call, "name": "run_terminal_cmd", "status": status, "rawArgs": '{"command":"make"}', **fields}


def editor(path: Path) -> None:
    path.parent.mkdir(parents=True)
    connection: Any = apsw.Connection(str(path))
    connection.execute("PRAGMA synchronous = off")
    connection.execute("CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
    bubbles = [
        bubble(1, "Why is CI red?", workspaceProjectDir="/srv/api"),
        bubble(2, "", thinking={"text": "Run them"}, modelInfo={"modelName": "gpt-x"}),
        bubble(2, "", toolFormerData=tool("c1", "completed", result='{"output":"FAILED test_a"}')),
        bubble(2, "", toolFormerData=tool("c2", "error", error='{"clientVisibleErrorMessage":"denied"}')),
        bubble(2, "", toolFormerData=tool("c3", "loading")),
        bubble(2, "It is a.py.", tokenCount={"inputTokens": 100, "outputTokens": 7}),
    ]
    heads = [{"bubbleId": f"b{n}"} for n in range(len(bubbles))] + [{"bubbleId": "lost"}]
    about = {"composerId": CHAT, "name": "Red CI", "createdAt": AT_MS, "lastUpdatedAt": AT_MS}
    rows: dict[str, Any] = {f"bubbleId:{CHAT}:b{n}": value for n, value in enumerate(bubbles)}
    rows[f"composerData:{CHAT}"] = {**about, "fullConversationHeadersOnly": heads, "createdOnBranch": "fix"}
    rows["composerData:empty"] = {**about, "fullConversationHeadersOnly": []}
    rows["composerData:older"] = {"createdAt": AT_MS + 1, "conversation": [bubble(1, "An older chat")]}
    rows["composerData:null"] = None
    for key, value in rows.items():
        connection.execute(
            "INSERT INTO cursorDiskKV VALUES (?, ?)", (key, None if value is None else json.dumps(value))
        )
    connection.execute("INSERT INTO cursorDiskKV VALUES ('composerData:broken', '{')")
    connection.close()


def jsonl(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in lines)


class TestTheEditor(ImporterContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        editor(tmp_path / "home" / ".config" / "Cursor" / "User" / "globalStorage" / "state.vscdb")
        return Sample(
            importer=CursorImporter(),
            home=tmp_path / "home",
            environ={},
            documents=[CHAT, "older"],
            spoken=[
                ("user", "text", "Why is CI red?"),
                ("assistant", "thinking", "Run them"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "FAILED test_a"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "denied"),
                ("assistant", "tool_use", ""),
                ("assistant", "text", "It is a.py."),
            ],
            calls=[("run_terminal_cmd", False), ("run_terminal_cmd", True)],
            facts={
                "working_dir": "/srv/api",
                "branch": "fix",
                "model": "gpt-x",
                "usage": {"input_tokens": 100, "output_tokens": 7},
            },
            title="Red CI",
        )


class TestTheCommandLine(ImporterContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        folder = tmp_path / "home" / ".cursor" / "projects" / "work-api" / "agent-transcripts" / CHAT
        (folder / "subagents").mkdir(parents=True)
        (folder / f"{CHAT}.jsonl").write_bytes(jsonl(LINES))
        (folder / "subagents" / "sub-1.jsonl").write_bytes(jsonl([line("user", text("Count the tests"))]))
        (folder.parent.parent / "terminals.jsonl").write_text("{}\n")
        return Sample(
            importer=CursorImporter(),
            home=tmp_path / "home",
            environ={},
            documents=[CHAT, "sub-1"],
            spoken=[
                ("user", "text", ASKED),
                ("assistant", "text", "Let me look."),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "ok"),
            ],
            calls=[("Shell", False)],
            parents={"sub-1": CHAT},
        )


def test_a_prompt_tells_its_time_and_the_file_where_none_does() -> None:
    changed = datetime(2026, 1, 1, tzinfo=UTC)
    for lines, at in ((LINES, datetime(2026, 5, 4, 10, 6, tzinfo=UTC)), (LINES[1:], changed)):
        data = jsonl(lines)
        document = Document("cursor", Path("x.jsonl"), CHAT, len(data), changed, "1")
        batches = list(CursorImporter.parse(BytesIO(data), document, Tally(document.path)))
        assert {entry.at for batch in batches for entry in batch.entries} == {at}


def test_a_message_that_is_gone_is_counted(tmp_path: Path) -> None:
    editor(tmp_path / "x" / "state.vscdb")
    importer = CursorImporter()
    document = importer.find_in(tmp_path / "x" / "state.vscdb")[0]
    tally = Tally(document.path)
    assert len(spoken(list(importer.read(document, tally)), CHAT)) == 8
    assert [bad.reason for bad in tally.problems] == [f"message 7 of chat {CHAT} is missing or not JSON"]
