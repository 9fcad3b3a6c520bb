"""The real Claude Code with our plugin, against a stand-in for the model; for those who name its program.

CERVER_TEST_CLAUDE_CODE=/path/to/claude uv run pytest tests/remembering/test_real_claude_code.py
"""

import os
import subprocess

import pytest

from tests.architecture.sources import ROOT
from tests.remembering.conftest import CERVER, SESSION, Agent, until
from tests.remembering.messages_api import ANSWER, messages_api

PROGRAM = os.environ.get("CERVER_TEST_CLAUDE_CODE", "")

pytestmark = pytest.mark.skipif(not PROGRAM, reason="CERVER_TEST_CLAUDE_CODE names no Claude Code to run")


def ask(agent: Agent, address: str, prompt: str, session: str, **environ: str) -> None:
    place = agent.home / "work"
    place.mkdir(exist_ok=True)
    command = [
        PROGRAM,
        "-p",
        prompt,
        "--plugin-dir",
        str(ROOT / "skill"),
        "--session-id",
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
