"""However the client goes, the server goes too, and with it everything a call had started."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.conftest import COMMAND, HELLO, WAIT_S, Pipe

Start = Callable[..., Pipe]

# A parent that starts the server on its own stdin and stdout, tells its pid, and waits.
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:])
print("pid", child.pid, file=sys.stderr, flush=True)
child.wait()
"""


def eventually(condition: Callable[[], Any], what: str) -> None:
    """Wait, within bounds, until something holds."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def processes_with(marker: str) -> list[int]:
    """Find the processes whose command line holds a word."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in words:
                found.append(int(entry.name))
    return found


def run_a_daemon(pipe: Pipe) -> str:
    """Begin a call that forks a detached process and then goes on for ever; give what marks its processes."""
    marker = str(uuid.uuid4().int)[:12]
    pipe.handshake()
    code = f"setsid nohup sleep 3{marker} >/dev/null 2>&1 & (trap '' TERM INT; sleep 4{marker}); sleep 5{marker}"
    params = {"name": "cerver_run", "arguments": {"code": code}}
    pipe.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    eventually(lambda: len(processes_with(marker)) >= 2, "the call did not start")
    return marker


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@linux_only
@pytest.mark.parametrize("ending", ["eof", "SIGINT", "SIGTERM", "SIGKILL"])
def test_a_call_in_flight_leaves_nothing_behind(start: Start, ending: str) -> None:
    pipe = start()
    marker = run_a_daemon(pipe)
    if ending == "eof":
        pipe.close_stdin()
    else:
        pipe.process.send_signal(getattr(signal, ending))
    wanted = {"eof": 0, "SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9}
    assert pipe.process.wait(WAIT_S) == wanted[ending]
    eventually(lambda: not processes_with(marker), "a process of the call is still there")


@linux_only
def test_the_death_of_the_parent_ends_the_server_though_the_pipe_stays_open(start: Start) -> None:
    pipe = start([sys.executable, "-c", PARENT, COMMAND])
    eventually(lambda: "pid " in pipe.stderr(), "the parent did not start")
    server = int(pipe.stderr().split()[1])
    marker = run_a_daemon(pipe)
    pipe.process.kill()
    pipe.process.wait(WAIT_S)
    assert pipe.process.stdin
    assert not pipe.process.stdin.closed
    eventually(lambda: not Path(f"/proc/{server}/exe").exists(), "the server outlived its parent")
    eventually(lambda: not processes_with(marker), "a process of the call is still there")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_before_the_server_is_loaded(start: Start, tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "site" / "mcp").mkdir(parents=True)
    (tmp_path / "site" / "mcp" / "__init__.py").write_text("import time; time.sleep(600)")
    pipe = start(PYTHONPATH=str(tmp_path / "site"))
    pipe.handshake()
    pipe.process.send_signal(number)
    assert pipe.process.wait(WAIT_S) == code


def test_a_client_that_leaves_at_once_ends_it(start: Start) -> None:
    pipe = start()
    pipe.handshake()
    pipe.close_stdin()
    assert pipe.process.wait(WAIT_S) == 0


def test_an_input_from_a_file_is_read_to_its_end(environ: dict[str, str], tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.write_bytes(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    with requests.open("rb") as stdin:
        done = subprocess.run([COMMAND], stdin=stdin, env=environ, capture_output=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0


def test_a_client_that_sends_and_never_reads_does_not_stop_a_signal(environ: dict[str, str]) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": dict(HELLO)}
    with subprocess.Popen(
        [COMMAND], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(hello).encode() + b"\n")
        server.stdin.flush()
        assert server.stdout.readline().startswith(b'{"jsonrpc":"2.0","id":1,')
        server.stdin.write(b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n' * 100)
        server.stdin.flush()
        server.send_signal(signal.SIGTERM)
        assert server.wait(WAIT_S) == 143
