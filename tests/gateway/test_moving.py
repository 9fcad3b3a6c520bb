"""`cerver push` and `cerver pull`: a user's own sessions to a gateway that runs, and back to another machine."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.gateway.processes import CERVER, Served, environment, serving


def _cerver(home: Path, *arguments: str, of: Served | None = None) -> subprocess.CompletedProcess[str]:
    remote = {"CERVER_GATEWAY_URL": of.url, "CERVER_API_TOKEN": of.token} if of else {}
    return subprocess.run(
        [CERVER, *arguments],
        env=environment(home, **remote),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(name="laptop")
def a_user_with_sessions(tmp_path: Path) -> Path:
    home = tmp_path / "laptop"
    home.mkdir()
    for name, said in (("storage", "We chose SQLite."), ("lunch", "Soup, again.")):
        assert _cerver(home, "create", "--no-compute", "--name", name).returncode == 0
        assert _cerver(home, "append", name, said).returncode == 0
    return home


def test_sessions_are_pushed_once_and_pulled_by_another_machine(tmp_path: Path, laptop: Path) -> None:
    server, other = tmp_path / "server", tmp_path / "other"
    server.mkdir()
    other.mkdir()
    with serving(server) as gateway:
        assert json.loads(_cerver(laptop, "push", "--json", of=gateway).stdout) == {
            "sessions": 2,
            "new": 2,
            "grown": 0,
            "same": 0,
            "differs": 0,
            "entries_added": 2,
            "differing": [],
        }
        assert json.loads(_cerver(laptop, "push", "--json", of=gateway).stdout)["same"] == 2
        assert "storage" in _cerver(other, "sessions", of=gateway).stdout
        pulled = _cerver(other, "pull", of=gateway)
        assert pulled.stdout == "2 sessions new, 0 grown, 0 unchanged; 2 entries\n"
    assert "**SQLite**" in _cerver(other, "search", "sqlite").stdout


def test_without_a_key_push_says_what_to_set(laptop: Path) -> None:
    done = _cerver(laptop, "push")
    assert done.returncode != 0
    assert "CERVER_API_TOKEN" in done.stderr


def test_a_session_that_went_on_in_both_places_is_named_and_left(tmp_path: Path, laptop: Path) -> None:
    server = tmp_path / "server"
    server.mkdir()
    with serving(server) as gateway:
        _cerver(laptop, "push", of=gateway)
        assert _cerver(laptop, "append", "lunch", "Theirs.", of=gateway).returncode == 0
        assert _cerver(laptop, "append", "lunch", "Ours.").returncode == 0
        pushed = _cerver(laptop, "push", of=gateway)
    assert pushed.returncode == 4
    assert "went on in both places" in pushed.stderr
