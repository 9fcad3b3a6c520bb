"""The command redact, as a person uses it after a leak."""

import json

import pytest

from tests.cli.conftest import Run

_KEY = "ghp_" + "x7Rk2mQ9vL4wT8nB3cY6zH1jF5dG0sPaEuKo"


@pytest.fixture
def leaked(cerver: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    """A session into which two secrets were written while nobody looked."""
    monkeypatch.setenv("CERVER_REDACT", "off")
    session = cerver("create", "--no-compute", "--name", "leak").out.strip()
    cerver("append", "leak", f"the key is {_KEY}")
    cerver("append", "leak", "the word is correct-horse-battery")
    monkeypatch.delenv("CERVER_REDACT")
    return session


def test_a_dry_run_says_what_would_go_and_the_run_takes_it_out(cerver: Run, leaked: str) -> None:
    dry = cerver("redact", "leak", "--detected", "--dry-run")
    assert (dry.code, dry.out) == (0, f"{leaked}  #1\n      1 github-pat\n")
    assert dry.err == "1 of 2 entries would be changed, in 1 of 1 sessions\n"
    assert _KEY in cerver("export", "leak").out
    assert cerver("redact", "leak", "--detected").err == "1 of 2 entries changed, in 1 of 1 sessions\n"
    assert "the key is [redacted:github-pat]" in cerver("export", "leak").out


def test_to_take_out_nothing_is_answered_with_the_flags_there_are(cerver: Run, leaked: str) -> None:
    done = cerver("redact", leaked)
    assert (done.code, done.out) == (2, "")
    expected = "say what to take out: --detected, --secret NAME or --text-from-stdin"
    assert done.err == f"cerver: invalid_input: {expected}\n"


def test_a_text_comes_by_standard_input(installed: Run, leaked: str) -> None:
    done = installed("redact", leaked, "--text-from-stdin", "--json", stdin="correct-horse-battery\n")
    assert json.loads(done.out)["sessions"] == [{"session_id": leaked, "seqs": [2], "fields": [], "kinds": {"text": 1}}]
    assert "correct-horse" not in done.out + done.err


def test_a_secret_goes_by_its_name(cerver: Run, leaked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED_WORD", "correct-horse-battery")
    assert cerver("redact", "--all", "--secret", "LEAKED_WORD").out == f"{leaked}  #2\n      1 text\n"
    assert "the word is [redacted:text]" in cerver("export", leaked).out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--detected",), "name one session, or say --all"),
        (("leak", "--all", "--detected"), "name one session, or say --all"),
        (("leak",), "say what to take out"),
    ],
)
def test_what_is_not_clear_changes_nothing(cerver: Run, leaked: str, arguments: tuple[str, ...], reason: str) -> None:
    done = cerver("redact", *arguments)
    assert done.code != 0
    assert reason in done.err
    assert _KEY in cerver("export", leaked).out
