"""Transcripts as they grow: over server-sent events and WebSockets, for one watcher and for many."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cerver_core.gateway.limits import Limits
from tests.gateway.roads import Running, gateway, sqlite_host

SESSIONS = "/v2/sessions"
LIMIT_S = 20


async def opened(http: httpx2.AsyncClient, *texts: str) -> str:
    session_id = (await http.post(SESSIONS, json={"compute": None})).json()["session_id"]
    if texts:
        await said(http, session_id, *texts)
    return session_id


async def said(http: httpx2.AsyncClient, session_id: str, *texts: str) -> None:
    entries = [{"role": "user", "content": text} for text in texts]
    assert (await http.post(f"{SESSIONS}/{session_id}/transcript", json={"entries": entries})).is_success


@asynccontextmanager
async def watching(
    http: httpx2.AsyncClient, session_id: str, headers: dict[str, str] | None = None, path: str = "events"
) -> AsyncGenerator[AsyncIterator[dict[str, str]]]:
    async with http.stream("GET", f"{SESSIONS}/{session_id}/{path}", headers=headers or {}) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield frames(answer.aiter_lines())


async def frames(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    frame: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ") if not line.startswith(":") else ("comment", "", line[1:].strip())
            frame[name] = value
        elif frame:
            yield frame
            frame = {}


async def next_of(events: AsyncIterator[dict[str, str]], kind: str) -> dict[str, str]:
    with anyio.fail_after(LIMIT_S):
        async for event in events:
            if event.get("event") == kind:
                return event
    raise AssertionError(f"the stream ended without {kind}")


async def test_entries_come_with_their_seq_as_they_are_appended(http: httpx2.AsyncClient) -> None:
    session_id = await opened(http, "old")
    async with watching(http, session_id) as events:
        first = await next_of(events, "entry")
        assert (first["id"], json.loads(first["data"])["content"]) == ("1", "old")
        await said(http, session_id, "new\nline ☃")
        second = await next_of(events, "entry")
        assert (second["id"], json.loads(second["data"])["content"]) == ("2", "new\nline ☃")
        await http.delete(f"{SESSIONS}/{session_id}")
        assert await next_of(events, "end") == {"event": "end", "data": "{}"}


async def test_who_comes_back_goes_on_after_the_last_event_they_saw(http: httpx2.AsyncClient) -> None:
    session_id = await opened(http, "a", "b", "c")
    async with watching(http, session_id, {"Last-Event-ID": "2"}) as events:
        assert (await next_of(events, "entry"))["id"] == "3"
    async with watching(http, session_id, path="events?since=1") as events:
        assert (await next_of(events, "entry"))["id"] == "2"
    bad = await http.get(f"{SESSIONS}/{session_id}/events", headers={"Last-Event-ID": "two"})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_input")


async def test_a_session_that_is_not_there_is_refused_before_the_stream(http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{SESSIONS}/nobody/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")


async def test_many_watchers_see_every_entry_once_and_in_order(http: httpx2.AsyncClient) -> None:
    session_id = await opened(http)
    seen: list[list[int]] = [[] for _ in range(20)]
    ready = [anyio.Event() for _ in seen]

    async def watch(number: int) -> None:
        async with watching(http, session_id) as events:
            async for event in events:
                if "comment" in event:
                    ready[number].set()
                if event.get("event") == "entry":
                    seen[number].append(int(event["id"]))
                if event.get("event") == "end":
                    return

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as tasks:
            for number in range(len(seen)):
                tasks.start_soon(watch, number)
            for event in ready:
                await event.wait()
            for start in range(0, 400, 50):
                await said(http, session_id, *[f"m{number}" for number in range(start, start + 50)])
            await http.delete(f"{SESSIONS}/{session_id}")
    assert seen == [list(range(1, 401))] * len(seen)


async def test_one_who_fell_behind_reads_on_from_the_store(http: httpx2.AsyncClient) -> None:
    session_id = await opened(http)
    async with watching(http, session_id) as slow, watching(http, session_id) as quick:
        for start in range(0, 1_200, 300):
            await said(http, session_id, *["x" * 2_000 for _ in range(start, start + 300)])
        with anyio.fail_after(LIMIT_S):
            while (await next_of(quick, "entry"))["id"] != "1200":
                pass
        seen = [int((await next_of(slow, "entry"))["id"]) for _ in range(1_200)]
    assert seen == list(range(1, 1_201))


async def test_silence_is_told_and_a_stop_has_a_last_word(tmp_path: Path) -> None:
    limits = Limits(heartbeat_s=0.05, drain_s=0.5)
    async with (
        gateway(partial(sqlite_host, tmp_path), limits=limits) as running,
        httpx2.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {running.token}"}) as http,
    ):
        session_id = await opened(http, "a")
        async with watching(http, session_id) as events:
            assert (await next_of(events, "entry"))["id"] == "1"
            with anyio.fail_after(LIMIT_S):
                comments = [await anext(events) for _ in range(2)]
            assert comments == [{"comment": "heartbeat"}] * 2
            running.stop()
            told = json.loads((await next_of(events, "error"))["data"])
            assert (told["code"], told["last_seq"]) == ("unavailable", 1)


async def test_leaving_a_run_kills_what_runs(http: httpx2.AsyncClient) -> None:
    session_id = (await http.post(SESSIONS, json={"compute": {"provider": "local"}})).json()["session_id"]
    path = f"{SESSIONS}/{session_id}"
    body = {"code": "echo up; sleep 1000"}
    async with http.stream("POST", f"{path}/run/stream", json=body) as answer:
        async for line in answer.aiter_lines():
            if '"up' in line:
                break
    with anyio.move_on_after(0.5):
        await http.post(f"{path}/run", json={"code": "sleep 1000"})
    with anyio.fail_after(LIMIT_S):
        while (await http.get(path)).json()["status"] == "running":  # noqa: ASYNC110 - the gateway learns of it
            await anyio.sleep(0.01)
    results = [entry for entry in (await http.get(f"{path}?full=1")).json()["transcript"] if entry["role"] == "tool"]
    assert [result["content"].split(":")[0] for result in results] == ["cancelled", "cancelled"]


async def test_a_run_that_cannot_begin_is_a_problem_and_no_stream(http: httpx2.AsyncClient) -> None:
    session_id = await opened(http)
    answer = await http.post(f"{SESSIONS}/{session_id}/run/stream", json={"code": "true"})
    assert (answer.status_code, answer.json()["code"]) == (409, "session_state")
    assert answer.headers["content-type"] == "application/json"


def socket_url(running: Running, session_id: str, query: str = "") -> str:
    return f"ws://127.0.0.1:{running.port}{SESSIONS}/{session_id}/stream/ws{query}"


async def received(socket: ClientConnection) -> dict[str, Any]:
    with anyio.fail_after(LIMIT_S):
        return json.loads(await socket.recv())


async def closed_with(socket: ClientConnection) -> int:
    with anyio.fail_after(LIMIT_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            return 0 if closed.rcvd is None else closed.rcvd.code


@pytest.mark.parametrize("way", ["header", "query", "message"])
async def test_a_socket_sends_entries_until_the_session_is_over(
    running: Running, http: httpx2.AsyncClient, way: str
) -> None:
    session_id = await opened(http, "old")
    headers = {"Authorization": f"Bearer {running.token}"} if way == "header" else {}
    query = f"?token={running.token}&since=0" if way == "query" else "?since=0"
    async with connect(socket_url(running, session_id, query), additional_headers=headers) as socket:
        if way == "message":
            await socket.send(json.dumps({"type": "auth", "token": running.token}))
        assert await received(socket) == {"type": "connected", "session_id": session_id, "last_seq": 0}
        assert (await received(socket))["entry"]["content"] == "old"
        await said(http, session_id, "new")
        told = await received(socket)
        assert (told["type"], told["entry"]["seq"], told["entry"]["content"]) == ("entry", 2, "new")
        await socket.send('{"type":"ping"}')
        assert await received(socket) == {"type": "pong"}
        await http.delete(f"{SESSIONS}/{session_id}")
        assert await received(socket) == {"type": "end"}
        assert await closed_with(socket) == 1000


async def test_a_socket_begins_at_the_end_unless_told(running: Running, http: httpx2.AsyncClient) -> None:
    session_id = await opened(http, "old")
    async with connect(socket_url(running, session_id, f"?token={running.token}")) as socket:
        assert (await received(socket))["last_seq"] == 1
        await said(http, session_id, "new")
        assert (await received(socket))["entry"]["seq"] == 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("ID?token=ck_bad", 4401),
        ("nobody?token=TOKEN", 4404),
        ("ID?token=TOKEN&since=x", 4400),
        ("ID?token=TOKEN&no=1", 4400),
    ],
)
async def test_a_socket_that_is_asked_for_wrongly_is_closed_with_the_reason(
    running: Running, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, asked: str, code: int
) -> None:
    session_id, _, query = asked.replace("TOKEN", running.token).partition("?")
    url = socket_url(running, session_id.replace("ID", await opened(http)), f"?{query}")
    async with connect(url) as socket:
        assert await closed_with(socket) == code
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("header", ["Bearer ck_bad", "Basic abc"])
async def test_a_socket_with_a_bad_header_is_closed_with_the_reason(
    running: Running, http: httpx2.AsyncClient, header: str
) -> None:
    url = socket_url(running, await opened(http))
    async with connect(url, additional_headers={"Authorization": header}) as socket:
        assert await closed_with(socket) == 4401


@pytest.mark.parametrize(
    ("message", "code"),
    [('{"type":"auth","token":"ck_wrong"}', 4401), ('{"type":"hello"}', 4401), ("no json", 4400), ("[1]", 4400)],
)
async def test_a_first_message_that_is_no_key_closes_the_socket(
    running: Running, http: httpx2.AsyncClient, message: str, code: int
) -> None:
    session_id = await opened(http)
    async with connect(socket_url(running, session_id)) as socket:
        await socket.send(message)
        assert await closed_with(socket) == code


async def test_a_message_that_is_too_large_closes_the_socket(running: Running, http: httpx2.AsyncClient) -> None:
    session_id = await opened(http)
    async with connect(socket_url(running, session_id, f"?token={running.token}")) as socket:
        await received(socket)
        await socket.send("x" * 100_000)
        assert await closed_with(socket) == 1009
