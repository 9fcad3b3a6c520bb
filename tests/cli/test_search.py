"""`cerver search`: finding what was said."""

import json
from pathlib import Path

import pytest

from cerver_core.cli.main import main


@pytest.fixture(name="talks")
def two_talks(home: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    for name, said in (("storage", "We chose SQLite over Postgres."), ("lunch", "Soup, again.")):
        assert main(["create", "--no-compute", "--name", name]) == 0
        assert main(["append", name, "--role", "assistant", said]) == 0
    capsys.readouterr()
    return home


def test_a_search_shows_the_session_the_place_and_what_to_read_next(
    talks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "which database was chosen: sqlite?"]) == 0
    told = capsys.readouterr().out
    assert '"storage"' in told
    assert "#1 assistant" in told
    assert "**SQLite**" in told
    assert "lunch" not in told
    assert "cerver_session" not in told
    assert main(told.split("[read on: cerver ")[1].split("]")[0].split()) == 0
    assert "We chose SQLite over Postgres." in capsys.readouterr().out


def test_the_next_page_of_a_search_can_be_typed(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "sqlite soup", "--limit", "1"]) == 0
    told = capsys.readouterr().out
    cursor = told.split("next page: the same with --cursor ")[1].split("]")[0]
    assert main(["search", "sqlite soup", "--limit", "1", "--cursor", cursor]) == 0
    assert "Found 1 session" in capsys.readouterr().out


def test_a_search_in_json_names_session_and_seq(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "soup", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert [(one["session_name"], one["snippets"][0]["seq"]) for one in page["sessions"]] == [("lunch", 1)]


def test_nothing_found_is_exit_code_3(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "zebra"]) == 3
    assert capsys.readouterr().out.startswith("Nothing found")


def test_a_date_nobody_understands_is_refused(talks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "soup", "--since", "the day the music died"]) == 2
    assert "since" in capsys.readouterr().err
