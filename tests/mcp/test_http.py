"""MCP over HTTP: the same tools for every caller, on their own account, over a real socket and the SDK's own client."""

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent
from starlette.types import ASGIApp

from cerver_core.api import Caller, Cerver
from cerver_core.api.logins import Logins
from cerver_core.api.replies import Replies
from cerver_core.engine import Engine
from cerver_core.errors import Unauthorized
from cerver_core.gateway import create_app
from cerver_core.plugins import secret_backend, store
from cerver_mcp.http import McpOverHttp
from cerver_mcp.tools import TOOLS
from tests.engine.roads import settings_for

ModeName = Literal["auto", "legacy"]

_CALLERS = {
    "ck_alice": Caller("alice", "k1"),
    "ck_bob": Caller("bob", "k2"),
    "ck_reader": Caller("alice", "k3", scopes=frozenset({"read"})),
    "pk_page": Caller("alice", "k4", kind="publishable"),
}


@dataclass(frozen=True, slots=True)
class _Host:
    """Knows a few keys; the accounts behind them are real."""

    engine: Engine

    async def authenticate(self, token: str) -> Caller:
        if token not in _CALLERS:
            raise Unauthorized("this key is not accepted")
        return _CALLERS[token]

    def cerver(self, caller: Caller) -> Cerver:
        return self.engine.account(caller.account_id, sweep=False)

    def replies(self, caller: Caller) -> Replies:
        raise AssertionError("MCP keeps no replies")

    @property
    def logins(self) -> Logins:
        raise AssertionError("MCP logs nobody in")

    async def is_ready(self) -> bool:
        return True


@asynccontextmanager
async def _served(app: ASGIApp) -> AsyncGenerator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, ws="none"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
            server.should_exit = server.force_exit = True


@pytest.fixture(params=[True, False], ids=["alone", "replicas"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    settings = settings_for(tmp_path)
    async with Engine(store(settings), {}, secret_backend(settings)) as engine:
        app = create_app(
            _Host(engine), beside={"/mcp": McpOverHttp}, url="https://gateway.example", is_alone=request.param
        )
        async with _served(app) as url:
            yield url


@asynccontextmanager
async def _client(url: str, key: str, mode: ModeName = "auto") -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=20) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


async def _call(client: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, _text(result)
    return result.structured_content or {}


def _text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_tools_are_the_same_and_work(url: str, mode: ModeName) -> None:
    async with _client(url, "ck_alice", mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in TOOLS]
        made = await _call(client, "cerver_session_create", session_name="inbox", compute="none")
        entries = [{"role": "user", "content": "hello there"}]
        await _call(client, "cerver_session_append", session_id=made["session_id"], entries=entries)
        peeked = await client.call_tool("cerver_session_peek", {"session_id": "inbox"})
        assert "hello there" in _text(peeked)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_callers_see_their_own_account_alone_however_they_take_turns(url: str, mode: ModeName) -> None:
    async with _client(url, "ck_alice", mode) as alice, _client(url, "ck_bob", mode) as bob:
        made = await _call(alice, "cerver_session_create", session_name="diary", compute="none")
        for _ in range(3):
            assert "diary" in _text(await alice.call_tool("cerver_session_list", {}))
            assert "diary" not in _text(await bob.call_tool("cerver_session_list", {}))
        peeked = await bob.call_tool("cerver_session_peek", {"session_id": made["session_id"]})
        assert peeked.is_error
        assert "session_not_found" in _text(peeked)


async def test_a_value_is_never_handed_out(url: str) -> None:
    async with _client(url, "ck_alice") as client:
        told = await client.call_tool("secret_fetch", {"name": "SUITE_TOKEN"})
        assert told.is_error
        assert "not_supported" in _text(told)


def _hello(**headers: str) -> dict[str, Any]:
    told = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    return {
        "json": {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": told},
        "headers": {"Accept": "application/json, text/event-stream", **headers},
    }


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "unauthorized"),
        ("ck_nobody", 401, "unauthorized"),
        ("pk_page", 403, "forbidden"),
        ("ck_reader", 403, "forbidden"),
    ],
)
async def test_a_key_that_will_not_do_is_refused(url: str, key: str | None, status: int, code: str) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(url, **_hello(**({"Authorization": f"Bearer {key}"} if key else {})))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (answer.headers.get("www-authenticate") == "Bearer") == (status == 401)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "gateway.example", "Origin": "https://gateway.example"}, 200),
    ],
)
async def test_pages_and_names_of_strangers_are_refused(url: str, headers: Mapping[str, str], status: int) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(url, **_hello(Authorization="Bearer ck_alice", **headers))
    assert answer.status_code == status


async def test_a_protocol_session_serves_only_who_opened_it(url: str) -> None:
    async with httpx2.AsyncClient() as http:
        opened = await http.post(url, **_hello(Authorization="Bearer ck_alice"))
        session = opened.headers.get("mcp-session-id")
        if session is None:  # replicas have none: there is nothing to take over
            return
        headers = {
            "Accept": "application/json, text/event-stream",
            "Mcp-Session-Id": session,
            "Mcp-Protocol-Version": "2025-11-25",
            "Authorization": "Bearer ck_bob",
        }
        taken = await http.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, headers=headers)
    assert taken.status_code == 404
