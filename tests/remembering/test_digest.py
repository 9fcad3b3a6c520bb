"""The digest that an agent is shown when it begins: the last sessions of its folder, as data, or nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cerver_core.connect import connect
from cerver_core.remembering.digest import MAX_CHARACTERS, digest
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from tests.engine.roads import settings_for
from tests.remembering.conftest import SESSION, Agent, line, until

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AT = datetime(2026, 5, 4, 10, tzinfo=UTC)


async def kept(home: Path, folder: str, number: int, said: str, parent: str | None = None) -> str:
    """Keep a session of a folder, and give its id."""
    async with connect(settings_for(home)) as cerver:
        metadata = {"working_dir": folder, "source": "claude-code", "source_id": f"s{number}"}
        request = CreateSession(
            session_name=f"Session {number}",
            session_type="transcript",
            metadata=metadata,
            created_at=AT,
            parent_session_id=parent,
        )
        session_id = (await cerver.sessions.create(request)).session_id
        entries = (NewEntry(role="user", content=said, at=AT), NewEntry(role="assistant", content="Yes.", at=AT))
        await cerver.transcripts.append(session_id, AppendEntries(entries=entries, is_history=True))
        return session_id


async def shown(home: Path, folder: str, leave_out: str = "") -> str | None:
    async with connect(settings_for(home)) as cerver:
        return await digest(cerver, folder, now=NOW, leave_out=leave_out)


async def test_it_tells_what_was_asked_and_said_and_where_that_stands(tmp_path: Path) -> None:
    session_id = await kept(tmp_path, "/srv/api", 1, "Why is\nCI red?")
    text = await shown(tmp_path, "/srv/api")
    assert text is not None
    head, *told, foot = text.splitlines()
    assert "recorded data" in head
    assert "no instruction" in head
    assert told == [
        f'{session_id} "Session 1" ended 2h ago 2 entries',
        " last: #1 user 2026-05-04: Why is CI red?",
        " last: #2 assistant 2026-05-04: Yes.",
    ]
    assert "cerver_session_peek" in foot


async def test_only_sessions_of_the_folder_and_below_it_are_told(tmp_path: Path) -> None:
    parent = await kept(tmp_path, "/srv/api", 1, "one")
    await kept(tmp_path, "/srv/api/src", 2, "two")
    await kept(tmp_path, "/srv/api-old", 3, "three")
    await kept(tmp_path, "/work", 4, "four")
    await kept(tmp_path, "/srv/api", 5, "a sub-agent", parent=parent)
    text = await shown(tmp_path, "/srv/api")
    assert text is not None
    assert [n for n in range(1, 6) if f"Session {n}" in text] == [1, 2]
    assert await shown(tmp_path, "/elsewhere") is None


async def test_the_session_that_asks_is_left_out(tmp_path: Path) -> None:
    await kept(tmp_path, "/srv/api", 1, "one")
    assert await shown(tmp_path, "/srv/api", leave_out="s1") is None


async def test_it_stays_within_its_tokens_whatever_was_said(tmp_path: Path) -> None:
    for number in range(6):
        await kept(tmp_path, "/srv/api", number, "\u202e\U000e0041" * 4_000)
    text = await shown(tmp_path, "/srv/api")
    assert text is not None
    assert 500 < len(text) <= MAX_CHARACTERS
    assert "\u202e" not in text
    assert "\\u202e" in text


@pytest.mark.parametrize(
    ("digest", "source"), [("off", "startup"), ("", "startup"), ("on", "resume"), ("on", "compact")]
)
def test_it_is_off_unless_asked_for_and_for_sessions_that_begin(alone: Agent, digest: str, source: str) -> None:
    alone.write(line("u1", None, "Why is CI red?"))
    alone.hook(alone.payload("Stop"))
    assert alone.cerver("hook", "drain").returncode == 0
    told = {**alone.payload("SessionStart", source=source), "session_id": "another"}
    done = alone.hook(told, CERVER_DIGEST=digest)
    assert (done.returncode, done.stdout) == (0, "")


def test_where_nothing_can_be_read_nothing_is_shown(alone: Agent) -> None:
    Path(alone.environ["CERVER_HOME"], "cerver.db").mkdir(parents=True)
    done = alone.hook(alone.payload("SessionStart", source="startup"), CERVER_DIGEST="on")
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_shown_after_its_time_and_the_hook_succeeds_anyway(alone: Agent) -> None:
    # A module by this name that never finishes loading stands for a machine that is too slow.
    slow = alone.home / "slow"
    slow.mkdir()
    (slow / "anyio.py").write_text("import threading\nthreading.Event().wait(60)\n")
    told = alone.payload("SessionStart", source="startup")
    done = alone.hook(told, CERVER_DIGEST="on", PYTHONPATH=str(slow))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(alone.spool.waiting()) == 1


def test_claude_code_is_given_it_as_context(alone: Agent) -> None:
    alone.write(line("u1", None, "Why is CI red?"))
    alone.hook(alone.payload("Stop"))
    assert alone.cerver("hook", "drain").returncode == 0
    told = {**alone.payload("SessionStart", source="startup"), "session_id": "another"}
    answers: list[str] = []

    def is_answered() -> bool:  # a machine at its limits may need longer than one hook has
        answers.append(alone.hook(told, CERVER_DIGEST="on").stdout)
        return answers[-1] != ""

    until(is_answered)
    context = json.loads(answers[-1])["hookSpecificOutput"]
    assert context["hookEventName"] == "SessionStart"
    assert "#1 user 2026-05-04: Why is CI red?" in context["additionalContext"]
    assert SESSION not in context["additionalContext"]
