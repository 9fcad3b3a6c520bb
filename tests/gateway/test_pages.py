"""What stands beside the operations of a gateway that runs: its documentation, its figures, MCP."""

from functools import partial
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from openapi_spec_validator import validate

from tests.gateway.processes import serving


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_gateway_tells_what_it_serves_and_how_it_does(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path, "--workers", str(workers)) as gateway:
        async with _asking(gateway.url) as http:
            opened = await http.get("/")
            assert (opened.status_code, opened.headers["location"]) == (307, "/v2/docs")
            asked = await http.get("/v2/docs")
            validate(asked.json())
            assert asked.json()["servers"] == [{"url": gateway.url}]
            page = await http.get("/v2/docs", headers={"Accept": "text/html"})
            assert page.headers["content-type"].startswith("text/html")
            for media, told in (("application/json", asked), ("text/html", page)):
                again = await http.get("/v2/docs", headers={"Accept": media, "If-None-Match": told.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")
            assert asked.headers["etag"] != page.headers["etag"]
            key = {"Authorization": f"Bearer {gateway.token}"}
            for _ in range(10):
                assert (await http.get("/v2/sessions", headers=key)).status_code == 200
            figures = (await http.get("/metrics")).text
            assert 'cerver_requests_total{operation="sessions.list",status="200"} 10.0' in figures.splitlines()


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_agent_reaches_the_same_sessions_over_mcp(tmp_path: Path, workers: int) -> None:
    with serving(tmp_path, "--workers", str(workers)) as gateway:
        async with _asking(gateway.url) as http:
            http.headers["Authorization"] = f"Bearer {gateway.token}"
            made = (await http.post("/v2/sessions", json={"session_name": "inbox", "compute": None})).json()
            opened = partial(streamable_http_client, f"{gateway.url}/mcp", http_client=http)
            for _ in range(4):
                async with Client(opened()) as client:
                    listed = await client.call_tool("cerver_session_list", {})
                    assert made["session_id"][:8] in str(listed.content)
            assert (await http.post("/mcp", headers={"Authorization": "Bearer ck_wrong"}, json={})).status_code == 401


def _asking(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, timeout=20)
