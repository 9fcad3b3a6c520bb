"""Claude Code's histories, with the traps of its files."""

import json
import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cerver_core.importers.base import Batch, Document, Tally
from cerver_core.importers.claude_code import ClaudeCodeImporter
from cerver_core.testing.importers import ImporterContract, Sample, spoken

SESSION = "11111111-aaaa-4aaa-8aaa-000000000001"
OLDER = "11111111-aaaa-4aaa-8aaa-00000000000f"
AT = "2026-05-04T10:00:00.000Z"


def line(kind: str, uuid: str | None = None, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    told = {"type": kind, "sessionId": SESSION, "timestamp": AT, "cwd": "/srv/api", "gitBranch": "fix", **fields}
    return told if uuid is None else {**told, "uuid": uuid, "parentUuid": parent}


def user(uuid: str, parent: str | None, content: Any, **fields: Any) -> dict[str, Any]:
    return line("user", uuid, parent, message={"role": "user", "content": content}, **fields)


def result(uuid: str, parent: str, tool_id: str, content: Any, **fields: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": tool_id, "content": content, **fields}
    return user(uuid, parent, [block])


def assistant(uuid: str, parent: str | None, message_id: str, block: Any, tokens: int = 7, **fields: Any) -> Any:
    usage = {"input_tokens": 100, "output_tokens": tokens, "cache_read_input_tokens": 5}
    message = {"id": message_id, "role": "assistant", "model": "claude-x", "content": [block], "usage": usage}
    return line("assistant", uuid, parent, message=message, **fields)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def call(tool_id: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": arguments}


PDF = "JVBERi0x" * 42_000
HISTORY: list[Any] = [
    line("summary", summary="An older title", leafUuid="x"),
    line("queue-operation", operation="enqueue"),
    user("u1", None, "Why is CI red?", sessionId=OLDER),
    assistant("a1", "u1", "m0", text("Let me look."), sessionId=OLDER),
    # One reply on three lines, its usage on each; the results hang off their own calls.
    user(
        "u2", "a1", [text("Read this"), {"type": "document", "source": {"media_type": "application/pdf", "data": PDF}}]
    ),
    assistant("a2", "u2", "m1", {"type": "thinking", "thinking": "two calls"}, tokens=1),
    assistant("a3", "a2", "m1", call("t1", "Bash", command="make test")),
    assistant("a4", "a3", "m1", call("t2", "Read", file_path="/srv/api/a.py")),
    result("r1", "a3", "t1", "FAILED test_a", is_error=True),
    result("r2", "a4", "t2", [text("1  import os"), text("2  x")]),
    line("attachment", "q1", "r2", attachment={"type": "queued_command", "prompt": "also check b.py"}),
    assistant("a5", "q1", "m2", text("It is a.py.")),
    line("progress", "p1", "a5", data={"type": "agent_progress"}),
    line("system", "s1", None, subtype="compact_boundary", content="Conversation compacted", logicalParentUuid="a5"),
    user("c1", "s1", "Summary of before", isCompactSummary=True),
    user("m1", "c1", "<caveat>", isMeta=True),
    user("u3", "m1", "Fix it"),
    assistant("a6", "u3", "m3", text("Fixed.")),
    # Back to the prompt's own parent: a rewind.
    user("u4", "m1", "Fix it otherwise"),
    line("system", "e1", "u4", subtype="api_error", error={"message": "overloaded"}),
    assistant("b1", None, "m9", text("side work"), isSidechain=True),
    assistant("b2", "b1", "m9", call("t9", "Grep", pattern="x"), isSidechain=True),
    user("b3", "b2", [{"type": "tool_result", "tool_use_id": "t9", "content": ""}], isSidechain=True),
    line("shiny-new-kind", "n1", "u4"),
    line("ai-title", aiTitle="Fix the red CI"),
    line("custom-title", customTitle="Red CI"),
]
AGENT = [
    user("g1", None, "Count the tests", isSidechain=True, agentId="f00"),
    assistant("g2", "g1", "m5", text("41"), isSidechain=True, agentId="f00"),
]


def jsonl(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in lines)


def read(data: bytes) -> tuple[list[Batch], Tally]:
    document = Document("claude-code", Path("x.jsonl"), SESSION, len(data), datetime(2026, 1, 1, tzinfo=UTC), "1")
    tally = Tally(document.path)
    return list(ClaudeCodeImporter.parse(BytesIO(data), document, tally)), tally


@pytest.fixture
def home(tmp_path: Path) -> Path:
    project = tmp_path / "home" / ".claude" / "projects" / "-srv-api"
    agents = project / SESSION / "subagents"
    agents.mkdir(parents=True)
    (project / f"{SESSION}.jsonl").write_bytes(jsonl(HISTORY))
    (agents / "agent-f00.jsonl").write_bytes(jsonl(AGENT))
    (agents / "agent-f00.meta.json").write_text('{"agentType": "Explore", "description": "Count tests"}')
    (project / "agent-0ld.jsonl").write_bytes(jsonl([user("h1", None, "An older sub-agent", isSidechain=True)]))
    spilled = project / SESSION / "tool-results"
    spilled.mkdir()
    (spilled / "rows.jsonl").write_text('{"row": 1}\n')
    return tmp_path / "home"


class TestClaudeCode(ImporterContract):
    @pytest.fixture
    def sample(self, home: Path) -> Sample:
        return Sample(
            importer=ClaudeCodeImporter(),
            home=home,
            environ={},
            documents=[SESSION, f"{SESSION}/f00", f"{SESSION}/0ld"],
            spoken=[
                ("system", "fork", f"What follows was said in session {OLDER}."),
                ("user", "text", "Why is CI red?"),
                ("assistant", "text", "Let me look."),
                ("system", "fork", "From here on it is this session again."),
                ("user", "text", "Read this"),
                ("user", "text", "[document application/pdf, 336,000 characters of base64 left out]"),
                ("assistant", "thinking", "two calls"),
                ("assistant", "tool_use", ""),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "FAILED test_a"),
                ("tool", "tool_result", "1  import os\n2  x"),
                ("user", "text", "also check b.py"),
                ("assistant", "text", "It is a.py."),
                ("system", "compaction", "Conversation compacted"),
                ("system", "summary", "Summary of before"),
                ("system", "meta", "<caveat>"),
                ("user", "text", "Fix it"),
                ("assistant", "text", "Fixed."),
                ("system", "rewind", "Rewound to m1: what stood after it was left behind."),
                ("user", "text", "Fix it otherwise"),
                ("system", "event", "api_error: overloaded"),
            ],
            calls=[("Bash", True), ("Read", False), ("Grep", False)],
            facts={
                "working_dir": "/srv/api",
                "branch": "fix",
                "model": "claude-x",
                "usage": {"input_tokens": 400, "output_tokens": 28, "cache_read_tokens": 20},
                "forked_from": [OLDER],
                "rewinds": 1,
            },
            title="Red CI",
            parents={f"{SESSION}/{child}": SESSION for child in ("b1", "f00", "0ld")},
        )


def test_times_are_those_of_the_lines() -> None:
    batches, _ = read(jsonl(HISTORY))
    assert {entry.at for batch in batches for entry in batch.entries} == {datetime(2026, 5, 4, 10, tzinfo=UTC)}


def test_the_input_of_a_tool_is_kept_whole() -> None:
    batches, _ = read(jsonl(HISTORY))
    asked = next(entry for batch in batches for entry in batch.entries if entry.tool_id == "t1")
    assert (asked.tool_name, asked.tool_input) == ("Bash", {"command": "make test"})


def test_a_malformed_line_is_named_and_the_rest_is_read() -> None:
    data = jsonl(HISTORY[:4]) + b'{"type":"user","sess\n[]\n' + jsonl(HISTORY[4:5])
    batches, tally = read(data)
    assert [(bad.line, bad.reason) for bad in tally.problems] == [(5, "not JSON"), (6, "not a JSON object")]
    assert ("user", "text", "Read this") in spoken(batches, SESSION)
    assert not tally.is_torn


def test_a_torn_last_line_waits_for_its_rest() -> None:
    whole = jsonl([user("u1", None, "first"), user("u2", "u1", "second")])
    batches, tally = read(whole[:-30])
    assert spoken(batches, SESSION) == [("user", "text", "first")]
    assert (tally.is_torn, tally.malformed, tally.read_to) == (True, 0, len(jsonl([user("u1", None, "first")])))
    assert spoken(read(whole)[0], SESSION) == [("user", "text", "first"), ("user", "text", "second")]


def test_a_last_line_that_lacks_only_its_newline_is_read() -> None:
    batches, tally = read(jsonl([user("u1", None, "first")])[:-1])
    assert spoken(batches, SESSION) == [("user", "text", "first")]
    assert not tally.is_torn


def test_kinds_that_nobody_knows_are_counted() -> None:
    assert read(jsonl(HISTORY))[1].unknown == {"shiny-new-kind": 1}


def test_text_that_is_no_valid_unicode_is_mended() -> None:
    broken = jsonl([user("u1", None, "X")]).replace(b'"X"', b'"half \\ud83d, byte \xff, nul \\u0000"')
    assert spoken(read(broken)[0], SESSION) == [("user", "text", "half \ufffd, byte \ufffd, nul \x00")]


def test_only_a_summary_of_its_own_lines_is_a_title() -> None:
    other, own = (
        line("summary", summary=words, leafUuid=leaf) for words, leaf in (("Another's", "z"), ("Its own", "u1"))
    )
    for lines in ([own, other, user("u1", None, "hi")], [user("u1", None, "hi"), own, other]):
        batches, _ = read(jsonl(lines))
        assert batches[0].conversation.title == "Its own"


def test_lines_that_were_copied_again_are_no_rewind() -> None:
    lines = [user("u1", None, "one"), assistant("a1", "u1", "m1", text("two")), user("u2", "a1", "three")]
    batches, _ = read(jsonl([*lines, *lines]))
    assert batches[0].conversation.rewinds == 0


def test_a_file_of_no_lines_is_an_empty_one() -> None:
    assert read(b"")[0] == []


def test_the_clean_up_is_told_from_its_settings(home: Path) -> None:
    importer = ClaudeCodeImporter()
    document = importer.find(home, {})[0]
    os.utime(document.path, (1_700_000_000, 1_700_000_000))
    document = importer.find(home, {})[0]
    last = datetime.fromtimestamp(1_700_000_000, UTC)
    assert importer.expires_at(document, home, {}) == last + timedelta(days=30)
    (home / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 365}')
    assert importer.expires_at(document, home, {}) == last + timedelta(days=365)


def test_another_folder_of_configuration_is_heeded(home: Path, tmp_path: Path) -> None:
    moved = (home / ".claude").rename(tmp_path / "moved")
    assert len(ClaudeCodeImporter().find(home, {"CLAUDE_CONFIG_DIR": str(moved)})) == 3
    assert len(ClaudeCodeImporter().find_in(moved / "projects" / "-srv-api")) == 3
