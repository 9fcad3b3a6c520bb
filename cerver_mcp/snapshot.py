"""Makes `snapshot.json`: what the SDK's own server answers to the handshake and the lists, for the front to repeat.

`python -m cerver_mcp.snapshot` writes it; a test compares it with what the server answers now.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS

from cerver_core.api import Cerver
from cerver_mcp.opener import Opener
from cerver_mcp.server import build

__all__ = ["ask", "make_snapshot"]

SNAPSHOT = Path(__file__).with_name("snapshot.json")

_LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_ENVELOPE = "io.modelcontextprotocol/"


async def make_snapshot() -> str:
    """Ask a server for everything static, in every version of the protocol, and write it as JSON, a line a reply."""
    results: list[str] = []
    replies: dict[str, dict[str, int]] = {}
    for version in HANDSHAKE_PROTOCOL_VERSIONS + MODERN_PROTOCOL_VERSIONS:
        lines = await ask(build(_never), requests(version))
        for method, line in lines.items():
            result = json.dumps(json.loads(line)["result"], ensure_ascii=False, separators=(",", ":"))
            if result not in results:
                results.append(result)
            replies.setdefault(version, {})[method] = results.index(result)
    body = ",\n".join(results)
    where = ",\n".join(f"{json.dumps(version)}: {json.dumps(of)}" for version, of in replies.items())
    latest = json.dumps(LATEST_HANDSHAKE_VERSION)
    return f'{{"latest_handshake": {latest},\n"replies": {{\n{where}\n}},\n"results": [\n{body}\n]}}\n'


def requests(version: str) -> Sequence[dict[str, Any]]:
    """Write the requests whose answers are static, in one version; the id of each is its method."""
    if version in MODERN_PROTOCOL_VERSIONS:
        meta: dict[str, Any] = {f"{_ENVELOPE}protocolVersion": version, f"{_ENVELOPE}clientCapabilities": {}}
        return [_request(method, {"_meta": meta}) for method in ("server/discover", *_LISTS)]
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "build", "version": "0"}}
    initialized: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    lists = [_request(method, {}) for method in (*_LISTS, "ping")]
    return [_request("initialize", hello), initialized, *lists]


async def ask(server: Server[Opener], messages: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Send messages to a server of its own loop, and give its reply lines by request id, as they are on a wire."""
    send, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, receive = anyio.create_memory_object_stream[SessionMessage](0)
    lines: dict[str, str] = {}
    async with anyio.create_task_group() as tasks, send, receive:
        tasks.start_soon(server.run, read_stream, write_stream, server.create_initialization_options())
        for message in messages:
            await send.send(SessionMessage(jsonrpc_message_adapter.validate_python(message)))
            if "id" in message:
                answer = (await receive.receive()).message
                lines[str(message["id"])] = answer.model_dump_json(by_alias=True, exclude_unset=True)
        tasks.cancel_scope.cancel()
    return lines


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": method, "method": method, "params": params}


@asynccontextmanager
async def _never() -> AsyncGenerator[Cerver]:
    raise AssertionError("the lists must not need an engine")
    yield


if __name__ == "__main__":
    SNAPSHOT.write_text(anyio.run(make_snapshot), encoding="utf-8")
