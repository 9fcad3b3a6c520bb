"""`cerver mcp` is the MCP server."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CERVER


@pytest.mark.parametrize("command", [[CERVER, "mcp"], [CERVER.with_name("cerver-mcp")]], ids=["cerver", "cerver-mcp"])
def test_only_the_protocol_is_on_standard_output_and_the_end_of_input_ends_it(
    home: Path, command: list[str | Path]
) -> None:
    del home
    hello: dict[str, object] = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "0"},
    }
    messages: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}},
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline()) for _ in range(2)]
        rest, _ = server.communicate(timeout=20)
    assert {answer["id"] for answer in answers} == {1, 2}
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert [json.loads(line)["jsonrpc"] for line in rest.splitlines()] == ["2.0"] * len(rest.splitlines())
    assert server.returncode == 0
