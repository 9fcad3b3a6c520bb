"""The raw sandbox layer, asked as its oldest clients ask: plain HTTP, their paths, their words."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.gateway.roads import gateway, sqlite_host


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with gateway(partial(sqlite_host, tmp_path)) as running:
        headers = {"Authorization": f"Bearer {running.token}"}
        async with httpx2.AsyncClient(base_url=running.url, headers=headers, timeout=30) as http:
            yield http


async def made(http: httpx2.AsyncClient, body: object = None) -> str:
    answer = await http.post("/sandbox", json=body) if body is not None else await http.post("/sandbox")
    assert answer.status_code == 200, answer.text
    return f"/sandbox/{answer.json()['sandbox_id']}"


async def test_a_run_answers_in_the_words_of_the_old_client(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http)
    told = (await http.post(f"{sandbox}/run", json={"code": "echo out; echo err >&2; exit 3", "timeout": 30})).json()
    assert set(told) == {"output", "error", "exit_code", "duration"}
    assert (told["output"], told["error"], told["exit_code"]) == ("out\n", "err\n", 3)
    assert 0 < told["duration"] < 30


async def test_a_timeout_is_told_in_the_error(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http)
    told = (await http.post(f"{sandbox}/run", json={"code": "echo some; sleep 60", "timeout": 0.3})).json()
    assert (told["output"], told["exit_code"]) == ("some\n", 124)
    assert "timed out" in told["error"]


async def test_state_and_variables_persist_between_runs(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http, {"envs": {"COLOUR": "green", "SIZE": "1"}, "metadata": {"mine": True}})
    await http.post(f"{sandbox}/run", json={"code": "mkdir -p deep; cd deep; echo kept > file"})
    asked = {"code": 'echo "$COLOUR $SIZE"; cat file', "envs": {"SIZE": "2"}}
    assert (await http.post(f"{sandbox}/run", json=asked)).json()["output"] == "green 2\nkept\n"
    told = (await http.get(sandbox)).json()
    assert (told["status"], told["metadata"]) == ("idle", {"mine": True, "source": "sandbox"})


async def test_a_sandbox_may_take_its_code_for_python(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http, {"runtime": "python"})
    assert (await http.post(f"{sandbox}/run", json={"code": "print(6 * 7)"})).json()["output"] == "42\n"


async def test_output_streams_as_events(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http)
    async with http.stream("POST", f"{sandbox}/run/stream", json={"code": "echo streamed"}) as answer:
        text = "".join([piece async for piece in answer.aiter_text()])
        assert answer.headers["x-cerver-provider"] == "local"
    assert [line for line in text.splitlines() if line.startswith("event:")] == [
        "event: started",
        "event: output",
        "event: finished",
    ]
    assert '"text":"streamed\\n"' in text


async def test_files_are_written_listed_and_read(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http, {"envs": {"HIDDEN": "yes"}})
    written = {"path": "sub/text", "content": "grüße"}
    assert (await http.post(f"{sandbox}/files", json=written)).json()["success"] is True
    await http.post(f"{sandbox}/files", json={"path": "bytes", "content": "/wA=", "encoding": "base64"})
    listed = (await http.get(f"{sandbox}/files")).json()
    assert [(file["path"], file["kind"]) for file in listed["files"]] == [
        ("bytes", "file"),
        ("sub", "folder"),
        ("sub/text", "file"),
    ]
    text = (await http.get(f"{sandbox}/files", params={"path": "sub/text"})).json()
    assert (text["content"], text["encoding"]) == ("grüße", "utf-8")
    binary = (await http.get(f"{sandbox}/files", params={"path": "bytes"})).json()
    assert (binary["content"], binary["encoding"]) == ("/wA=", "base64")
    assert (await http.get(f"{sandbox}/files", params={"path": "nothing"})).status_code == 404


async def test_what_the_provider_cannot_do_is_answered_with_its_name(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http, {"timeout": 600})
    for answer in (
        await http.get(f"{sandbox}/host", params={"port": "8000"}),
        await http.post(f"{sandbox}/timeout", json={"timeout": 60}),
    ):
        assert answer.status_code == 501
        assert (answer.json()["code"], answer.json()["provider"]) == ("not_supported", "local")


async def test_a_package_that_cannot_be_had_is_no_success(http: httpx2.AsyncClient) -> None:
    sandbox = await made(http)
    told = (await http.post(f"{sandbox}/install", json={"package": "./not-here-1.0-py3-none-any.whl"})).json()
    assert told["success"] is False
    assert "not-here" in told["error"]


async def test_the_list_holds_what_was_made_here_until_it_is_deleted(http: httpx2.AsyncClient) -> None:
    first, second = await made(http), await made(http)
    await http.post("/v2/sessions", json={"session_name": "no sandbox of this layer"})
    listed = (await http.get("/sandboxes")).json()["sandboxes"]
    assert {f"/sandbox/{one['sandbox_id']}" for one in listed} == {first, second}
    assert (await http.delete(first)).json()["success"] is True
    listed = (await http.get("/sandboxes")).json()["sandboxes"]
    assert [f"/sandbox/{one['sandbox_id']}" for one in listed] == [second]
    assert (await http.post(f"{first}/run", json={"code": "true"})).status_code == 409


async def test_a_bad_key_is_refused(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/sandbox", headers={"Authorization": "Bearer ck_wrong"})).status_code == 401
