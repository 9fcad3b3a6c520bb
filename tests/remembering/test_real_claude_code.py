"""The real Claude Code with our plugin, against a stand-in for the model; for those who name its program.

CERVER_TEST_CLAUDE_CODE=/path/to/claude uv run pytest tests/remembering/test_real_claude_code.py
"""

import json
import os
import subprocess

import anyio
import pytest

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.render.claude_code import claude_code_project
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries
from tests.architecture.sources import ROOT
from tests.remembering.conftest import CERVER, SESSION, Agent, until
from tests.remembering.messages_api import ANSWER, messages_api

PROGRAM = os.environ.get("CERVER_TEST_CLAUDE_CODE", "")

pytestmark = pytest.mark.skipif(not PROGRAM, reason="CERVER_TEST_CLAUDE_CODE names no Claude Code to run")


def ask(agent: Agent, address: str, prompt: str, session: str, *, how: str = "--session-id", **environ: str) -> None:
    place = agent.home / "work"
    place.mkdir(exist_ok=True)
    command = [
        PROGRAM,
        "-p",
        prompt,
        "--plugin-dir",
        str(ROOT / "skill"),
        how,
        session,
        "--strict-mcp-config",
    ]
    quiet = {"DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    model = {"ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": "sk-ant-test", "CLAUDE_CODE_MAX_RETRIES": "1"}
    path = {"PATH": f"{CERVER.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        env={**agent.environ, **quiet, **model, **path, **environ},
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ANSWER), done.stderr


def spoken(agent: Agent, session: str) -> list[str]:
    return [
        said
        for record in agent.sessions()
        if record.metadata.get("source_id") == session
        for said in agent.said(record.session_id)
        if said in {"Why is CI red?", ANSWER}
    ]


def test_its_turns_come_in_and_the_next_session_is_shown_them(agent: Agent) -> None:
    with messages_api() as (address, prompts):
        ask(agent, address, "Why is CI red?", SESSION)
        until(lambda: spoken(agent, SESSION) == ["Why is CI red?", ANSWER])
        assert "Cerver remembers earlier sessions" not in "".join(prompts)
        ask(agent, address, "Go on", SESSION.replace("4a1e", "5b2f"), CERVER_DIGEST="on")
        (shown,) = {prompt for prompt in prompts if "Cerver remembers earlier sessions" in prompt}
        assert "Why is CI red?" in shown


CALL: dict[str, object] = {
    "role": "assistant",
    "kind": "tool_use",
    "tool_id": "t 1",
    "tool_name": "Bash",
    "tool_input": {"command": "ls"},
}
RESULT: dict[str, object] = {"role": "tool", "kind": "tool_result", "tool_id": "t 1", "content": "quince.py"}
KEPT: list[dict[str, object]] = [
    {"role": "user", "content": "What is in the pantry?"},
    {"role": "assistant", "kind": "thinking", "content": "hm"},
    {"role": "assistant", "content": "Let me look."},
    CALL,
    RESULT,
    {"role": "system", "kind": "event", "content": "a note for a person"},
    {"role": "assistant", "content": "A quince."},
]


async def kept(agent: Agent, entries: list[dict[str, object]]) -> str:
    async with connect(Settings.from_environ(agent.environ)) as cerver:
        working_dir = str(agent.home / "work")
        made = await cerver.sessions.create(
            CreateSession(session_name="pantry", compute=None, metadata={"working_dir": working_dir})
        )
        await cerver.transcripts.append(made.session_id, AppendEntries.model_validate({"entries": entries}))
        return made.session_id


def exported(agent: Agent, session_id: str) -> None:
    folder = agent.home / ".claude" / "projects" / claude_code_project(str(agent.home / "work"))
    folder.mkdir(parents=True)
    path = folder / f"{session_id}.jsonl"
    done = agent.cerver("export", session_id, "--format", "claude-code", "--output", str(path))
    assert done.returncode == 0, done.stderr
    assert str(folder.name) in done.stderr


def test_an_exported_session_is_resumed_and_the_model_is_given_what_was_said(agent: Agent) -> None:
    session_id = anyio.run(kept, agent, KEPT)
    exported(agent, session_id)
    with messages_api() as (address, prompts):
        ask(agent, address, "Go on", session_id, how="--resume")
        (told,) = [json.loads(prompt) for prompt in prompts if "Go on" in prompt and "pantry" in prompt]
    said = json.dumps(told["messages"])
    for words in ("What is in the pantry?", "Let me look.", '"name": "Bash"', "quince.py", "A quince."):
        assert words in said
    assert "a note for a person" not in said


def test_a_session_with_a_summary_is_resumed_from_the_summary_on(agent: Agent) -> None:
    summary: dict[str, object] = {"role": "system", "kind": "summary", "content": "They looked for a quince."}
    pear: dict[str, object] = {"role": "user", "content": "And a pear?"}
    session_id = anyio.run(kept, agent, [*KEPT, summary, pear])
    exported(agent, session_id)
    with messages_api() as (address, prompts):
        ask(agent, address, "Go on", session_id, how="--resume")
        (told,) = [json.loads(prompt) for prompt in prompts if "Go on" in prompt and "pear" in prompt]
    said = json.dumps(told["messages"])
    assert "They looked for a quince." in said
    assert "And a pear?" in said
    assert "What is in the pantry?" not in said
