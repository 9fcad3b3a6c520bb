"""What `CloudHttp` makes of a vendor that is slow, silent, broken or unwilling, over real sockets."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest
from anyio.abc import SocketStream
from pydantic import JsonValue

from cerver_core.errors import (
    CerverError,
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    PaymentRequired,
    ProviderFailed,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    TooLarge,
)
from cerver_core.providers.http import CloudHttp, Vendor, placeable
from cerver_core.testing.infisical import refusing_url

SECRET = "secret-credential-1234"
WAIT_S = 20.0

Answer = Callable[[SocketStream], Awaitable[None]]


@dataclass
class Server:
    """A vendor that reads requests and answers each as it is told, on whichever connection it comes."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list[bytes])

    @asynccontextmanager
    async def client(self, timeout_s: float = WAIT_S) -> AsyncGenerator[CloudHttp]:
        vendor = Vendor("acme", "ACME_KEY", (SECRET,), request_id="x-acme-id")
        headers = {"Authorization": f"Bearer {SECRET}"}
        with anyio.fail_after(WAIT_S):
            async with CloudHttp(vendor, self.url, headers, timeout_s=timeout_s) as http:
                yield http

    async def serve(self, answers: list[Answer], stream: SocketStream) -> None:
        held = b""
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with stream:
                while True:
                    while b"\r\n\r\n" not in held:
                        held += await stream.receive()
                    request, _, held = held.partition(b"\r\n\r\n")
                    self.requests.append(request)
                    await answers.pop(0)(stream)


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncGenerator[Server]:
    server, listener = Server(), await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    server.url = f"http://127.0.0.1:{port}/api/"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(listener.serve, partial(server.serve, list(answers))))
        yield server
        tasks.cancel_scope.cancel()


def says(status: int, body: bytes, **headers: str) -> Answer:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *lines])
    return lambda stream: stream.send(f"{head}\r\n\r\n".encode() + body)


def begins(part: bytes) -> Answer:
    """Send a part of an answer, then nothing, until the other side leaves."""

    async def answer(stream: SocketStream) -> None:
        await stream.send(part)
        while True:
            await stream.receive()

    return answer


def breaks(part: bytes) -> Answer:
    async def answer(stream: SocketStream) -> None:
        await stream.send(part)
        await stream.aclose()

    return answer


HALF = b"HTTP/1.1 200 X\r\nContent-Length: 20\r\n\r\n{"


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 X\r\n", HALF])
async def test_an_answer_that_stops_is_given_up_at_the_deadline(part: bytes) -> None:
    async with serving(begins(part)) as server, server.client(0.2) as http:
        with pytest.raises(
            DeadlineExceeded, match=r"acme did not answer POST /thing within 0\.2 s; it may have"
        ) as late:
            await http.json("POST", "/thing", body={})
        assert late.value.detail == {"provider": "acme"}
    assert len(server.requests) == 1


async def test_a_call_may_set_a_limit_of_its_own() -> None:
    async with serving(begins(HALF)) as server, server.client() as http:
        with pytest.raises(DeadlineExceeded, match=r"within 0\.2 s"):
            await http.whole("GET", "/thing", timeout_s=0.2)


async def test_an_answer_that_trickles_for_ever_is_given_up_at_the_deadline() -> None:
    async def trickles(stream: SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await stream.send(b"x")
            await anyio.sleep(0.01)

    async with serving(trickles) as server, server.client() as http:
        with pytest.raises(DeadlineExceeded, match="did not answer GET /thing"):
            await http.whole("GET", "/thing", timeout_s=0.3)


async def test_a_stream_that_falls_silent_is_given_up_and_one_that_speaks_is_not() -> None:
    async with serving(begins(HALF)) as server, server.client() as http:
        pieces: list[bytes] = []
        with pytest.raises(DeadlineExceeded, match="stopped answering GET /thing"):
            async with http.stream("GET", "/thing", silence_s=0.3) as stream:
                pieces = [piece async for piece in _kept(stream, pieces)]
        assert pieces == [b"{"]


async def _kept(stream: AsyncIterator[bytes], pieces: list[bytes]) -> AsyncIterator[bytes]:
    async for piece in stream:
        pieces.append(piece)
        yield piece


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 X\r\n", HALF])
async def test_what_may_have_been_done_is_not_sent_again(part: bytes) -> None:
    async with serving(breaks(part), says(200, b"{}")) as server, server.client() as http:
        with pytest.raises(ProviderUnavailable, match="broke during POST /thing") as broken:
            await http.json("POST", "/thing", body={})
        assert "never_sent" not in broken.value.detail
        assert len(server.requests) == 1


async def test_a_vendor_that_nobody_reaches_was_never_asked() -> None:
    async with Server(url=refusing_url()).client() as http:
        with pytest.raises(ProviderUnavailable, match=r"acme at 127\.0\.0\.1:\d+ cannot be reached") as refused:
            await http.json("GET", "/thing")
    assert refused.value.detail["never_sent"] is True


async def test_a_connection_serves_one_request_after_another() -> None:
    answers = says(200, b'{"a": 1}'), says(200, b""), says(404, b"{}"), says(200, b"{}")
    async with serving(*answers) as server, server.client() as http:
        assert await http.json("GET", "/one", query={"x": "y z"}) == {"a": 1}
        assert await http.json("DELETE", "/two") == {}
        with pytest.raises(NotFound):
            await http.json("GET", "/three")
        assert await http.json("GET", "/four") == {}
    assert server.requests[0].startswith((b"GET /api/one?x=y+z HTTP/1.1", b"GET /api/one?x=y%20z HTTP/1.1"))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderFailed),
        (400, ProviderFailed),
        (401, ProviderRefused),
        (402, PaymentRequired),
        (403, ProviderRefused),
        (404, NotFound),
        (409, Conflict),
        (410, NotFound),
        (413, TooLarge),
        (429, RateLimited),
        (500, ProviderUnavailable),
        (503, ProviderUnavailable),
    ],
)
async def test_a_status_is_told_by_its_error_without_the_credential(status: int, kind: type[CerverError]) -> None:
    body = f'{{"error": {{"code": "c1", "message": "no\\u0007 for {SECRET}"}}}}'.encode()
    answer = says(status, body, Retry_After="7", X_Acme_Id="req-9", Location="http://elsewhere.example/")
    async with serving(answer) as server, server.client() as http:
        with pytest.raises(kind, match=rf"^acme .*\(GET /thing: {status}, c1: no for \[redacted\]\)$") as told:
            await http.json("GET", "/thing")
    expected: dict[str, JsonValue] = {
        "provider": "acme", "status": status, "reason": "c1", "request_id": "req-9", "retry_after_s": 7.0,
    }  # fmt: skip
    assert told.value.detail == expected
    assert type(told.value) is kind


async def test_a_refusal_names_what_to_check_and_stops_no_fallback_in_silence() -> None:
    async with serving(says(401, b"no")) as server, server.client() as http:
        with pytest.raises(ProviderRefused, match="check ACME_KEY, which was set where Cerver runs"), placeable():
            await http.json("POST", "/thing")


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "soon", ""])
async def test_a_wait_that_is_no_time_is_left_out(wait: str) -> None:
    async with serving(says(429, b"", Retry_After=wait)) as server, server.client() as http:
        with pytest.raises(RateLimited) as told:
            await http.json("GET", "/thing")
    assert "retry_after_s" not in told.value.detail


@pytest.mark.parametrize("body", [b'{"half": ', b"[1]", b"\xff"])
async def test_an_answer_that_is_no_object_is_the_vendors_failure(body: bytes) -> None:
    async with serving(says(200, body)) as server, server.client() as http:
        with pytest.raises(ProviderFailed, match="acme answered GET"):
            await http.json("GET", "/thing")


async def test_a_text_that_an_answer_lacks_is_the_vendors_failure() -> None:
    async with serving(says(200, b'{"id": "", "n": 1, "name": "x"}')) as server, server.client() as http:
        told = await http.json("GET", "/thing")
        assert http.text(told, "name") == "x"
        for name in ("id", "n", "nothing"):
            with pytest.raises(ProviderFailed, match=f"acme answered without {name}"):
                http.text(told, name)


async def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    async with serving(says(200, b"x" * 100)) as server, server.client() as http:
        with pytest.raises(TooLarge, match="more than 99 bytes"):
            await http.whole("GET", "/thing", max_bytes=99)


async def test_text_that_no_header_holds_is_the_callers_mistake() -> None:
    async with serving() as server, server.client() as http:
        with pytest.raises(InvalidInput, match="not Unicode"):
            await http.whole("GET", "/thing", query={"x": "\ud800"})
        assert server.requests == []
