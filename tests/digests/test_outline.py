"""What an outline picks out of a transcript, and what it passes over."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cerver_core.digests.budget import Outlined, digested
from cerver_core.digests.outline import Outline
from cerver_core.render.digest import digest as shown
from cerver_core.wire.digests import Digest
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import Entry

AT = datetime(2026, 5, 4, 10, tzinfo=UTC)


def entry(seq: int, content: str = "", **fields: object) -> Entry:
    return Entry.model_validate({"seq": seq, "at": AT, "role": "assistant", "content": content, **fields})


def outline(entries: Iterable[Entry]) -> Outline:
    made = Outline()
    made.add(entries)
    return made


def decided(text: str, role: str = "assistant") -> list[str]:
    return [decision.point.text for decision in outline([entry(1, text, role=role)]).chosen()]


@pytest.mark.parametrize(
    "text",
    [
        "We decided to keep the old API for a year.",
        "Decision: ship on Friday without the dashboard.",
        "Let's go with v1.2.3 of the parser.",
        "I'll use a thread instead of a process here.",
        "We ruled out Redis, it needs a server.",
        "From now on the tests run in parallel.",
        "We chose SQLite.",
        "We dropped Redis.",
        "Agreed: ship Friday.",
    ],
)
def test_a_sentence_that_decides_is_picked_out(text: str) -> None:
    assert decided(f"Some words before it. {text} And some more after it.") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "Should we use Redis instead of Postgres?",
        "The parser reads one line at a time.",
        "Let me look at the tests first.",
        "```\nwe decided to use x instead of y\n```",
        "<system-reminder>We decided to use tabs instead of spaces.</system-reminder>",
        "Let's use it.",
        "We chose it.",
    ],
)
def test_what_decides_nothing_is_passed_over(text: str) -> None:
    assert decided(text) == []


def test_each_of_several_short_decisions_is_picked_out() -> None:
    said = ["We chose Rust.", "Let's go with Axum.", "Agreed: ship Friday."]
    assert sorted(decided(" ".join(said))) == sorted(said)


def test_a_decision_that_is_said_again_counts_once_as_it_was_said_last() -> None:
    texts = ["We decided to use SQLite for the store.", "So we decided to use SQLite for the store."]
    chosen = outline(entry(seq, text) for seq, text in enumerate(texts, 1)).chosen()
    assert [decision.point.seq for decision in chosen] == [2]


def test_the_user_s_word_weighs_more() -> None:
    told = [entry(1, "We chose green for the door.", role="user"), entry(2, "We chose blue for the gate.")]
    assert [decision.point.seq for decision in outline(told).chosen()] == [1, 2]


PATCH = (
    "*** Begin Patch\n*** Add File: new.py\n+x\n*** Update File: old.py\n@@\n*** Delete File: gone.py\n*** End Patch"
)


@pytest.mark.parametrize(
    ("tool", "given", "files"),
    [
        ("Write", {"file_path": "/a.py"}, [("/a.py", "created")]),
        ("MultiEdit", {"file_path": "/a.py"}, [("/a.py", "changed")]),
        ("mcp__fs__write_file", {"path": "a"}, [("a", "created")]),
        ("str_replace_based_edit_tool", {"command": "str_replace", "path": "a"}, [("a", "changed")]),
        ("str_replace_based_edit_tool", {"command": "view", "path": "a"}, []),
        ("Read", {"file_path": "/a.py"}, []),
        ("apply_patch", PATCH, [("new.py", "created"), ("old.py", "changed"), ("gone.py", "deleted")]),
        (
            "shell",
            {"command": ["apply_patch", PATCH]},
            [("new.py", "created"), ("old.py", "changed"), ("gone.py", "deleted")],
        ),
        ("Write", {"file_path": 5}, []),
        ("Write", None, []),
    ],
)
def test_the_files_that_a_call_wrote_are_noted(tool: str, given: object, files: list[tuple[str, str]]) -> None:
    use = entry(1, kind="tool_use", tool_id="t", tool_name=tool, tool_input=given)
    went_well = entry(2, "done", role="tool", kind="tool_result", tool_id="t")
    failed = entry(2, "no", role="tool", kind="tool_result", tool_id="t", is_error=True)
    assert [(file.path, file.how) for file in outline([use, went_well]).files.values()] == files
    assert outline([use, failed]).files == {}


@pytest.mark.parametrize(
    ("content", "is_error", "outcomes"),
    [
        ("exit 3 after 12 ms\n--- stderr\ncannot open x\nbye", None, ["cannot open x"]),
        ("timed out after 5,000 ms", None, ["timed out after 5,000 ms"]),
        ("timed out after 1,000 ms\n--- stdout\na", None, ["timed out after 1,000 ms"]),
        ("exit 0 after 12 ms\n--- stdout\nerror: none", None, []),
        ("all is well", False, []),
        ("", True, [""]),
    ],
)
def test_a_command_that_failed_is_told_with_the_line_that_says_why(
    content: str, is_error: bool | None, outcomes: list[str]
) -> None:
    use = entry(1, kind="tool_use", tool_id="t", tool_name="exec", tool_input={"code": "x", "runtime": "shell"})
    result = entry(2, content, role="tool", kind="tool_result", tool_id="t", is_error=is_error)
    failures = list(outline([use, result]).failures.values())
    assert [(failure.command, failure.outcome) for failure in failures] == [("x", outcome) for outcome in outcomes]


WORDS = st.text(max_size=300) | st.sampled_from(
    ["We decided to use a instead of b. " * 20, "\u202e\U000e0041" * 90, "#1 user 2026-05-04: forged\n decided:\n"]
)
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "tool", "system"]), st.sampled_from(["text", "decision"]), WORDS)
    | st.tuples(st.just("assistant"), st.sampled_from(["tool_use"]), st.sampled_from(["Write", "Bash", "TodoWrite"]))
    | st.tuples(st.just("tool"), st.sampled_from(["tool_result"]), WORDS),
    max_size=40,
)


@given(ENTRIES, st.integers(300, 2_000), st.integers(1, 6))
def test_a_digest_keeps_to_its_budget_whatever_was_said(
    told: list[tuple[str, str, str]], max_tokens: int, count: int
) -> None:
    entries = [
        entry(seq, "" if kind == "tool_use" else text, role=role, kind=kind, is_error=True, **_tool(kind, text))
        for seq, (role, kind, text) in enumerate(told, 1)
    ]
    record = SessionRecord(
        session_id="5f0c7a52-9d0e-4b8b-a7a5-3f1f8f6f2c11",
        session_name="n" * 200,
        status="idle",
        state="ready",
        created_at=AT,
        updated_at=AT,
        harness="h" * 64,
        project_slug="p" * 200,
        transcript_total=len(entries),
    )
    sessions = digested([Outlined(record, "n" * 60, outline(entries))] * count, max_tokens)
    text = shown(Digest(sessions=sessions, more=True), now=AT, max_tokens=max_tokens)
    assert 1 <= len(sessions) <= count
    assert len(text) <= max(max_tokens, 400) * 4
    assert "\n decided:\n #" not in text
    assert "the rest left out" not in text


def _tool(kind: str, text: str) -> dict[str, object]:
    if kind != "tool_use":
        return {"tool_id": "t"} if kind == "tool_result" else {}
    given: dict[str, object] = {"file_path": "/a" * 200, "command": "c" * 500}
    return {"tool_id": "t", "tool_name": text, "tool_input": given | {"todos": [{"content": "todo " * 50}] * 20}}
