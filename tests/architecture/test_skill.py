"""The skill is one text in four places, within the limits of those who read it."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

_SOURCE = ROOT / "cerver_mcp" / "skills" / "cerver" / "SKILL.md"


@pytest.mark.parametrize("copy", ["SKILL.md", "skill/SKILL.md", "skill/skills/cerver/SKILL.md"])
def test_every_copy_of_the_skill_is_the_same(copy: str) -> None:
    assert (ROOT / copy).read_bytes() == _SOURCE.read_bytes()


def test_the_installed_package_carries_the_skill() -> None:
    assert (files("cerver_mcp") / "skills/cerver/SKILL.md").read_bytes() == _SOURCE.read_bytes()


def test_the_frontmatter_keeps_to_the_limits() -> None:
    text = _SOURCE.read_text("utf-8")
    match = re.match(r"---\nname: (?P<name>[a-z0-9-]{1,64})\ndescription: (?P<about>[^\n]+)\n---\n", text)
    assert match is not None
    assert match["name"] == _SOURCE.parent.name == "cerver"
    assert 50 <= len(match["about"]) <= 1_024
    assert len(text.splitlines()) <= 150


def test_the_skill_names_both_prefixes_and_the_tool_search() -> None:
    text = _SOURCE.read_text("utf-8")
    for needed in ("mcp__cerver__*", "mcp__plugin_cerver_cerver__*", "ToolSearch"):
        assert needed in text


def _version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_plugin_starts_the_server_and_has_the_version_of_the_package() -> None:
    plugin = json.loads((ROOT / "skill/.claude-plugin/plugin.json").read_text("utf-8"))
    servers = json.loads((ROOT / "skill/.mcp.json").read_text("utf-8"))
    assert (plugin["name"], plugin["version"]) == ("cerver", _version())
    assert servers == {"mcpServers": {"cerver": {"command": "uvx", "args": ["cerver-mcp"]}}}


def test_the_registry_entry_names_the_package_that_names_it_back() -> None:
    entry = json.loads((ROOT / "server.json").read_text("utf-8"))
    assert entry["version"] == entry["packages"][0]["version"] == _version()
    assert entry["packages"][0]["identifier"] == "cerver-mcp"
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text("utf-8")
    assert len(entry["description"]) <= 100


def test_one_version_everywhere() -> None:
    source = (ROOT / "cerver_core/__init__.py").read_text("utf-8")
    assert f'__version__ = "{_version()}"' in source
    assert f"## {_version()}" in Path(ROOT / "CHANGELOG.md").read_text("utf-8")
