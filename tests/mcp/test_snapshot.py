"""The front repeats exactly what the SDK's own server says."""

import json

import pytest

from cerver_core.errors import CerverError
from cerver_mcp.front import Front
from cerver_mcp.server import build
from cerver_mcp.snapshot import SNAPSHOT, ask, make_snapshot, requests
from tests.mcp.conftest import HELLO

VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]


def refuse() -> None:
    raise CerverError("not needed here")


async def test_the_snapshot_is_what_the_server_answers_today() -> None:
    assert SNAPSHOT.read_text("utf-8") == await make_snapshot(), "run python -m cerver_mcp.snapshot"


def test_every_version_of_the_protocol_is_in_it() -> None:
    assert list(json.loads(SNAPSHOT.read_bytes())["replies"]) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_front_answers_byte_for_byte_as_the_sdk(version: str) -> None:
    front = Front(json.loads(SNAPSHOT.read_bytes()))
    wanted = await ask(build(refuse), requests(version))  # pyright: ignore[reportArgumentType]
    answered: dict[str, str] = {}
    for message in requests(version):
        reply = front.take(json.dumps(message).encode())
        if reply is not None:
            answered[message["id"]] = reply.decode().removesuffix("\n")
    assert answered == wanted


async def test_an_unknown_version_gets_the_newest_of_its_era_as_from_the_sdk() -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {**HELLO, "protocolVersion": "1999-01-01"}}
    reply = Front(json.loads(SNAPSHOT.read_bytes())).take(json.dumps(message).encode())
    wanted = await ask(build(refuse), [message])  # pyright: ignore[reportArgumentType]
    assert reply
    assert reply == wanted["1"].encode() + b"\n"
    assert json.loads(reply)["result"]["protocolVersion"] == "2025-11-25"


def request(method: str, params: object, request_id: object = 1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode()


@pytest.mark.parametrize(
    "line",
    [
        request("tools/list", {}),
        request("tools/list", {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}),
        request("tools/list", {"_meta": {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}}),
        request("initialize", {**HELLO, "capabilities": {"roots": 5}}),
        request("initialize", {**HELLO, "clientInfo": {"name": "no version"}}),
        request("initialize", HELLO, True),
        request("initialize", HELLO, 1.5),
        request("initialize", []),
        request("tools/call", {"name": "cerver_session_list"}),
    ],
)
def test_what_is_not_plain_is_left_to_the_server(line: bytes) -> None:
    kept = Front(json.loads(SNAPSHOT.read_bytes()))
    assert kept.take(line) is None
    assert kept.lines == [line]
