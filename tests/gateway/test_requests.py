"""What comes back for requests that are wrong: by their key, path, body, size or speed. Never a trace, never a 500."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest

from cerver_core.gateway.limits import Limits
from tests.gateway.roads import Running, connection_to, gateway, sqlite_host

SESSIONS = "/v2/sessions"


def problem(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    told = answer.json()
    assert isinstance(told["error"], str)
    assert told["error"]
    assert "Traceback" not in answer.text
    return told


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Authorization": ""}, "Bearer"),
        ({"Authorization": "Basic abc"}, "Bearer"),
        ({"Authorization": "Bearer"}, "no key was given"),
        ({"Authorization": "Bearer ck_wrong"}, "not accepted"),
        ({"Authorization": "Bearer " + "x" * 5_000}, "not accepted"),
        ({"Authorization": b"Bearer \xff\xfe"}, "not accepted"),
    ],
)
async def test_no_key_or_a_wrong_one_is_401_and_says_how(
    http: httpx2.AsyncClient, headers: dict[str, Any], says: str
) -> None:
    answer = await http.get(SESSIONS, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    told = problem(answer)
    assert told["code"] == "unauthorized"
    assert says in told["error"]


async def test_a_request_without_the_header_is_401(running: Running) -> None:
    async with httpx2.AsyncClient(base_url=running.url) as stranger:
        answer = await stranger.post(SESSIONS, json={})
    assert (answer.status_code, problem(answer)["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "path",
    ["/v2", "/v2/nothing", "/v2/sessions//run", "/v2/sessions/a/b/c/d", "/../etc/passwd", "/v2/%2e%2e/%2e%2e/x"],
)
async def test_what_is_served_nowhere_is_a_problem_too(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "name", ["%2e%2e", "..%2f..%2fhealthz", "a%00b", "%ff", "x" * 3_000, "' OR 1=1 --", "%F0%9F%98%80"]
)
async def test_a_session_id_that_is_none_is_not_found(http: httpx2.AsyncClient, name: str) -> None:
    answer = await http.get(f"{SESSIONS}/{name}")
    assert (answer.status_code, problem(answer)["code"]) == (404, "session_not_found")


async def test_another_method_says_which_there_are(http: httpx2.AsyncClient) -> None:
    answer = await http.put(SESSIONS, json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert problem(answer)["allowed"] == ["GET", "POST"]
    assert (await http.head(SESSIONS)).status_code == 200


async def test_a_slash_at_the_end_changes_nothing(http: httpx2.AsyncClient) -> None:
    assert (await http.post(SESSIONS + "/", content=b'{"compute":null}')).status_code == 201


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('"text"', "object"),
        ('{"session_nam":"x"}', "session_nam: there is no such field; there are: session_id, session_name,"),
        ('{"requirements":{"public_port":1}}', "requirements.public_port: there is no such field; there are: runtime,"),
        ('{"compute":{"provder":"e2b"}}', "there are: provider, compute_id, credentials"),
        ('{"session_name":7}', "session_name: Input should be a valid string"),
        ('{"workload":"a\\u0000b"}', "control characters"),
        ('{"policy":{"mode":"slow"}}', "policy.mode: Input should be 'balanced'"),
        ('{"metadata":' + '{"a":' * 3_000 + "1" + "}" * 3_000 + "}", "recursion limit"),
        ('{"metadata":{"a":NaN}}', "NaN"),
        ('{"session_name":"\\ud800"}', "not JSON"),
        (b'{"session_name":"\xff"}', "not JSON"),
        ('{"task":"' + "x" * 200_000 + '"}', "at most 100000 characters"),
    ],
)
async def test_a_body_that_does_not_fit_names_the_field_and_what_is_allowed(
    http: httpx2.AsyncClient, body: str | bytes, says: str
) -> None:
    answer = await http.post(SESSIONS, content=body)
    assert answer.status_code == 400
    told = problem(answer)
    assert told["code"] == "invalid_input"
    assert says in told["error"]
    assert len(answer.content) < 4_000


async def test_an_unknown_field_lists_the_known_ones_for_a_program(http: httpx2.AsyncClient) -> None:
    told = problem(await http.post(SESSIONS, json={"compute": {"provder": "e2b"}}))
    assert (told["field"], told["allowed"]) == ("compute.provder", ["provider", "compute_id", "credentials"])


async def test_one_wrong_entry_is_named_and_not_its_list_too(http: httpx2.AsyncClient) -> None:
    made = (await http.post(SESSIONS, json={"compute": None})).json()["session_id"]
    entries = {"entries": [{"role": "user", "kind": "text", "content": ""}]}
    told = problem(await http.post(f"{SESSIONS}/{made}/transcript", json=entries))
    assert told["field"] == "entries.0"
    assert told["error"] == "entries.0: content is empty: only tool_use and tool_result entries may be, not 'text'"


async def test_a_parameter_that_is_unknown_is_an_error_and_an_empty_one_is_none(http: httpx2.AsyncClient) -> None:
    refused = await http.get(SESSIONS, params={"limt": "3"})
    assert "limt: there is no such field" in problem(refused)["error"]
    assert (await http.get(SESSIONS, params={"status": "", "source": "", "limit": "3"})).status_code == 200
    assert (await http.get(SESSIONS, params={"limit": "many"})).status_code == 400


async def test_numbers_beyond_reason_do_no_harm(http: httpx2.AsyncClient) -> None:
    made = (await http.post(SESSIONS, json={"compute": None})).json()["session_id"]
    for query in ("since=99999999999999999999999", "since=-1", "tail=2000", "limit=0", "around=0", "max_bytes=0"):
        assert (await http.get(f"{SESSIONS}/{made}?{query}")).status_code == 400, query
    assert (await http.get(f"{SESSIONS}/{made}?since=999999999999999")).status_code == 200
    for said in ('"metadata":{"a":[1e400]}', '"created_at":"0001-01-01T00:00:00+10:00"'):
        assert (await http.post(SESSIONS, content=f'{{"compute":null,{said}}}')).status_code == 400
    large = '{"compute":null,"metadata":{"a":123456789012345678901234567890}}'
    assert (await http.post(SESSIONS, content=large)).status_code == 201


async def test_what_a_caller_says_of_a_request_id_is_taken_unless_it_is_none(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    for bad in ("x" * 500, "a\tb"):
        told = (await http.get("/healthz", headers={"X-Request-Id": bad})).headers["x-request-id"]
        assert told.startswith("req_")


async def test_a_page_of_another_origin_may_ask(http: httpx2.AsyncClient) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = await http.options(SESSIONS, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    refused = await http.get(SESSIONS, headers={"Origin": "https://shop.example", "Authorization": "Bearer no"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")


async def test_large_answers_are_compressed_for_those_who_take_it(http: httpx2.AsyncClient) -> None:
    made = (await http.post(SESSIONS, json={"compute": None, "task": "word " * 10_000})).json()["session_id"]
    plain = await http.get(f"{SESSIONS}/{made}?tail=1", headers={"Accept-Encoding": "identity"})
    packed = await http.get(f"{SESSIONS}/{made}?tail=1", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["transcript"] == plain.json()["transcript"]


@pytest.mark.parametrize("media", ["application/json", "text/html"])
async def test_the_documentation_is_compressed_for_those_who_take_it(http: httpx2.AsyncClient, media: str) -> None:
    plain = await http.get("/v2/docs", headers={"Accept": media, "Accept-Encoding": "identity"})
    packed = await http.get("/v2/docs", headers={"Accept": media, "Accept-Encoding": "gzip"})
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept, Accept-Encoding")
    assert int(packed.headers["content-length"]) < len(plain.content) / 4
    same = ("content-type", "etag", "content-security-policy")
    assert [packed.headers.get(name) for name in same] == [plain.headers.get(name) for name in same]
    assert packed.text == plain.text


async def test_health_needs_no_key(running: Running) -> None:
    async with httpx2.AsyncClient(base_url=running.url) as stranger:
        assert (await stranger.get("/healthz")).json() == {"status": "ok"}
        assert (await stranger.get("/readyz")).json() == {"status": "ready"}


@pytest.fixture(scope="module")
async def narrow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    limits = Limits(header_bytes=4_096, header_s=0.3, body_bytes=2_000, bodies={}, body_pause_s=0.3, body_s=1)
    async with gateway(partial(sqlite_host, tmp_path_factory.mktemp("narrow")), limits=limits) as opened:
        yield opened


def told_by(running: Running, *pieces: bytes, wait_for_close: bool = True) -> bytes:
    """Send bytes as they are and give what comes back until the other side closes."""
    with connection_to(running) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
            if not wait_for_close and b"\r\n\r\n" in answer:
                break
        return answer


def body_of(answer: bytes) -> dict[str, Any]:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def ask(running: Running, *pieces: bytes) -> bytes:
    with anyio.fail_after(20):
        return await anyio.to_thread.run_sync(told_by, running, *pieces)


def head(running: Running, *more: str, method: str = "POST", path: str = SESSIONS) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {running.token}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_body_over_its_limit_is_413_before_it_is_read(narrow: Running) -> None:
    for pieces in (
        (head(narrow, "Content-Length: 999999999"),),
        (head(narrow, "Transfer-Encoding: chunked"), b"fff\r\n" + b" " * 0xFFF + b"\r\n"),
    ):
        answer = await ask(narrow, *pieces)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert body_of(answer)["limit_bytes"] == 2_000


async def test_a_body_that_stands_still_is_408(narrow: Running) -> None:
    answer = await ask(narrow, head(narrow, "Content-Length: 100"), b'{"task":')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "stood still" in body_of(answer)["error"]


async def test_headers_over_their_limit_are_431(narrow: Running) -> None:
    answer = await ask(narrow, head(narrow, "X-Large: " + "x" * 10_000))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert body_of(answer)["code"] == "too_large"
    long_path = await ask(narrow, head(narrow, method="GET", path="/v2/" + "y" * 10_000))
    assert long_path.startswith(b"HTTP/1.1 431 ")


async def test_headers_that_never_end_close_the_connection(narrow: Running) -> None:
    assert await ask(narrow, b"GET / HTTP/1.1\r\nX: y") == b""
    assert await ask(narrow) == b""
    flood = await ask(narrow, b"GET / HTTP/1.1\r\nX: " + b"y" * 4_000, b"z" * 4_000)
    assert flood.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "bytes_sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nA B: c\r\n\r\n"]
)
async def test_what_is_no_http_is_400_in_the_same_shape(narrow: Running, bytes_sent: bytes) -> None:
    answer = await ask(narrow, bytes_sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert body_of(answer)["code"] == "invalid_input"


async def test_a_header_cannot_be_smuggled_into_an_answer(narrow: Running) -> None:
    answer = await ask(
        narrow, head(narrow, "X-Request-Id: a", "Connection: close", method="GET", path="/x%0d%0aSet-Cookie:%20a=b")
    )
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert b"set-cookie" not in headers.lower()
    assert json.loads(body)["code"] == "not_found"


async def test_two_requests_at_once_on_one_connection_are_both_answered(narrow: Running) -> None:
    first = head(narrow, method="GET", path="/healthz")
    second = head(narrow, "Connection: close", method="GET", path="/healthz")
    answer = await ask(narrow, first + second)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_uploads_may_be_large_but_not_endless(tmp_path: Path) -> None:
    limits = Limits(bodies={"files.upload": 100_000, "files.write": 50_000})
    async with (
        gateway(partial(sqlite_host, tmp_path), limits=limits) as running,
        httpx2.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {running.token}"}) as http,
    ):
        session_id = (await http.post(SESSIONS, json={"compute": {"provider": "local"}})).json()["session_id"]
        written = await http.put(f"{SESSIONS}/{session_id}/files/content?path=a", content=b"x" * 50_000)
        assert written.status_code == 204
        over = await http.put(f"{SESSIONS}/{session_id}/files/content?path=b", content=b"x" * 50_001)
        assert (over.status_code, problem(over)["code"]) == (413, "too_large")
        folder = await http.put(f"{SESSIONS}/{session_id}/files/folder", content=b"\0" * 100_001)
        assert folder.status_code == 413
        garbage = await http.put(f"{SESSIONS}/{session_id}/files/folder", content=b"no archive" * 100)
        assert (garbage.status_code, problem(garbage)["code"]) == (400, "invalid_input")
