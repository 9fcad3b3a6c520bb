"""A call that is repeated with the same key is answered as the first time, and done once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from starlette.responses import Response

from cerver_core.engine.replies import EngineReplies
from cerver_core.errors import Conflict, IdempotencyInProgress, IdempotencyMismatch, InvalidInput
from cerver_core.gateway.idempotency import MAX_KEPT_BYTES, once
from cerver_core.stores.base import Store
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.clock import ManualClock
from cerver_core.wire.operations import OPERATIONS

_CREATE = OPERATIONS["sessions.create"]


class _Call:
    """Something that is done and counts how often."""

    def __init__(self, response: Response | BaseException) -> None:
        self.response = response
        self.count = 0

    async def __call__(self) -> Response:
        self.count += 1
        if isinstance(self.response, BaseException):
            raise self.response
        return self.response


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    async with SqliteStore(tmp_path / "cerver.db", clock=clock) as store:
        yield store


@pytest.fixture
def replies(store: Store, clock: ManualClock) -> EngineReplies:
    return EngineReplies(store.account("acme").records, clock)


async def test_a_repeat_gets_the_first_answer_and_does_nothing(replies: EngineReplies) -> None:
    call = _Call(Response(b'{"session_id":"a"}', 201, media_type="application/json"))
    first = await once(_CREATE, "k1", b"body", replies, call)
    again = await once(_CREATE, "k1", b"body", replies, call)
    assert (first.status_code, again.status_code, again.body) == (201, 201, b'{"session_id":"a"}')
    assert again.headers["content-type"] == "application/json"
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert call.count == 1


async def test_another_body_under_the_same_key_is_refused(replies: EngineReplies) -> None:
    call = _Call(Response(b"{}"))
    await once(_CREATE, "k1", b"body", replies, call)
    with pytest.raises(IdempotencyMismatch):
        await once(_CREATE, "k1", b"other", replies, call)
    assert call.count == 1


async def test_a_repeat_while_the_first_is_being_done_is_a_conflict(replies: EngineReplies) -> None:
    begun, may_end = anyio.Event(), anyio.Event()

    async def slow() -> Response:
        begun.set()
        await may_end.wait()
        return Response(b"{}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(once, _CREATE, "k1", b"body", replies, slow)
        with anyio.fail_after(10):
            await begun.wait()
        with pytest.raises(IdempotencyInProgress):
            await once(_CREATE, "k1", b"body", replies, slow)
        may_end.set()


async def test_what_failed_can_be_tried_again_with_the_same_key(replies: EngineReplies) -> None:
    broken = _Call(RuntimeError("no"))
    with pytest.raises(RuntimeError, match="no"):
        await once(_CREATE, "k1", b"body", replies, broken)
    busy = _Call(Response(b"{}", 503))
    assert (await once(_CREATE, "k1", b"body", replies, busy)).status_code == 503
    good = _Call(Response(b"{}", 201))
    assert (await once(_CREATE, "k1", b"body", replies, good)).status_code == 201
    refused = _Call(Response(b'{"error":"no"}', 400))
    await once(_CREATE, "k2", b"body", replies, refused)
    assert (await once(_CREATE, "k2", b"body", replies, refused)).status_code == 400
    assert refused.count == 1


async def test_operations_accounts_and_projects_have_keys_of_their_own(store: Store, clock: ManualClock) -> None:
    mine = EngineReplies(store.account("acme").records, clock)
    theirs = EngineReplies(store.account("other").records, clock)
    web, shop = (EngineReplies(store.account("acme").records, clock, project=slug) for slug in ("web", "shop"))
    call = _Call(Response(b"{}"))
    for replies, operation in ((mine, _CREATE), (theirs, _CREATE), (mine, OPERATIONS["sessions.spawn"])):
        await once(operation, "k1", b"body", replies, call)
    for replies in (web, shop, web):
        await once(_CREATE, "k1", b"body", replies, call)
    assert call.count == 5


async def test_a_large_answer_is_not_kept_but_not_done_twice(replies: EngineReplies) -> None:
    call = _Call(Response(b"x" * (MAX_KEPT_BYTES + 1)))
    await once(_CREATE, "k1", b"body", replies, call)
    with pytest.raises(Conflict, match="was done before"):
        await once(_CREATE, "k1", b"body", replies, call)
    assert call.count == 1


@pytest.mark.parametrize("path", ["/v2/sessions/{}/run/stream", "/sandbox/{}/run/stream"])
async def test_a_stream_runs_once_and_its_repeat_names_the_transcript(http: httpx2.AsyncClient, path: str) -> None:
    made = await http.post("/v2/sessions", json={"compute": {"provider": "local"}})
    session_id = made.json()["session_id"]
    key, body = {"Idempotency-Key": f"stream {path}"}, {"code": "echo once >> seen; cat seen"}
    first = await http.post(path.format(session_id), json=body, headers=key)
    assert (first.status_code, first.headers["x-cerver-session-id"]) == (200, session_id)
    assert '"once' in first.text
    again = await http.post(path.format(session_id), json=body, headers=key)
    assert (again.status_code, again.json()["code"], again.json()["session_id"]) == (409, "conflict", session_id)
    assert f"GET /v2/sessions/{session_id}?full=1" in again.json()["error"]
    other = await http.post(path.format(session_id), json={"code": "true"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    told = (await http.get(f"/v2/sessions/{session_id}?full=1")).json()["transcript"]
    assert [entry["role"] for entry in told].count("tool") == 1


async def test_a_stream_that_did_not_begin_leaves_its_key_free(http: httpx2.AsyncClient) -> None:
    session_id = (await http.post("/v2/sessions", json={"compute": None})).json()["session_id"]
    for _ in range(2):
        answer = await http.post(
            f"/v2/sessions/{session_id}/run/stream", json={"code": "true"}, headers={"Idempotency-Key": "not begun"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "session_state")


async def test_after_a_day_a_key_is_new(replies: EngineReplies, clock: ManualClock) -> None:
    call = _Call(Response(b"{}"))
    await once(_CREATE, "k1", b"body", replies, call)
    clock.advance(timedelta(hours=24))
    await once(_CREATE, "k1", b"body", replies, call)
    assert call.count == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "schlüssel"])
async def test_a_key_that_is_none_is_refused(replies: EngineReplies, key: str) -> None:
    with pytest.raises(InvalidInput):
        await once(_CREATE, key, b"body", replies, _Call(Response()))
