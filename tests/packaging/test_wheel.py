"""The wheel and the source distribution carry what an installed Cerver needs."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

_DATA = ("*.sql", "SKILL.md", "snapshot.json", "py.typed")


def _wanted() -> set[str]:
    """List the data files beside the code, as the wheel names them."""
    return {
        str(path.relative_to(ROOT))
        for package in ("cerver_core", "cerver_mcp")
        for pattern in (*_DATA, "*.py")
        for path in (ROOT / package).rglob(pattern)
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions from a copy, so that the build's own files stay out of the repository."""
    if shutil.which("uv") is None:
        pytest.skip("uv, which builds the distributions, is not on PATH")
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "results", "dist", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=ignored)
    command = ["uv", "build", "--sdist", "--wheel", "--out-dir", str(folder / "dist"), str(copy)]
    done = _tried([*command, "--offline"])
    if done.returncode != 0:
        done = _tried(command)
    assert done.returncode == 0, done.stderr
    return folder / "dist"


def _tried(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_the_wheel_carries_the_code_and_its_data(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert _wanted() - names == set()
    assert "cerver_mcp/skills/cerver/SKILL.md" in names
    assert any(name.endswith(".sql") for name in names)
    assert [name for name in names if name.startswith(("tests/", "benchmarks/", "examples/"))] == []


def test_the_source_distribution_carries_what_it_takes_to_test_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    needed = {"README.md", "SKILL.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "uv.lock", "skill/.mcp.json"}
    needed |= {"skill/.claude-plugin/plugin.json", "server.json", ".importlinter", "docs/cli.md", "tests/conftest.py"}
    assert (_wanted() | needed) - names == set()


def test_an_installed_copy_finds_its_skill(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    probe = "from cerver_core.cli import main, skill; print(main.__file__); print(skill.packaged_skill(), end='')"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, env=environ, capture_output=True, timeout=60, check=True
    )
    where, text = done.stdout.split(b"\n", 1)
    assert Path(where.decode()).is_relative_to(tmp_path / "site")
    assert text == (ROOT / "SKILL.md").read_bytes()


def test_both_commands_are_declared(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    lines = archive.read(name).decode().splitlines()
    assert lines == [
        "[console_scripts]",
        "cerver = cerver_core.cli.main:main",
        "cerver-mcp = cerver_mcp.front:main",
        "",
        "[cerver.mounts]",
        "mcp = cerver_mcp.http:McpOverHttp",
    ]
