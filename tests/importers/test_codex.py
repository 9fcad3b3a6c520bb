"""Codex's rollouts, in the forms of several versions."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.codex import CodexImporter
from cerver_core.testing.importers import ImporterContract, Sample, spoken

THREAD = "01999999-0000-7000-8000-000000000001"
CHILD = "01999999-0000-7000-8000-000000000002"
ORIGIN = "01999999-0000-7000-8000-00000000000f"
AT = "2026-05-04T10:00:00.000Z"


def line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": AT, "type": kind, "payload": payload}


def item(kind: str, **payload: Any) -> dict[str, Any]:
    return line("response_item", type=kind, **payload)


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return line("event_msg", type=kind, **payload)


def said(role: str, words: str) -> dict[str, Any]:
    return item("message", role=role, content=[{"type": "input_text", "text": words}])


def usage(n: int) -> dict[str, Any]:
    total = {"input_tokens": 100 * n, "cached_input_tokens": 10 * n, "output_tokens": 5 * n}
    return event("token_count", info={"total_token_usage": total})


META = line("session_meta", id=THREAD, cwd="/srv/api", cli_version="0.99", git={"branch": "fix"}, forked_from_id=ORIGIN)
HISTORY: list[Any] = [
    META,
    line("session_meta", id=ORIGIN, cwd="/elsewhere"),
    line("turn_context", model="gpt-x", cwd="/srv/api", approval_policy="never"),
    said("developer", "You are Codex."),
    said("user", "<environment_context>\n  <cwd>/srv/api</cwd>"),
    said("user", "Why is CI red?"),
    event("user_message", message="Why is CI red?"),
    item("reasoning", summary=[{"type": "summary_text", "text": "Run them"}], encrypted_content="gAAA"),
    event("agent_reasoning", text="Run them"),
    item("function_call", name="shell", arguments='{"command":["make","test"]}', call_id="c1"),
    item("function_call_output", call_id="c1", output='{"output":"FAILED test_a","metadata":{"exit_code":2}}'),
    usage(1),
    usage(2),
    item("custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="c2"),
    item("custom_tool_call_output", call_id="c2", output="Exit code: 0\nOutput:\nDone"),
    item("function_call", name="look", namespace="web", arguments="not { json", call_id="c3"),
    item("function_call_output", call_id="c3", output=[{"type": "input_text", "text": "seen"}]),
    item("function_call", name="exec_command", arguments='{"cmd":"false"}', call_id="c4"),
    item("function_call_output", call_id="c4", output="Wall time: 0.1s\nProcess exited with code 1\nOutput:\n"),
    said("assistant", "It is a.py."),
    event("agent_message", message="It is a.py."),
    line("compacted", message="Summary of before", replacement_history=[{"type": "message"}]),
    event("thread_rolled_back", num_turns=2),
    event("turn_aborted", reason="interrupted"),
    event("error", message="stream disconnected"),
    item("shiny_new", x=1),
    line("world_state", x=1),
    line("shinier", x=1),
]
AGENT = [
    line(
        "session_meta",
        id=CHILD,
        cwd="/srv/api",
        agent_nickname="Scout",
        source={"subagent": {"thread_spawn": {"parent_thread_id": THREAD, "depth": 1}}},
    ),
    said("user", "Count the tests"),
]


def jsonl(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in lines)


def read(data: bytes) -> tuple[list[Batch], Tally]:
    document = Document("codex", Path("x.jsonl"), THREAD, len(data), datetime(2026, 1, 1, tzinfo=UTC), "1")
    tally = Tally(document.path)
    return list(CodexImporter.parse(BytesIO(data), document, tally)), tally


@pytest.fixture
def home(tmp_path: Path) -> Path:
    day = tmp_path / "home" / ".codex" / "sessions" / "2026" / "05" / "04"
    day.mkdir(parents=True)
    (day / f"rollout-2026-05-04T09-00-00-{CHILD}.jsonl").write_bytes(jsonl(AGENT))
    (day / f"rollout-2026-05-04T10-00-00-{THREAD}.jsonl").write_bytes(jsonl(HISTORY))
    (tmp_path / "home" / ".codex" / "history.jsonl").write_text('{"session_id":"x","ts":1,"text":"hi"}\n')
    return tmp_path / "home"


class TestCodex(ImporterContract):
    @pytest.fixture
    def sample(self, home: Path) -> Sample:
        return Sample(
            importer=CodexImporter(),
            home=home,
            environ={},
            documents=[THREAD, CHILD],
            spoken=[
                ("system", "fork", f"Forked from session {ORIGIN}: its beginning is a copy."),
                ("user", "text", "Why is CI red?"),
                ("assistant", "thinking", "Run them"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "FAILED test_a"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "Exit code: 0\nOutput:\nDone"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "seen"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "Wall time: 0.1s\nProcess exited with code 1\nOutput:\n"),
                ("assistant", "text", "It is a.py."),
                ("system", "summary", "Summary of before"),
                ("system", "rewind", "The last 2 turns before this were rolled back."),
                ("system", "event", "Turn aborted: interrupted"),
                ("system", "event", "stream disconnected"),
            ],
            calls=[("shell", True), ("apply_patch", False), ("web.look", False), ("exec_command", True)],
            facts={
                "working_dir": "/srv/api",
                "branch": "fix",
                "source_version": "0.99",
                "model": "gpt-x",
                "usage": {"input_tokens": 200, "cache_read_tokens": 20, "output_tokens": 10},
                "forked_from": [ORIGIN],
                "rewinds": 1,
            },
            parents={CHILD: THREAD},
        )


def test_arguments_are_read_where_they_are_json() -> None:
    entries = {entry.tool_id: entry for batch in read(jsonl(HISTORY))[0] for entry in reversed(batch.entries)}
    assert entries["c1"].tool_input == {"command": ["make", "test"]}
    assert entries["c2"].tool_input == "*** Begin Patch"
    assert entries["c3"].tool_input == "not { json"


def test_kinds_that_nobody_knows_are_counted() -> None:
    assert read(jsonl(HISTORY))[1].unknown == {"response_item shiny_new": 1, "shinier": 1}


def test_the_bare_lines_of_old_versions_are_read() -> None:
    old = [
        {"id": THREAD, "timestamp": AT, "instructions": None, "git": {"branch": "old"}},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": {"content": "no such file", "success": False}},
    ]
    batches, tally = read(jsonl(old))
    assert spoken(batches, THREAD) == [
        ("user", "text", "hello"),
        ("assistant", "tool_use", ""),
        ("tool", "tool_result", "no such file"),
    ]
    assert batches[0].entries[-1].is_error is True
    assert {entry.at for entry in batches[0].entries} == {datetime(2026, 5, 4, 10, tzinfo=UTC)}
    assert (batches[0].conversation.branch, tally.unknown.total()) == ("old", 0)


def test_a_torn_last_line_waits_for_its_rest() -> None:
    whole = jsonl([META, said("user", "first"), said("user", "second")])
    batches, tally = read(whole[:-5])
    assert spoken(batches, THREAD)[1:] == [("user", "text", "first")]
    assert tally.is_torn
    keys = [entry.id for entry in batches[0].entries]
    assert [entry.id for entry in read(whole)[0][0].entries][: len(keys)] == keys


def test_another_home_is_heeded(home: Path, tmp_path: Path) -> None:
    moved = (home / ".codex").rename(tmp_path / "moved")
    assert len(CodexImporter().find(home, {"CODEX_HOME": str(moved)})) == 2
