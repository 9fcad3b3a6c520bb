"""Hooks as agents call them: turns come in, once, whatever dies, and the agent notices nothing."""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cerver_core.config import Settings
from cerver_core.remembering.spool import Spool
from tests.architecture.sources import ROOT
from tests.remembering.conftest import CERVER, SESSION, Agent, line, until

FIRST = (line("u1", None, "Why is CI red?"), line("a1", "u1", "Because of a.py.", role="assistant"))
SECOND = (line("u2", "a1", "Mend it"), line("a2", "u2", "Done.", role="assistant"))
SAID = ["Why is CI red?", "Because of a.py.", "Mend it", "Done."]
THREAD = "0198c0de-1234-7abc-8def-0123456789ab"


def rollout(text: str) -> bytes:
    meta = {"id": THREAD, "cwd": "/srv/api", "cli_version": "0.99.0"}
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    lines = ({"type": "session_meta", "payload": meta}, {"type": "response_item", "payload": message})
    return b"".join(json.dumps({"timestamp": "2026-05-04T10:00:00Z", **each}).encode() + b"\n" for each in lines)


def test_each_turn_comes_in_while_the_agent_works(agent: Agent) -> None:
    agent.write(*FIRST)
    done = agent.hook(agent.payload("UserPromptSubmit", prompt="Why is CI red?"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    until(lambda: agent.said() == SAID[:2])
    # What is written after the last hook comes in as well.
    agent.write(*SECOND)
    until(lambda: agent.said() == SAID)
    assert (agent.spool.waiting(), agent.spool.taken()) == ([], [])
    (record,) = agent.sessions()
    assert record.metadata["source_id"] == SESSION


def test_there_is_one_drainer_however_many_hooks_are_called(agent: Agent) -> None:
    agent.write(*FIRST)
    calls = [
        subprocess.Popen([CERVER, "hook", "claude-code"], stdin=subprocess.PIPE, env=agent.environ) for _ in range(4)
    ]
    for call in calls:
        call.communicate(json.dumps(agent.payload("PostToolUse")).encode(), timeout=60)
    assert [call.returncode for call in calls] == [0] * 4
    until(lambda: agent.drainer() is not None)
    first = agent.drainer()
    agent.hook(agent.payload("Stop"))
    until(lambda: agent.said() == SAID[:2])
    assert agent.drainer() == first


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"{}",
        b'{"session_id": 4}',
        b'{"transcript_path": "/x.jsonl',
        b"\xff\xfe",
        b"1e999",
    ],
)
def test_what_nobody_understands_does_no_harm(alone: Agent, told: bytes) -> None:
    done = alone.hook(told)
    assert (done.returncode, done.stdout) == (0, "")
    assert alone.spool.waiting() == []


def test_a_hook_of_nobody_is_told_so_without_an_error(alone: Agent) -> None:
    done = alone.hook(alone.payload("Stop"), "claud-code")
    assert (done.returncode, done.stdout) == (0, "")
    assert "cerver hook claude-code or codex" in done.stderr


def test_a_home_that_cannot_be_written_does_no_harm(agent: Agent) -> None:
    (agent.home / "file").write_text("")
    done = agent.hook(agent.payload("Stop"), CERVER_HOME=str(agent.home / "file" / "cerver"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "cerver: the hook took no note: NotADirectoryError\n"


def test_a_thousand_events_of_one_transcript_are_one_note_without_a_word_of_it(alone: Agent) -> None:
    response = {
        "tool_response": {"stdout": "the secret word " * 100_000},
        "tool_input": {"transcript_path": "/x.jsonl"},
    }
    for event in ("SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"):
        alone.hook(alone.payload(event, **response))
    (name,) = alone.spool.waiting()
    note = Path(alone.spool.folder, f"{name}.note")
    told = {"source": "claude-code", "path": str(alone.transcript), "session": SESSION}
    assert json.loads(note.read_bytes()) == told


def test_names_in_any_script_arrive_whole(alone: Agent) -> None:
    path = str(alone.home / 'жук "q" \\ 😀' / f"{SESSION}.jsonl")
    alone.hook({**alone.payload("Stop"), "transcript_path": path})
    (name,) = alone.spool.waiting()
    alone.spool.take(name)
    assert json.loads(alone.spool.read(name))["path"] == path


def test_replayed_hooks_add_nothing(alone: Agent) -> None:
    alone.write(*FIRST, *SECOND)
    for _ in range(2):
        alone.hook(alone.payload("Stop"))
        assert alone.cerver("hook", "drain").returncode == 0
    assert alone.said() == SAID
    assert alone.cerver("hook", "drain").stdout == "0 new entries from 0 transcripts\n"


def test_a_torn_line_waits_for_its_rest(alone: Agent) -> None:
    alone.write(*FIRST, SECOND[0][:40])
    alone.hook(alone.payload("Stop"))
    assert alone.cerver("hook", "drain").stdout == "2 new entries from 1 transcripts\n"
    alone.write(SECOND[0][40:], SECOND[1])
    alone.hook(alone.payload("Stop"))
    assert alone.cerver("hook", "drain").stdout == "2 new entries from 1 transcripts\n"
    assert alone.said() == SAID


def test_sub_agents_come_in_under_their_session(alone: Agent) -> None:
    alone.write(*FIRST)
    child = alone.project / SESSION / "subagents" / "agent-f00.jsonl"
    child.parent.mkdir(parents=True)
    child.write_bytes(line("g1", None, "Count the tests", isSidechain=True, agentId="f00"))
    alone.hook(alone.payload("SubagentStop"))
    for _ in range(2):
        assert alone.cerver("hook", "drain").returncode == 0
        alone.hook(alone.payload("Stop"))
    parents = {record.metadata["source_id"]: record.parent_session_id for record in alone.sessions()}
    ids = {record.metadata["source_id"]: record.session_id for record in alone.sessions()}
    assert parents == {SESSION: None, f"{SESSION}/f00": ids[SESSION]}


def test_while_cerver_is_down_the_notes_stay_and_the_next_command_sees_to_them(agent: Agent) -> None:
    agent.write(*FIRST)
    database = Path(agent.environ["CERVER_HOME"], "cerver.db")
    database.mkdir(parents=True)
    agent.hook(agent.payload("Stop"))
    until(lambda: agent.drainer() is None and Path(agent.spool.folder, "drainer.log").stat().st_size > 0)
    assert len([*agent.spool.waiting(), *agent.spool.taken()]) == 1
    database.rmdir()
    assert agent.cerver("sessions").returncode == 0
    until(lambda: agent.said() == SAID[:2])


def test_the_doctor_tells_of_notes_that_wait(alone: Agent) -> None:
    alone.write(*FIRST)
    alone.hook(alone.payload("Stop"))
    findings = json.loads(alone.cerver("doctor", "--json").stdout)["findings"]
    assert [each["text"] for each in findings if each["about"] == "hooks"] == [
        "1 noted transcript waits to be brought in"
    ]
    assert alone.cerver("hook", "drain").returncode == 0
    findings = json.loads(alone.cerver("doctor", "--json").stdout)["findings"]
    assert [each for each in findings if each["about"] == "hooks"] == []


def test_what_a_killed_drainer_had_taken_is_brought_in_by_the_next(agent: Agent) -> None:
    agent.write(*FIRST)
    home = Path(agent.environ["CERVER_HOME"])
    home.mkdir()
    with (home / "import.lock").open("w") as other:
        # Another import keeps the drainer waiting with the note in its hand.
        fcntl.flock(other, fcntl.LOCK_EX)
        agent.hook(agent.payload("Stop"))
        until(lambda: len(agent.spool.taken()) == 1)
        agent.end_drainer(signal.SIGKILL)
    assert agent.said() == []
    agent.hook({**agent.payload("Stop"), "transcript_path": str(agent.project / "other.jsonl"), "session_id": "other"})
    until(lambda: agent.said() == SAID[:2])


def test_codex_tells_the_end_of_a_turn_in_its_last_argument(alone: Agent) -> None:
    path = alone.home / ".codex" / "sessions" / "2026" / "05" / "04" / f"rollout-2026-05-04T10-00-00-{THREAD}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(rollout("Why is CI red?"))
    told = {"type": "agent-turn-complete", "thread-id": THREAD, "turn-id": "1", "cwd": "/srv/api"}
    done = alone.hook(b"", "codex", json.dumps({**told, "input-messages": ["Why is CI red?"]}))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert alone.cerver("hook", "drain").returncode == 0
    assert alone.said() == ["Why is CI red?"]


def test_hooks_of_codex_name_the_rollout(alone: Agent) -> None:
    path = alone.home / "elsewhere" / f"rollout-2026-05-04T10-00-00-{THREAD}.jsonl"
    path.parent.mkdir()
    path.write_bytes(rollout("Mend it"))
    alone.hook({"session_id": THREAD, "transcript_path": str(path), "hook_event_name": "Stop"}, "codex")
    assert alone.cerver("hook", "drain").returncode == 0
    assert alone.said() == ["Mend it"]


def test_a_hook_without_standard_streams_starts_its_drainer(agent: Agent) -> None:
    path = agent.home / ".codex" / "sessions" / f"rollout-2026-05-04T10-00-00-{THREAD}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(rollout("Mend it"))
    told = json.dumps({"type": "agent-turn-complete", "thread-id": THREAD})
    closed = ["/bin/sh", "-c", 'exec "$0" hook codex "$1" <&- >&- 2>&-', str(CERVER), told]
    assert subprocess.run(closed, env=agent.environ, timeout=60, check=False).returncode == 0
    until(lambda: agent.said() == ["Mend it"])


def test_a_codex_of_another_folder_is_found_there(alone: Agent) -> None:
    path = alone.home / "codex" / "sessions" / f"rollout-2026-05-04T10-00-00-{THREAD}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(rollout("Done."))
    told = json.dumps({"type": "agent-turn-complete", "thread-id": THREAD})
    alone.hook(b"", "codex", told, CODEX_HOME=str(alone.home / "codex"))
    assert alone.cerver("hook", "drain").returncode == 0
    assert alone.said() == ["Done."]


def test_the_hook_loads_nothing_that_takes_time(alone: Agent) -> None:
    probe = "import sys; from cerver_core.cli.main import main; code = main(['hook', 'claude-code'])"
    probe += (
        "; print(sorted({'json', 're', 'typing', 'pathlib', 'argparse', 'subprocess', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; {probe}"],
        input=json.dumps(alone.payload("Stop")),
        env=alone.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert len(alone.spool.waiting()) == 1


@pytest.mark.parametrize(
    "environ", [{"HOME": "/h"}, {"HOME": "/h", "CERVER_HOME": "/c/d"}, {"CERVER_HOME": "e/f"}, {"CERVER_HOME": "~/g"}]
)
def test_the_spool_is_where_the_settings_say(environ: dict[str, str]) -> None:
    assert Spool(environ).folder == str(Settings.from_environ(environ).home / "spool" / "local")


def test_what_killed_hooks_left_half_written_is_swept_away(agent: Agent) -> None:
    agent.spool.put("whole", b"{}")
    for name in (".old.12", ".new.34"):
        Path(agent.spool.folder, name).write_bytes(b"{")
    os.utime(Path(agent.spool.folder, ".old.12"), (1_000, 1_000))
    agent.spool.sweep(2_000)
    assert sorted(path.name for path in Path(agent.spool.folder).iterdir()) == [".new.34", "whole.note"]


def test_what_is_noted_is_its_owner_s_alone(agent: Agent) -> None:
    agent.spool.put("name", b"{}")
    home = Path(agent.environ["CERVER_HOME"])
    paths = (home, *sorted(home.rglob("*")))
    modes = {str(path.relative_to(home)): oct(stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {".": "0o700", "spool": "0o700", "spool/local": "0o700", "spool/local/name.note": "0o600"}


def test_each_account_has_a_spool_of_its_own_that_shows_no_token() -> None:
    folders = [Spool({"CERVER_HOME": "/c", "CERVER_API_TOKEN": f"ck_{n}"}).folder for n in range(2)]
    assert len({*folders, Spool({"CERVER_HOME": "/c"}).folder}) == 3
    assert "ck_" not in "".join(folders)


def _plugin_commands() -> list[tuple[str, str]]:
    hooks = json.loads((ROOT / "skill/hooks/hooks.json").read_text("utf-8"))["hooks"]
    return [(event, hook["command"]) for event, groups in hooks.items() for group in groups for hook in group["hooks"]]


def test_the_plugin_s_hooks_note_where_cerver_is_and_do_nothing_where_it_is_not(alone: Agent, tmp_path: Path) -> None:
    commands = _plugin_commands()
    assert {"SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"} <= {event for event, _ in commands}
    nothing = tmp_path / "empty"
    nothing.mkdir()
    for path, expected in ((str(nothing), 0), (f"{CERVER.parent}{os.pathsep}{nothing}", 1)):
        for event, command in commands[:1] + commands[-1:]:
            told = json.dumps(alone.payload(event)).encode()
            environ = {**alone.environ, "PATH": path}
            done = subprocess.run(["/bin/sh", "-c", command], input=told, env=environ, capture_output=True, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert len(alone.spool.waiting()) == expected
