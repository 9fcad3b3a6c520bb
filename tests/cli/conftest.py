"""The `cerver` command in a home of its own, inside this process or installed."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cerver_core.cli.main import main

CERVER = Path(sys.executable).with_name("cerver")


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this process an environment of its own: only HOME, CERVER_HOME and PATH are known."""
    for name in os.environ:
        if name.startswith(("CERVER_", "INFISICAL_")) or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CERVER_HOME", str(tmp_path / "cerver"))
    return tmp_path


@pytest.fixture
def cerver(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command inside this process."""
    del home

    def run(*args: str) -> Done:
        capsys.readouterr()
        code = main(args)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def installed(home: Path) -> Run:
    """Run the installed command in a process of its own."""
    del home

    def run(*args: str, stdin: str = "") -> Done:
        done = subprocess.run(
            [CERVER, *args], input=stdin, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8"
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run
