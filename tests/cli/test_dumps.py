"""What `cerver admin dump` and `restore` refuse, and how; tests/hosting has what they do."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_what_cannot_be_is_said_in_one_line(cerver: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "file"
    file.write_bytes(b"mine")
    for args, code, told in (
        (("dump",), 2, "say which file"),
        (("dump", str(file)), 4, "is there already"),
        (("dump", str(home / "no" / "folder")), 2, "cannot write"),
        (("dump", str(file / "below")), 2, "cannot write"),
        (("dump", "-", "--json"), 2, "without --json"),
        (("restore", str(home / "none")), 3, "cannot read"),
        (("restore", str(home)), 3, "cannot read"),
        (("restore", str(file)), 2, "no dump of Cerver"),
    ):
        done = cerver("admin", *args)
        assert (done.code, done.out, done.err.count("\n"), told in done.err) == (code, "", 1, True), done
    assert file.read_bytes() == b"mine"
    monkeypatch.setenv("CERVER_API_TOKEN", "ck_1")
    remote = cerver("admin", "dump", str(home / "new"))
    assert (remote.code, "unset CERVER_API_TOKEN" in remote.err) == (1, True)
    assert sorted(path.name for path in home.iterdir()) == ["cerver", "file"]
