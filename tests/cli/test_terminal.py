"""A person sees colours and fitted tables, a pipe sees neither; readers that go away are no error."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CERVER, Run


def _seen(*args: str, columns: int = 100, **environ: str) -> tuple[int, str]:
    """Run the command on a terminal of its own; give its exit code and what the terminal received."""
    ours, theirs = pty.openpty()
    values = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environ}
    with subprocess.Popen([CERVER, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=values) as process:
        os.close(theirs)
        received = b""
        try:
            while piece := os.read(ours, 65_536):
                received += piece
        except OSError:  # how Linux says that the last writer is gone
            pass
        process.wait(timeout=60)
    os.close(ours)
    return process.returncode, received.decode("utf-8").replace("\r\n", "\n")


@pytest.fixture
def listed(cerver: Run) -> str:
    return cerver("create", "--no-compute", "--name", "a-name", "--task", "word " * 12).out.strip()


def test_a_terminal_gets_colours_and_a_table_that_fits(listed: str) -> None:
    code, text = _seen("sessions")
    assert code == 0
    assert "\x1b[" in text
    assert listed[:8] in text
    assert "a-name" in text


def test_no_color_means_no_colour(listed: str) -> None:
    code, text = _seen("sessions", columns=80, NO_COLOR="1", TERM="dumb")
    assert code == 0
    assert "\x1b[" not in text
    heading, row = text.splitlines()
    assert heading.split() == ["ID", "NAME", "STATUS", "UPDATED", "ENTRIES", "TASK"]
    assert row.split()[:3] == [listed[:8], "a-name", "idle"]
    assert row.rstrip().endswith("…")
    assert max(len(heading), len(row)) <= 80


def test_json_is_indented_for_a_person_and_one_line_for_a_program(listed: str, cerver: Run) -> None:
    code, text = _seen("sessions", "--json")
    assert code == 0
    assert f'\n      "sessionId": "{listed}"' in text
    assert cerver("sessions", "--json").out.count("\n") == 1


def test_a_changed_skill_is_replaced_when_the_person_agrees(home: Path) -> None:
    target = home / ".claude/skills/cerver/SKILL.md"
    target.parent.mkdir(parents=True)
    target.write_text("# my own words\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    with subprocess.Popen([CERVER, "skill", "install"], stdin=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        os.write(ours, b"y\n")
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert out.decode().endswith(f"{target} replaced\n")


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    del home
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([CERVER, "skill", "show"], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
