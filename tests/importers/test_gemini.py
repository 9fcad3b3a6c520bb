"""Gemini CLI's chats: lines that tell messages again as they grow, and whole documents."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.gemini import GeminiImporter
from cerver_core.testing.importers import ImporterContract, Sample, spoken

CHAT = "22222222-bbbb-4bbb-8bbb-000000000001"
CHILD = "22222222-bbbb-4bbb-8bbb-000000000002"
AT = "2026-05-04T10:00:00.000Z"


def message(identity: str, kind: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "timestamp": AT, "type": kind, "content": content, **fields}


def answer(output: str) -> list[Any]:
    return [{"functionResponse": {"id": "t1", "name": "shell", "response": {"output": output}}}]


def call(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "t1", "name": "shell", "args": {"command": "make test"}, "status": status, "timestamp": AT, **fields}


HEAD = {"sessionId": CHAT, "projectHash": "ab", "startTime": AT, "lastUpdated": AT, "kind": "main"}
THOUGHT = {"subject": "Tests", "description": "Run them", "timestamp": AT}
FIRST = message("m2", "gemini", "Let me look.", thoughts=[THOUGHT], model="gemini-x")
HISTORY: list[Any] = [
    HEAD,
    message("m1", "user", [{"text": "Why is CI red?"}]),
    FIRST,
    # The same message again, grown: a call under way, then its end.
    {**FIRST, "toolCalls": [call("executing")]},
    {**FIRST, "toolCalls": [call("error", result=answer("FAILED test_a"))], "tokens": {"input": 100, "output": 5}},
    {**FIRST, "toolCalls": [call("error", result=answer("FAILED test_a"))], "tokens": {"input": 100, "output": 7}},
    message("m3", "info", "Request cancelled."),
    {"$set": {"lastUpdated": AT, "summary": "Red CI"}},
    message("m4", "gemini", "It is b.py."),
    {"$rewindTo": "m4"},
    message("m5", "gemini", "It is a.py."),
    {"$shiny": 1},
]
SPOKEN = [
    ("user", "text", "Why is CI red?"),
    ("assistant", "thinking", "Tests\nRun them"),
    ("assistant", "text", "Let me look."),
    ("assistant", "tool_use", ""),
    ("tool", "tool_result", "FAILED test_a"),
    ("system", "event", "Request cancelled."),
    ("assistant", "text", "It is b.py."),
    ("system", "rewind", "Rewound to before message m4: what stands from there on was left behind."),
    ("assistant", "text", "It is a.py."),
]


def jsonl(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in lines)


def read(data: bytes, *, whole: bool = False) -> tuple[list[Batch], Tally]:
    document = Document("gemini", Path("x"), CHAT, len(data), datetime(2026, 1, 1, tzinfo=UTC), "1")
    tally = Tally(document.path)
    parse = GeminiImporter.parse_document if whole else GeminiImporter.parse_lines
    return list(parse(BytesIO(data), document, tally)), tally


class TestGemini(ImporterContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        project = tmp_path / "home" / ".gemini" / "tmp" / "api"
        chats = project / "chats"
        (chats / CHAT).mkdir(parents=True)
        (project / ".project_root").write_text("/srv/api")
        (chats / "session-1.jsonl").write_bytes(jsonl(HISTORY))
        (chats / "session-1.json").write_text(json.dumps({**HEAD, "messages": [HISTORY[1]]}))
        (chats / "checkpoint-x.json").write_text('{"history": []}')
        child = [{**HEAD, "sessionId": CHILD, "kind": "subagent"}, message("s1", "user", "Count the tests")]
        (chats / CHAT / f"{CHILD}.jsonl").write_bytes(jsonl(child))
        return Sample(
            importer=GeminiImporter(),
            home=tmp_path / "home",
            environ={},
            documents=[CHAT, CHILD],
            spoken=SPOKEN,
            calls=[("shell", True)],
            facts={
                "working_dir": "/srv/api",
                "model": "gemini-x",
                "usage": {"input_tokens": 100, "output_tokens": 7},
                "rewinds": 1,
            },
            title="Red CI",
            parents={CHILD: CHAT},
        )


def test_a_whole_document_says_what_its_lines_would() -> None:
    messages = [value for value in HISTORY[1:] if "id" in value]
    for indent in (None, 2):
        data = json.dumps({**HEAD, "messages": messages, "summary": "Red CI"}, indent=indent).encode()
        batches, tally = read(data, whole=True)
        assert spoken(batches, CHAT) == [said for said in SPOKEN if said[1] != "rewind"]
        assert (batches[-1].conversation.title, tally.is_torn) == ("Red CI", False)


def test_a_document_larger_than_its_window_is_read_in_pieces() -> None:
    messages = [message(f"m{n}", "user", f"{n} " + "x" * 300_000) for n in range(20)]
    batches, _ = read(json.dumps({**HEAD, "messages": messages}).encode(), whole=True)
    assert len(batches) > 3
    assert [text.split()[0] for _, _, text in spoken(batches, CHAT)] == [str(n) for n in range(20)]


def test_a_torn_document_gives_what_is_whole() -> None:
    data = json.dumps({**HEAD, "messages": [message("m1", "user", "one"), message("m2", "user", "two")]}).encode()
    batches, tally = read(data[:-20], whole=True)
    assert spoken(batches, CHAT) == [("user", "text", "one")]
    assert tally.is_torn


def test_text_that_changed_is_told_beside_the_first() -> None:
    batches, _ = read(jsonl([HEAD, message("m1", "user", "one"), message("m1", "user", "one two")]))
    assert spoken(batches, CHAT) == [("user", "text", "one"), ("user", "text", "one two")]


def test_messages_that_come_again_in_a_snapshot_are_not_told_twice() -> None:
    again = {"$set": {"messages": [message("m1", "user", "one"), message("m2", "user", "two")]}}
    batches, _ = read(jsonl([HEAD, message("m1", "user", "one"), again]))
    assert spoken(batches, CHAT) == [("user", "text", "one"), ("user", "text", "two")]
