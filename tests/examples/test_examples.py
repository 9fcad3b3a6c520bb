"""Each example runs as a program of its own and prints what its reader expects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

_EXPECTED = {
    "remember": "1 added, 2 in all\n1 user: Which database shall we use?\n2 assistant: SQLite, one file is enough.\n",
    "run_code": "stdout: working\nexit code 0\nthe answer is 42\n",
    "use_a_secret": "length 14\nvalue [secret:DEMO_TOKEN]\n",
    "delegate": "counter: Count to three\n  1 user text\n  2 assistant tool_use\n  3 tool tool_result\n",
    "claude_agent_sdk_store": "the same line back: True\nUse **pgbouncer** from now on.\n",
    "over_mcp": "12 tools\nhello from a tool\nlisted\n",
}


@pytest.mark.parametrize("name", _EXPECTED)
def test_an_example_prints_what_it_promises(name: str, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CERVER_HOME": str(tmp_path / "cerver")}
    program = [sys.executable, str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(program, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == _EXPECTED[name], done.stderr
    assert done.returncode == 0


def test_every_example_is_tested() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(_EXPECTED)
