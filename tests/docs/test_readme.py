"""The README's commands and snippets do what a reader is told."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.docs.snippets import snippets

README = ROOT / "README.md"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CERVER_", "INFISICAL_"))}
    return {**kept, "CERVER_HOME": str(tmp_path / "cerver"), "UV_NO_SYNC": "1"}


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv, which the README's commands use, is not on PATH")
def test_the_commands_to_run_work_as_they_stand(environ: dict[str, str]) -> None:
    blocks = [snippet.text for snippet in snippets(README) if snippet.mark == "run"]
    assert len(blocks) == 2
    done = subprocess.run(
        ["sh", "-euc", "".join(blocks)], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("hello\n")
    assert "We chose SQLite." in done.stdout
    assert done.stdout.endswith("everything asked for works\n")


def test_the_python_snippets_print_what_their_comments_say(environ: dict[str, str]) -> None:
    blocks = [snippet.text for snippet in snippets(README) if snippet.mark == "python"]
    assert len(blocks) == 1
    for block in blocks:
        said = [line.removeprefix("# ") for line in block.splitlines() if line.startswith("# ")]
        done = subprocess.run(
            [sys.executable, "-c", block], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout.splitlines() == said, done.stderr


def test_ci_runs_the_readme_s_test_command() -> None:
    (block,) = [snippet.text for snippet in snippets(README) if snippet.mark == "ci"]
    assert block == "uv run pytest -n auto\n"
    assert f"check tests {block}" in (ROOT / ".ci/run").read_text("utf-8")
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_every_config_block_parses() -> None:
    text = README.read_text("utf-8")
    blocks = re.findall(r"```(json|toml)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    for language, block in blocks:
        parsed = json.loads(block) if language == "json" else tomllib.loads(block)
        assert parsed


def test_every_link_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "skill").glob("*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text("utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_every_setting_that_the_code_reads_is_in_the_table() -> None:
    documented = set(re.findall(r"`((?:CERVER|INFISICAL)_[A-Z_]+)`", README.read_text("utf-8")))
    read = {
        name
        for package in ("cerver_core", "cerver_mcp")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"""(?:get\(|\[|values, )"((?:CERVER|INFISICAL)_[A-Z_]+)\"""", path.read_text("utf-8"))
    }
    assert {"CERVER_HOME", "CERVER_ISOLATION"} <= read
    assert read - documented == set()
