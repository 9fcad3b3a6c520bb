"""A transcript written as a session of Claude Code, and read back as one."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from cerver_core.importers.base import Document, Tally
from cerver_core.importers.claude_code import ClaudeCodeImporter
from cerver_core.render.claude_code import as_claude_code, claude_code_header, claude_code_project
from cerver_core.testing.importers import spoken
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import Entry

ID = "e4a24e31-3183-4d63-a78b-43393e2ccf53"
AT = datetime(2026, 5, 4, 10, tzinfo=UTC)
SESSION = SessionRecord(
    session_id=ID,
    session_name="Red CI",
    status="idle",
    state="ready",
    created_at=AT,
    updated_at=AT,
    metadata={"working_dir": "/srv/my.api", "branch": "fix", "model": "claude-x"},
)


def entries(*told: dict[str, Any]) -> list[Entry]:
    return [Entry.model_validate({"seq": seq, "at": AT, **fields}) for seq, fields in enumerate(told, 1)]


TOLD = entries(
    {"role": "user", "content": "Why is CI red?"},
    {"role": "assistant", "kind": "thinking", "content": "Run them"},
    {
        "role": "assistant",
        "kind": "tool_use",
        "tool_id": "run/1",
        "tool_name": "web.run",
        "tool_input": {"command": "make"},
    },
    {"role": "tool", "kind": "tool_result", "tool_id": "run/1", "content": "FAILED", "is_error": True},
    {"role": "assistant", "content": "It is a.py. \u2028 \U0001f600"},
    {"role": "assistant", "kind": "tool_use", "tool_id": "2", "tool_name": "apply_patch", "tool_input": "*** Begin"},
    {"role": "tool", "kind": "tool_result", "tool_id": "2", "content": ""},
    {"role": "system", "content": "A note"},
    {"role": "system", "kind": "summary", "content": "Summary of before"},
    {"role": "user", "content": "Go on"},
)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_lines_are_one_chain_that_a_summary_begins_anew() -> None:
    written = lines(as_claude_code(TOLD, SESSION))
    assert len({line["uuid"] for line in written}) == len(written) == 11
    before = None
    for line in written:
        is_boundary = line.get("subtype") == "compact_boundary"
        assert line["logicalParentUuid" if is_boundary else "parentUuid"] == before
        assert is_boundary == (line["parentUuid"] is None and before is not None)
        before = line["uuid"]
    assert {(line["sessionId"], line["cwd"], line["gitBranch"]) for line in written} == {(ID, "/srv/my.api", "fix")}


def test_pieces_put_together_are_the_whole() -> None:
    pieces = [as_claude_code(TOLD[start : start + 3], SESSION) for start in range(0, len(TOLD), 3)]
    assert "".join(pieces) == as_claude_code(TOLD, SESSION)


def test_calls_and_results_are_such_as_the_model_takes() -> None:
    written = lines(as_claude_code(TOLD, SESSION))
    call, result = written[2]["message"]["content"][0], written[3]["message"]["content"][0]
    assert call == {"type": "tool_use", "id": "run_1", "name": "web_run", "input": {"command": "make"}}
    assert result == {"type": "tool_result", "tool_use_id": "run_1", "content": "FAILED", "is_error": True}
    assert written[5]["message"]["content"][0]["input"] == {"input": "*** Begin"}


def test_what_the_model_cannot_be_given_is_a_note() -> None:
    notes = [line for line in lines(as_claude_code(TOLD, SESSION)) if "cerverKind" in line]
    assert [(note["type"], note["cerverKind"], note["content"]) for note in notes] == [
        ("system", "thinking", "thinking: Run them"),
        ("system", "system", "system: A note"),
    ]


def test_it_reads_back_as_the_same_conversation() -> None:
    data = (claude_code_header(SESSION) + as_claude_code(TOLD, SESSION)).encode()
    document = Document("claude-code", Path(f"{ID}.jsonl"), ID, len(data), AT, "1")
    tally = Tally(document.path)
    batches = list(ClaudeCodeImporter.parse(BytesIO(data), document, tally))
    assert (tally.malformed, tally.unknown.total()) == (0, 0)
    assert spoken(batches, ID) == [
        ("user", "text", "Why is CI red?"),
        ("system", "event", "informational: thinking: Run them"),
        ("assistant", "tool_use", ""),
        ("tool", "tool_result", "FAILED"),
        ("assistant", "text", "It is a.py. \u2028 \U0001f600"),
        ("assistant", "tool_use", ""),
        ("tool", "tool_result", ""),
        ("system", "event", "informational: system: A note"),
        ("system", "compaction", "Conversation compacted"),
        ("system", "summary", "Summary of before"),
        ("user", "text", "Go on"),
    ]
    assert batches[0].conversation.title == "Red CI"
    assert batches[0].conversation.rewinds == 0


def test_the_folder_is_named_as_claude_code_names_it() -> None:
    assert claude_code_project("/srv/my.api_v2") == "-srv-my-api-v2"
