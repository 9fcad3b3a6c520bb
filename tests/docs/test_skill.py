"""The skill's calls are calls that the server has, and its commands work."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from cerver_core.cli.dispatch import COMMANDS
from tests.architecture.sources import ROOT

_SKILL = (ROOT / "SKILL.md").read_text("utf-8")
_CALL = re.compile(r"^(?P<tool>\w+)\((?P<arguments>\{.*\})\)$")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _SKILL, re.DOTALL)


def _calls() -> list[tuple[str, dict[str, object]]]:
    matches = [_CALL.match(line) for block in _blocks("calls") for line in block.splitlines()]
    assert all(matches)
    return [(match["tool"], json.loads(match["arguments"])) for match in matches if match]


def _tools() -> dict[str, dict[str, JsonValue]]:
    """Read the tools and their argument schemas from what the installed server answers."""
    probe = ROOT / "cerver_mcp" / "snapshot.json"
    found: dict[str, dict[str, JsonValue]] = {}

    def walk(node: JsonValue) -> None:
        if isinstance(node, dict):
            schema = node.get("inputSchema")
            if isinstance(schema, dict):
                found[str(node["name"])] = schema
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.loads(probe.read_text("utf-8")))
    return found


def test_every_call_names_a_tool_and_arguments_that_it_takes() -> None:
    tools = _tools()
    for tool, arguments in _calls():
        schema = tools[tool]
        properties = schema["properties"]
        assert isinstance(properties, dict)
        assert set(arguments) <= set(properties), tool
        required = schema.get("required") or []
        assert isinstance(required, list)
        assert set(required) <= set(arguments), tool


def test_every_tool_is_in_the_skill_and_the_readme_and_nothing_else_is() -> None:
    named = re.compile(r"`(cerver_\w+|secret_fetch)`")
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme[readme.index("## The tools") : readme.index("## Settings")]
    assert set(named.findall(table)) == set(_tools())
    skill_table = _SKILL[_SKILL.index("## Find the tools") : _SKILL.index("## Patterns")]
    assert set(named.findall(skill_table)) == set(_tools())


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh on PATH")
def test_the_commands_of_the_skill_work(tmp_path: Path) -> None:
    (block,) = _blocks("sh")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-euc", block], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "We chose SQLite." in done.stdout
    assert done.stdout.endswith("hello\n")


def test_the_guide_of_the_command_line_names_every_command() -> None:
    guide = (ROOT / "docs/cli.md").read_text("utf-8")
    commands = {name for row in re.findall(r"^\| (`cerver .*?) \|", guide, re.MULTILINE) for name in _words(row)}
    assert commands == set(COMMANDS)


def _words(row: str) -> list[str]:
    return [code.removeprefix("cerver ").split()[0] for code in re.findall(r"`([^`]+)`", row)]
