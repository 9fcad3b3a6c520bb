"""`cerver skill` installs the skill, and never over a changed one unasked."""

from pathlib import Path

import pytest

from cerver_core.cli.skill import packaged_skill
from tests.cli.conftest import Run


def test_it_goes_where_claude_code_looks(cerver: Run, home: Path) -> None:
    target = home / ".claude/skills/cerver/SKILL.md"
    done = cerver("skill", "install")
    assert (done.code, done.out) == (0, f"{target} installed\n")
    assert target.read_text("utf-8") == packaged_skill()
    assert [path.name for path in target.parent.iterdir()] == ["SKILL.md"]


def test_installing_again_changes_nothing(cerver: Run, tmp_path: Path) -> None:
    cerver("skill", "install", "--dir", str(tmp_path / "here"))
    before = (tmp_path / "here/SKILL.md").stat()
    done = cerver("skill", "install", "--dir", str(tmp_path / "here"))
    assert (done.code, done.out) == (0, f"{tmp_path / 'here/SKILL.md'} is up to date\n")
    assert (tmp_path / "here/SKILL.md").stat() == before


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    target = tmp_path / "mine" / "SKILL.md"
    target.parent.mkdir()
    target.write_text("# my own words\n", encoding="utf-8")
    return target


def test_a_changed_skill_is_shown_as_a_diff_and_kept(cerver: Run, changed: Path) -> None:
    done = cerver("skill", "install", "--dir", str(changed.parent))
    assert done.code == 4
    assert "-# my own words\n" in done.out
    assert "+name: cerver\n" in done.out
    assert done.err.startswith("cerver: conflict: ")
    assert "--yes" in done.err
    assert changed.read_text("utf-8") == "# my own words\n"


def test_a_changed_skill_is_replaced_when_told_so(cerver: Run, changed: Path) -> None:
    done = cerver("skill", "install", "--dir", str(changed.parent), "--yes")
    assert done.code == 0
    assert done.out.endswith(f"{changed} replaced\n")
    assert changed.read_text("utf-8") == packaged_skill()


def test_a_folder_that_cannot_be_made_is_a_plain_error(cerver: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = cerver("skill", "install", "--dir", str(tmp_path / "file"))
    assert done.code == 2
    assert done.err == (
        f"cerver: invalid_input: cannot write {tmp_path / 'file'}/SKILL.md: File exists; "
        "choose another folder with --dir\n"
    )


def test_show_prints_the_skill(cerver: Run) -> None:
    assert cerver("skill", "show").out == packaged_skill()
