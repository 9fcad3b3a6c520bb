"""The command that brings histories in, as people and scripts use it."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.importers import test_claude_code as claude
from tests.importers import test_codex as codex

DAY_S = 86_400


@pytest.fixture
def histories(home: Path) -> Path:
    """A session of Claude Code that its clean-up deletes in two days, and one of Codex."""
    session = home / ".claude" / "projects" / "-srv-api" / f"{claude.SESSION}.jsonl"
    rollout = home / ".codex" / "sessions" / "2026" / f"rollout-{codex.THREAD}.jsonl"
    for path, lines in ((session, claude.jsonl(claude.HISTORY)), (rollout, codex.jsonl(codex.HISTORY))):
        path.parent.mkdir(parents=True)
        path.write_bytes(lines)
    then = time.time() - 28 * DAY_S
    os.utime(session, (then, then))
    return session


def sessions(cerver: Run) -> list[dict[str, Any]]:
    return json.loads(cerver("sessions", "--json").out)["sessions"]


def test_a_dry_run_shows_what_is_there_and_at_risk_and_imports_nothing(cerver: Run, histories: Path) -> None:
    done = cerver("import", "all", "--dry-run")
    assert done.code == 0
    rows = {row[0]: row[1:] for row in (line.split() for line in done.out.splitlines())}
    assert rows["claude-code"][:3] == ["1", "1", "0"]
    assert rows["claude-code"][-1] == "1"
    assert rows["codex"][:3] == ["1", "1", "0"]
    assert rows["gemini"][:2] == ["0", "0"]
    assert "claude-code: 1 of what is not imported is deleted by its own clean-up within a week" in done.err
    assert done.err.endswith("nothing was imported (--dry-run)\n")
    assert sessions(cerver) == []
    assert histories.exists()


def test_everything_is_imported_once(cerver: Run, histories: Path) -> None:
    del histories
    first = json.loads(cerver("import", "all", "--json").out)["sources"]
    told = {source["source"]: (source["new_sessions"], source["new_entries"]) for source in first}
    assert told["claude-code"] == (2, 24)
    assert told["codex"] == (1, 16)
    assert first[0]["unknown_kinds"] == {"shiny-new-kind": 1}
    again = json.loads(cerver("import", "all", "--json").out)["sources"]
    assert [(source["unchanged"], source["new_entries"]) for source in again[:2]] == [(1, 0), (1, 0)]
    assert {session["sessionName"] for session in sessions(cerver)} == {"Red CI", None}
    assert {session["updatedAt"] for session in sessions(cerver)} == {"2026-05-04T10:00:00Z"}


def test_all_of_it_is_found_when_the_command_has_ended(cerver: Run, home: Path) -> None:
    path = home / ".claude" / "projects" / "-srv-api" / f"{claude.SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    turns = [claude.user(f"u{n}", None, f"quince{n} " * 300) for n in range(1_500)]
    path.write_bytes(claude.jsonl(turns))
    assert cerver("import", "all").code == 0
    for word in ("quince0", "quince1499"):
        (found,) = json.loads(cerver("search", word, "--json").out)["sessions"]
        assert found["snippets"][0]["seq"] == int(word.removeprefix("quince")) * 2 + 1


def test_what_cannot_be_read_is_named(cerver: Run, histories: Path) -> None:
    histories.write_bytes(b'{"broken\n' + claude.jsonl(claude.HISTORY) + b'{"type":"user","tor')
    histories.with_name("other.jsonl").write_text('{"name": "left-pad"}\n')
    done = cerver("import", "claude-code")
    assert done.code == 0
    assert f"{histories}:1: not JSON; passed over" in done.err
    assert f"{histories}: its last line is not finished; import again later" in done.err
    assert f"refused: {histories.with_name('other.jsonl')} is not a transcript of Claude Code" in done.err


def test_a_path_that_is_no_transcript_is_a_failure(cerver: Run, home: Path) -> None:
    path = home / "package.jsonl"
    path.write_text('{"name": "left-pad"}\n')
    done = cerver("import", "codex", "--path", str(path))
    assert done.code == 1
    assert "is not a transcript of Codex" in done.err
    assert sessions(cerver) == []


def test_only_what_changed_since_is_taken(cerver: Run, histories: Path) -> None:
    del histories
    found = json.loads(cerver("import", "all", "--since", "7d", "--dry-run", "--json").out)["sources"]
    assert [source["documents"] for source in found[:2]] == [0, 1]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["all", "--path", "."], 2, "--path needs one source"),
        (["codex", "--path", "nowhere"], 3, "there is no file or folder nowhere"),
        (["codex", "--since", "soon"], 2, "--since 'soon' is no time"),
        (["codex", "--name", "x"], 2, "--name is for an export"),
        (["x.jsonl", "--dry-run"], 2, "--path, --since, --dry-run and --json are for a source"),
        (["cluade"], 3, "there is no file cluade; the sources are: claude-code, codex"),
    ],
)
def test_what_is_mistaken_is_told_in_one_line(cerver: Run, args: list[str], code: int, said: str) -> None:
    done = cerver("import", *args)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_session_goes_back_to_claude_code(cerver: Run, histories: Path, home: Path) -> None:
    del histories
    cerver("import", "claude-code")
    session_id = next(session["sessionId"] for session in sessions(cerver) if session["sessionName"] == "Red CI")
    target = home / f"{session_id}.jsonl"
    done = cerver("export", "Red CI", "--format", "claude-code", "--output", str(target))
    assert "left out of what the model is given, and kept as notes: 1 compaction, " in done.err
    assert "~/.claude/projects/-srv-api/" in done.err
    assert "`claude --resume " in done.err
    again = json.loads(cerver("import", "claude-code", "--path", str(target), "--json").out)["sources"][0]
    assert (again["new_sessions"], again["malformed"], again["unknown_kinds"]) == (1, 0, {})
    assert again["new_entries"] == 22
