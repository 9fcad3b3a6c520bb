"""A gateway whose Postgres stands still, cuts it off or goes away: it says so, loses nothing, and heals."""

import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from cerver_core.testing.postgres import PostgresServer, postgres_programs
from tests.gateway.processes import Served, environment, serving
from tests.gateway.test_live import opened, said

_LIMIT_S = 60
_CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'cerver'"


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """Run a server that the test may stop."""
    with PostgresServer(postgres_programs()[0]) as server:
        yield server


@pytest.fixture
def served(database: PostgresServer, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, environ=environment(tmp_path, CERVER_DATABASE_URL=database.url())) as served:
        yield served


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {served.token}"}
    async with httpx2.AsyncClient(base_url=served.url, headers=headers, timeout=_LIMIT_S) as client:
        yield client


async def _readiness(http: httpx2.AsyncClient) -> int:
    return (await http.get("/readyz")).status_code


async def _ready(http: httpx2.AsyncClient) -> None:
    with anyio.fail_after(_LIMIT_S):
        while await _readiness(http) != 200:
            pass


async def test_an_outage_of_postgres_is_said_and_survived(
    database: PostgresServer, served: Served, http: httpx2.AsyncClient
) -> None:
    session_id = await opened(http, "before")
    assert await _readiness(http) == 200

    database.pause()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(said, http, session_id, "while it stood still")
        assert await _readiness(http) == 503
        database.resume()
    await _ready(http)

    await anyio.to_thread.run_sync(partial(database.execute, _CUT))
    body = {"entries": [{"role": "user", "content": "when it had cut us off", "id": "cut"}]}
    with anyio.fail_after(_LIMIT_S):
        while not (await http.post(f"/v2/sessions/{session_id}/transcript", json=body)).is_success:
            pass

    await anyio.to_thread.run_sync(database.stop)
    body = {"entries": [{"role": "user", "content": "while it was away", "id": "away"}]}
    answer = await http.post(f"/v2/sessions/{session_id}/transcript", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert await _readiness(http) == 503
    await anyio.to_thread.run_sync(database.start)
    await _ready(http)
    assert (await http.post(f"/v2/sessions/{session_id}/transcript", json=body)).is_success

    transcript = (await http.get(f"/v2/sessions/{session_id}", params={"full": 1})).json()["transcript"]
    assert [entry["content"] for entry in transcript] == [
        "before",
        "while it stood still",
        "when it had cut us off",
        "while it was away",
    ]
    lines = [json.loads(line) for line in served.errors.read_text().splitlines()]
    assert {line["status"] for line in lines if line["event"] == "request"} == {200, 201, 503}
