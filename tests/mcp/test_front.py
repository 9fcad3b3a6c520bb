"""The first answers come before the server is there, and nothing but the protocol is ever on stdout."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cerver_core import plugins
from cerver_mcp.lines import LineBuffer, Oversized
from cerver_mcp.preflight import SECRET_BACKENDS, problem_with
from tests.mcp.conftest import COMMAND, HELLO, MODERN, WAIT_S, Pipe

Start = Callable[..., Pipe]

GATE = """
import os, sys, time

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name == "mcp":
            print("noise from an import", flush=True)
            os.write(1, b"raw noise\\n")
            deadline = time.monotonic() + 60
            while not os.path.exists(os.environ["GATE"]) and time.monotonic() < deadline:
                time.sleep(0.01)
        return None

sys.meta_path.insert(0, Gate())
"""
LIST_CALL: Mapping[str, Any] = {"name": "cerver_session_list", "arguments": {}}


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Make imports of the SDK wait for a file, and make noise on stdout; the file is given."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(GATE)
    return tmp_path / "open"


def gated(start: Start, gate: Path) -> Pipe:
    return start(PYTHONPATH=str(gate.parent / "site"), GATE=str(gate))


def test_the_handshake_and_the_lists_are_answered_before_the_sdk_is_loaded(start: Start, gate: Path) -> None:
    pipe = gated(start, gate)
    assert pipe.handshake()["result"]["serverInfo"]["name"] == "cerver"
    assert len(pipe.ask(2, "tools/list")["result"]["tools"]) == 12
    assert pipe.ask(3, "prompts/list")["result"]["prompts"][0]["name"] == "recall"
    assert pipe.ask(4, "ping")["result"] == {}
    pipe.send({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": LIST_CALL})
    assert pipe.ask(6, "tools/list")["id"] == 6, "the call waits, the list does not"
    gate.touch()
    reply = pipe.next()
    assert reply["id"] == 5, "the handshake is not answered twice"
    assert reply["result"]["content"] == [{"type": "text", "text": "No sessions match."}]
    assert "noise from an import" in pipe.stderr()
    assert "raw noise" in pipe.stderr()


def test_the_stateless_era_is_answered_before_the_sdk_is_loaded(start: Start, gate: Path) -> None:
    pipe = gated(start, gate)
    assert pipe.ask("probe", "server/discover", MODERN)["result"]["supportedVersions"] == ["2026-07-28"]
    assert len(pipe.ask(2, "tools/list", MODERN)["result"]["tools"]) == 12
    gate.touch()
    reply = pipe.ask(3, "tools/call", {**MODERN, **LIST_CALL})
    assert reply["result"]["content"] == [{"type": "text", "text": "No sessions match."}]
    assert reply["result"]["resultType"] == "complete"


def test_a_client_that_gave_up_on_discover_gets_its_handshake(start: Start, gate: Path) -> None:
    pipe = gated(start, gate)
    pipe.send({"jsonrpc": "2.0", "id": "probe", "method": "server/discover", "params": dict(MODERN)})
    pipe.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": dict(HELLO)})
    pipe.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert pipe.next()["id"] == "probe"
    assert pipe.next()["result"]["protocolVersion"] == "2025-11-25"
    gate.touch()
    assert pipe.ask(2, "tools/call", LIST_CALL)["result"]["isError"] is False


@pytest.mark.parametrize("loaded", [False, True], ids=["before the server", "after"])
def test_what_is_no_message_gets_an_error_and_the_server_stays(start: Start, gate: Path, loaded: bool) -> None:
    pipe = gated(start, gate)
    pipe.handshake()
    if loaded:
        gate.touch()
        assert pipe.ask(1, "tools/call", LIST_CALL)["id"] == 1
    bad: Mapping[bytes, int] = {
        b"garbage": -32700,
        b"\xff\xfe": -32700,
        b"[" * 100_000: -32700,
        b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]': -32600,
        b"7": -32600,
        b'{"jsonrpc": "2.0", "id": 9, "method": 5}': -32600,
        b'{"id": 9, "method": "ping"}': -32600,
    }
    for line, code in bad.items():
        pipe.send(line)
        assert pipe.next()["error"]["code"] == code, line[:40]
    pipe.send(b"   ")
    assert pipe.ask(2, "ping")["result"] == {}


def test_a_handshake_of_many_lines_at_once_is_answered_in_order(start: Start) -> None:
    pipe = start()
    lines: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": dict(HELLO)},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": LIST_CALL},
    ]
    pipe.send(b"\n".join(json.dumps(line).encode() for line in lines))
    assert [pipe.next()["id"] for _ in range(3)] == [1, 2, 3]


def test_a_server_that_cannot_be_loaded_says_so_and_ends(start: Start, tmp_path: Path) -> None:
    (tmp_path / "site" / "mcp").mkdir(parents=True)
    (tmp_path / "site" / "mcp" / "__init__.py").write_text("raise ImportError('broken on purpose')")
    pipe = start(PYTHONPATH=str(tmp_path / "site"))
    assert pipe.process.wait(WAIT_S) == 1
    assert "the server cannot be loaded; reinstall it" in pipe.stderr()
    assert "broken on purpose" in pipe.stderr()


def test_python_m_is_the_same_command_and_a_bare_environment_is_enough(start: Start) -> None:
    pipe = start([sys.executable, "-m", "cerver_mcp"], LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    pipe.handshake()
    made = pipe.ask(1, "tools/call", {"name": "cerver_session_create", "arguments": {"session_name": "Größe ≥ 1 🙂"}})
    assert made["result"]["structuredContent"]["session_name"] == "Größe ≥ 1 🙂"
    listed = pipe.ask(2, "tools/call", LIST_CALL)["result"]["content"][0]["text"]
    assert '"Größe ≥ 1 🙂"' in listed


def test_the_front_loads_the_standard_library_alone_and_little_of_it() -> None:
    probe = "import sys; before = set(sys.modules); import cerver_mcp.front; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.split(".")[0] == "cerver_mcp"}
    foreign = {name.split(".")[0] for name in loaded} - {"cerver_mcp"}
    assert ours == {f"cerver_mcp{part}" for part in ("", ".front", ".handover", ".lines", ".preflight", ".watchdog")}
    assert foreign <= sys.stdlib_module_names
    assert not foreign & {"typing", "pathlib", "dataclasses", "asyncio", "logging", "traceback", "inspect"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"CERVER_SECRETS_BACKEND": "vaultx"}, "CERVER_SECRETS_BACKEND is 'vaultx'; it must be one of: env, infisical"),
        ({"CERVER_SECRETS_BACKEND": "infisical"}, "INFISICAL_TOKEN"),
        ({"CERVER_SECRETS_BACKEND": "infisical", "INFISICAL_TOKEN": "st.a.b"}, "INFISICAL_PROJECT_ID"),
        ({"CERVER_DURABILITY": "sometimes"}, "CERVER_DURABILITY must be one of full, relaxed"),
        ({"CERVER_ISOLATION": "vm"}, "CERVER_ISOLATION must be one of process, confined, sandbox"),
        ({"CERVER_GATEWAY_URL": "ftp://x"}, "CERVER_GATEWAY_URL must start with https:// or http://"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_2_and_one_clear_line(
    environ: dict[str, str], variables: dict[str, str], message: str
) -> None:
    done = subprocess.run(
        [COMMAND], env={**environ, **variables}, input=b"", capture_output=True, check=False, timeout=WAIT_S
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


def test_an_argument_is_answered_with_what_the_command_is() -> None:
    done = subprocess.run([COMMAND, "--help"], input=b"", capture_output=True, check=False, timeout=WAIT_S)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"claude mcp add cerver -- uvx cerver-mcp" in done.stderr


def test_settings_that_work_are_no_problem() -> None:
    assert problem_with({}) is None
    assert problem_with({"CERVER_SECRETS_BACKEND": "", "CERVER_DURABILITY": ""}) is None
    assert problem_with({"CERVER_DURABILITY": "relaxed", "CERVER_ISOLATION": "process"}) is None
    token = {"INFISICAL_TOKEN": "st.a.b.c", "INFISICAL_PROJECT_ID": "p"}
    assert problem_with({"CERVER_SECRETS_BACKEND": "infisical", **token}) is None


def test_the_front_knows_the_secret_backends_there_are() -> None:
    assert list(SECRET_BACKENDS) == list(plugins.SECRET_BACKENDS)


def test_a_line_too_long_is_dropped_whole_and_the_next_one_is_read() -> None:
    buffer = LineBuffer(max_line_bytes=8)
    lines = [*buffer.feed(b"12345"), *buffer.feed(b"6789"), *buffer.feed(b"abc\nok\npart")]
    assert [line if isinstance(line, bytes) else type(line) for line in lines] == [Oversized, b"ok"]
    assert buffer.rest() == b"part"


def test_a_closed_stdin_is_told() -> None:
    closed = ["sh", "-c", f'"{COMMAND}" <&-']
    done = subprocess.run(closed, capture_output=True, check=False, timeout=WAIT_S)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"stdin, stdout and stderr must be open" in done.stderr
