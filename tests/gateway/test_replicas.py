"""Two `cerver serve` processes, as on two machines, on one Postgres: whichever of them is asked, it is one gateway."""

import json
import secrets
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Literal

import anyio
import httpx2
import pytest
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from websockets.asyncio.client import connect

from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.postgres import PostgresServer
from tests.gateway.processes import environment, serving
from tests.gateway.test_live import next_of, opened, received, said, watching

_LIMIT_S = 30


@dataclass(frozen=True)
class Replicas:
    """Two gateways on one database, and the key of their operator."""

    urls: tuple[str, str]
    token: str = field(repr=False)
    cloud: E2bCloud


@pytest.fixture(scope="module")
def replicas(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Serve a new database from two processes, each with a home of its own; one cloud belongs to their operator."""
    shared = {
        "CERVER_DATABASE_URL": postgres_server.url(postgres_server.create_database()),
        "CERVER_MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
    }
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    with E2bCloud(tmp_path_factory.mktemp("e2b")) as cloud:
        shared |= cloud.environ
        with (
            serving(one, "--local-compute", environ=environment(one, **shared)) as first,
            serving(other, environ=environment(other, **shared)) as second,
        ):
            assert second.token == ""
            yield Replicas((first.url, second.url), first.token, cloud)


def _asking(url: str, token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_LIMIT_S)


@pytest.fixture
async def both(replicas: Replicas) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient]]:
    """Give a client of each."""
    async with _asking(replicas.urls[0], replicas.token) as one, _asking(replicas.urls[1], replicas.token) as other:
        yield one, other


Both = tuple[httpx2.AsyncClient, httpx2.AsyncClient]


async def test_what_is_appended_at_one_is_followed_at_the_other_and_who_moves_over_misses_nothing(both: Both) -> None:
    one, other = both
    session_id = await opened(one, "first")
    async with watching(other, session_id) as events:
        assert (await next_of(events, "entry"))["id"] == "1"
        await said(one, session_id, "second")
        assert json.loads((await next_of(events, "entry"))["data"])["content"] == "second"
    await said(other, session_id, "third", "fourth")
    async with watching(one, session_id, {"Last-Event-ID": "2"}) as events:
        assert [(await next_of(events, "entry"))["id"] for _ in range(2)] == ["3", "4"]
        await other.delete(f"/v2/sessions/{session_id}")
        assert (await next_of(events, "end"))["data"] == "{}"


async def test_a_socket_at_one_tells_what_was_appended_at_the_other(replicas: Replicas, both: Both) -> None:
    session_id = await opened(both[0], "first")
    url = f"{replicas.urls[1].replace('http', 'ws')}/v2/sessions/{session_id}/stream/ws"
    async with connect(f"{url}?token={replicas.token}") as socket:
        assert (await received(socket))["last_seq"] == 1
        await said(both[0], session_id, "second")
        assert (await received(socket))["entry"]["content"] == "second"
    async with connect(f"{url}?token={replicas.token}&since=1") as socket:
        assert [(await received(socket)).get("type") for _ in range(2)] == ["connected", "entry"]


async def test_a_key_that_is_revoked_at_one_is_refused_at_the_other_at_once(replicas: Replicas, both: Both) -> None:
    one, _ = both
    for _ in range(5):
        key = (await one.post("/v2/auth/keys", json={"label": "short", "scope": "global"})).json()["key"]
        async with _asking(replicas.urls[1], key) as colleague:
            assert (await colleague.get("/v2/sessions")).status_code == 200
            assert (await one.delete(f"/v2/auth/keys/{'_'.join(key.split('_')[:2])}")).status_code == 204
            assert (await colleague.get("/v2/sessions")).status_code == 401


async def test_one_call_that_is_sent_to_both_at_once_is_done_once(both: Both) -> None:
    answers: list[httpx2.Response] = []

    async def create(http: httpx2.AsyncClient, number: int) -> None:
        body = {"compute": None, "session_name": f"once {number}"}
        answers.append(await http.post("/v2/sessions", json=body, headers={"Idempotency-Key": f"k{number}"}))

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            for http in (*both, *both):
                tasks.start_soon(create, http, number)
    done = {answer.json()["session_id"] for answer in answers if answer.status_code == 201}
    assert len(done) == 10
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 201]
    assert set(refused) <= {"idempotency_in_progress"}
    listed = (await both[1].get("/v2/sessions", params={"limit": 200})).json()["sessions"]
    assert sorted(one["sessionId"] for one in listed if str(one.get("sessionName")).startswith("once ")) == sorted(done)
    again = await both[0].post(
        "/v2/sessions", json={"compute": None, "session_name": "once 3"}, headers={"Idempotency-Key": "k3"}
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["session_id"] in done


async def test_a_login_begun_at_one_is_approved_at_the_other_and_fetched_at_either_once(
    replicas: Replicas, both: Both
) -> None:
    one, other = both
    async with httpx2.AsyncClient(timeout=_LIMIT_S) as stranger:
        login = (await stranger.post(f"{replicas.urls[0]}/v2/auth/device", json={"machine_name": "laptop"})).json()
        poll = {"device_code": login["device_code"]}
        waiting = await stranger.get(f"{replicas.urls[1]}/v2/auth/device", params=poll)
        assert waiting.json()["status"] == "pending"
        form = {"code": login["user_code"], "key": replicas.token, "answer": "approve"}
        page = await stranger.post(f"{replicas.urls[1]}/approve", data=form)
        assert "The machine is let in" in page.text
        polled = [
            (await stranger.get(f"{url}/v2/auth/device", params=poll)).json()
            for url in (*replicas.urls, *replicas.urls)
        ]
    (key,) = [told["access_token"] for told in polled if told.get("access_token")]
    for http in (one, other):
        answer = await http.get("/v2/auth/whoami", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200


class _Alternating(httpx2.AsyncBaseTransport):
    """Sends each request to the next replica, as a balancer does that knows of no sessions."""

    def __init__(self, urls: tuple[str, str]) -> None:
        self._inner = httpx2.AsyncHTTPTransport()
        self._ports = cycle(httpx2.URL(url).port for url in urls)
        self.asked: set[int | None] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = next(self._ports)
        self.asked.add(port)
        request.url = request.url.copy_with(port=port)
        request.headers["Host"] = f"127.0.0.1:{port}"
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_s_mcp_calls_may_each_go_to_another_replica(
    replicas: Replicas, mode: Literal["auto", "legacy"]
) -> None:
    balancer = _Alternating(replicas.urls)
    headers = {"Authorization": f"Bearer {replicas.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=_LIMIT_S, transport=balancer) as http,
        McpClient(streamable_http_client(f"{replicas.urls[0]}/mcp", http_client=http), mode=mode) as client,
    ):
        made = await client.call_tool("cerver_session_create", {"session_name": f"mcp {mode}", "compute": "none"})
        assert not made.is_error
        for _ in range(4):
            assert f"mcp {mode}" in str((await client.call_tool("cerver_session_list", {})).content)
    assert len(balancer.asked) == 2


@asynccontextmanager
async def _session(http: httpx2.AsyncClient, **request: object) -> AsyncGenerator[str]:
    answer = await http.post("/v2/sessions", json=request)
    assert answer.status_code == 201, answer.text
    session_id = answer.json()["session_id"]
    yield session_id
    await http.delete(f"/v2/sessions/{session_id}")


async def _run(http: httpx2.AsyncClient, session_id: str, code: str) -> httpx2.Response:
    return await http.post(f"/v2/sessions/{session_id}/run", json={"code": code})


async def test_a_sandbox_that_one_made_is_used_by_the_other(both: Both) -> None:
    one, other = both
    async with _session(one, compute={"provider": "e2b"}) as session_id:
        assert (await _run(one, session_id, "echo one > said")).is_success
        answer = await _run(other, session_id, "cat said; echo two")
        assert answer.is_success, answer.text
        assert answer.json()["stdout"] == "one\ntwo\n"
        transcript = (await one.get(f"/v2/sessions/{session_id}", params={"full": 1})).json()["transcript"]
        assert [entry["kind"] for entry in transcript] == ["tool_use", "tool_result"] * 2


async def test_a_sandbox_on_the_machine_of_one_is_refused_by_the_other_with_a_word(both: Both) -> None:
    one, other = both
    async with _session(one, compute={"provider": "local"}) as session_id:
        assert (await _run(one, session_id, "echo here")).json()["stdout"] == "here\n"
        answer = await _run(other, session_id, "echo there")
        assert (answer.status_code, answer.json()["code"]) == (409, "no_compute")
        assert "this gateway has no provider local: ask the one that has it" in answer.json()["error"]
        assert (await _run(one, session_id, "echo again")).json()["stdout"] == "again\n"


async def test_workers_of_one_port_are_one_gateway(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.url(postgres_server.create_database())
    started = serving(tmp_path, "--workers", "2", environ=environment(tmp_path, CERVER_DATABASE_URL=url))
    with started as gateway:
        async with _asking(gateway.url, gateway.token) as follower:
            session_id = await opened(follower, "0")
            async with watching(follower, session_id) as events:
                for number in range(1, 9):
                    async with _asking(gateway.url, gateway.token) as newcomer:  # a connection, so any of the two
                        await said(newcomer, session_id, str(number))
                seen = [json.loads((await next_of(events, "entry"))["data"])["content"] for _ in range(9)]
        assert seen == [str(number) for number in range(9)]
