"""`cerver run`: output as it comes, the exit code passed on, nothing left behind."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import CERVER, Run


def test_it_prints_what_the_code_prints_and_says_the_session(cerver: Run) -> None:
    done = cerver("run", "echo hello; echo aside >&2")
    assert (done.code, done.out) == (0, "hello\n")
    first, second = done.err.splitlines()
    assert first.startswith("session ")
    assert len(first) == len("session ") + 36
    assert second == "aside"


def test_it_passes_the_exit_code_on(cerver: Run) -> None:
    assert cerver("run", "exit 7").code == 7


def test_a_timeout_is_124_and_keeps_what_was_printed(cerver: Run) -> None:
    done = cerver("run", "echo before; sleep 60", "--timeout", "1")
    assert (done.code, done.out) == (124, "before\n")
    assert "cerver: timeout: killed after 1." in done.err


def test_a_session_keeps_its_files_from_run_to_run(cerver: Run) -> None:
    session = cerver("create", "--name", "files").out.strip()
    assert cerver("run", "echo kept > note", "--session", "files").err == ""
    assert cerver("run", "cat note", "--session", session[:8]).out == "kept\n"


def test_python_runs_with_its_own_runtime(cerver: Run) -> None:
    assert cerver("run", "print(6 * 7)", "--runtime", "python").out == "42\n"


def test_the_code_can_come_from_standard_input(installed: Run) -> None:
    done = installed("run", "-", stdin="echo from stdin")
    assert (done.code, done.out) == (0, "from stdin\n")


def test_the_code_gets_no_standard_input_and_the_help_says_so(installed: Run) -> None:
    assert installed("run", "cat; echo end", stdin="data").out == "end\n"
    assert "standard input, which the code itself does not get" in " ".join(installed("run", "--help").out.split())


def test_json_is_the_whole_result_at_the_end(cerver: Run) -> None:
    done = cerver("run", "echo hi; exit 3", "--json")
    result = json.loads(done.out)
    assert done.code == 3
    assert (result["stdout"], result["stderr"], result["exit_code"], result["timed_out"]) == ("hi\n", "", 3, False)
    assert f"session {result['session_id']}\n" == done.err


def test_a_secret_is_there_and_never_shown(cerver: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("DEMO_KEY", "sk-very-secret-0815")
    done = cerver("run", 'test -n "$DEMO_KEY" && echo "it is $DEMO_KEY"', "--secret", "DEMO_KEY")
    assert done.code == 0
    assert done.out.startswith("it is ")
    assert "0815" not in done.out + done.err
    stored = b"".join(path.read_bytes() for path in (home / "cerver").glob("cerver.db*"))
    assert b"sk-very-secret" not in stored


def test_a_missing_secret_runs_nothing_and_is_3(cerver: Run) -> None:
    done = cerver("run", "echo ran", "--secret", "NO_SUCH_NAME")
    assert (done.code, done.out) == (3, "")
    assert "cerver: secret_not_found: " in done.err


def test_other_variables_of_the_user_do_not_reach_the_code(cerver: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_PRIVATE_SETTING", "visible")
    assert cerver("run", "echo ${MY_PRIVATE_SETTING:-absent}").out == "absent\n"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["run", "true", "--session", "nothing-like-it"], 3, "cerver: session_not_found: "),
        (["run", ""], 2, "cerver: invalid_input: code: must not be empty"),
        (["run", "true", "--cwd", "../.."], 2, "cerver: path_escapes_workspace: "),
    ],
)
def test_a_run_that_cannot_be_is_one_line_and_a_code(cerver: Run, args: list[str], code: int, said: str) -> None:
    done = cerver(*args)
    assert (done.code, done.out) == (code, "")
    assert done.err.splitlines()[-1].startswith(said)


def _marked(marker: str) -> list[int]:
    """Find the processes whose command line holds a text."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def _gone(marker: str) -> bool:
    end = time.monotonic() + 10
    while _marked(marker):
        if time.monotonic() > end:
            return False
        os.sched_yield()
    return True


@pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="this machine has no /proc to look for processes in"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process(home: Path, number: signal.Signals) -> None:
    del home
    marker = f"86{os.getpid()}.{int(number)}"  # sleep takes it for a number of seconds
    code = f"setsid sleep {marker} & sleep {marker}1 & echo started; sleep {marker}2"
    with subprocess.Popen([CERVER, "run", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert _gone(marker)


@pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="this machine has no /proc to look for processes in"
)
def test_a_reader_that_goes_away_ends_the_run_quietly(home: Path) -> None:
    del home
    marker = f"87{os.getpid()}"
    code = f"sleep {marker} & while :; do echo line; done"
    with subprocess.Popen([CERVER, "run", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line\n"
        process.stdout.close()
        said = process.stderr.read()
        process.wait(timeout=20)
    assert process.returncode == 141
    assert said.startswith("session ")
    assert said.count("\n") == 1
    assert _gone(marker)


def test_a_run_names_its_provider_and_an_unknown_one_is_told(cerver: Run) -> None:
    assert cerver("run", "--provider", "local", "echo here").out == "here\n"
    refused = cerver("run", "--provider", "nowhere", "echo here")
    assert refused.code == 3
    assert "nowhere" in refused.err
    assert cerver("create", "--provider", "local", "--json").code == 0
