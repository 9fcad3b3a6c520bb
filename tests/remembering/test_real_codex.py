"""The real Codex with our command as its notify program and its hooks; for those who name its program.

CERVER_TEST_CODEX=/path/to/codex uv run pytest tests/remembering/test_real_codex.py
"""

import json
import os
import subprocess

import pytest

from tests.remembering.conftest import CERVER, Agent, until
from tests.remembering.messages_api import ANSWER, messages_api

PROGRAM = os.environ.get("CERVER_TEST_CODEX", "")

pytestmark = pytest.mark.skipif(not PROGRAM, reason="CERVER_TEST_CODEX names no Codex to run")


def configure(agent: Agent, address: str, *, by_hooks: bool) -> None:
    place = agent.home / ".codex"
    place.mkdir()
    (agent.home / "work").mkdir()
    notify = "" if by_hooks else f"notify = {json.dumps([str(CERVER), 'hook', 'codex'])}\n"
    model = f'base_url = "{address}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
    config = f'{notify}model = "gpt-5"\nmodel_provider = "x"\n[model_providers.x]\nname = "x"\n{model}'
    (place / "config.toml").write_text(config, encoding="utf-8")
    if by_hooks:
        hook = [{"hooks": [{"type": "command", "command": f"{CERVER} hook codex"}]}]
        (place / "hooks.json").write_text(json.dumps({"hooks": {"SessionStart": hook, "Stop": hook}}), encoding="utf-8")


@pytest.mark.parametrize("by_hooks", [False, True], ids=["notify", "hooks"])
def test_its_turns_come_in(agent: Agent, by_hooks: bool) -> None:
    with messages_api() as (address, _):
        configure(agent, address, by_hooks=by_hooks)
        trust = ["--dangerously-bypass-hook-trust"] if by_hooks else []
        done = subprocess.run(
            [PROGRAM, "exec", "--skip-git-repo-check", *trust, "Why is CI red?"],
            env={**agent.environ, "OPENAI_API_KEY": "sk-test", "NO_PROXY": "127.0.0.1"},
            cwd=agent.home / "work",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, ANSWER), done.stderr
    until(lambda: agent.said()[-2:] == ["Why is CI red?", ANSWER])
