import gzip
import re
import socket

import anyio
import pytest

from cerver_core.client import Client
from cerver_core.errors import (
    CerverError,
    ConfigurationError,
    DeadlineExceeded,
    Forbidden,
    GatewayUnreachable,
    InvalidInput,
    NoComputeAvailable,
    NotFound,
    PaymentRequired,
    ProjectKeyRequired,
    ProviderFailed,
    RateLimited,
    SessionNotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from cerver_core.testing.gateway import StandInGateway
from cerver_core.wire.computes import ExecRequest
from cerver_core.wire.sessions import CreateSession, ListSessions, UpdateSession
from tests.client.conftest import Pauses

REPORT = {"decision": {"recommended_provider": None}, "providers": [{"name": "e2b", "status": "filtered"}]}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "bad", "code": "invalid_input"}, InvalidInput("bad")),
        (402, {"error": "cap", "kind": "spend_per_month"}, PaymentRequired("cap", kind="spend_per_month")),
        (403, {"error": "no", "code": "project_key_required"}, ProjectKeyRequired("no")),
        (404, {"error": "gone", "code": "session_not_found"}, SessionNotFound("gone")),
        (409, {"error": "none", "code": "no_compute", **REPORT}, NoComputeAvailable("none", **REPORT)),
        (500, {"error": "Maximum number of agents"}, CerverError("Maximum number of agents")),
        (500, {"error": {"odd": 1}}, CerverError("HOST answered with HTTP status 500")),
        (418, {}, CerverError("HOST answered with HTTP status 418")),
    ],
)
async def test_a_problem_becomes_the_error_it_names(
    client: Client, gateway: StandInGateway, status: int, body: dict[str, object], expected: CerverError
) -> None:
    gateway.answer_next(status, body)
    with pytest.raises(CerverError) as refused:
        await client.sessions.create(CreateSession())
    assert type(refused.value) is type(expected)
    assert refused.value.message == expected.message.replace("HOST", gateway.url.removeprefix("http://"))
    assert refused.value.detail == expected.detail


async def test_a_token_that_is_not_accepted_says_what_to_check(gateway: StandInGateway) -> None:
    async with Client(gateway.url, "ck_wrong") as stranger:
        with pytest.raises(Unauthorized, match="check CERVER_API_TOKEN") as refused:
            await stranger.sessions.list(ListSessions())
    assert "ck_wrong" not in str(refused.value)


async def test_an_answer_that_repeats_the_token_is_masked(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(403, {"error": f"key {gateway.token} lacks the right\u202e"})
    with pytest.raises(Forbidden, match=r"^key \*\*\* lacks the right\\u202e$"):
        await client.computes.list()


async def test_asking_too_often_says_when_to_come_back(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(429, {"error": "slow down"}, headers={"Retry-After": "7"})
    with pytest.raises(RateLimited) as refused:
        await client.sessions.list(ListSessions())
    assert refused.value.detail == {"retry_after_s": 7.0}
    assert len(gateway.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Unavailable), (502, Unavailable), (404, NotFound), (401, Unauthorized), (200, ProviderFailed)],
)
async def test_a_page_of_html_is_a_clear_error(
    client: Client, gateway: StandInGateway, status: int, kind: type[CerverError]
) -> None:
    gateway.answer_next(status, b"<html><h1>Oops</h1></html>")
    with pytest.raises(kind) as refused:
        await client.sessions.create(CreateSession())
    assert "<h1>" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)


async def test_a_redirect_is_not_followed_with_the_token(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(302, b"", headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(ProviderFailed, match=re.escape("https://elsewhere.example/")):
        await client.computes.list()


async def test_an_answer_in_another_shape_names_the_fields(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(200, {"sessions": [{"sessionId": "s", "status": "sk-value"}]})
    with pytest.raises(ProviderFailed, match=r"sessions\.0\.createdAt") as refused:
        await client.sessions.list(ListSessions())
    assert "sk-value" not in str(refused.value)


async def test_an_answer_beyond_its_limit_is_refused(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(200, gzip.compress(b"x" * 3_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TooLarge, match="1,000,000 bytes"):
        await client.files.read("s", "big", max_bytes=1_000_000)


async def test_a_broken_encoding_is_a_clear_error(client: Client, gateway: StandInGateway) -> None:
    gateway.answer_next(200, b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ProviderFailed, match="encoding"):
        await client.computes.list()


async def test_a_gateway_that_is_not_there_is_named(pauses: Pauses) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with Client(f"http://user:pass@127.0.0.1:{port}", "ck_token", sleep=pauses.sleep) as alone:
        with pytest.raises(GatewayUnreachable, match=rf"127\.0\.0\.1:{port} .*CERVER_GATEWAY_URL") as refused:
            await alone.sessions.list(ListSessions())
        assert pauses.taken == [0.2, 0.8]
        assert "pass" not in str(refused.value)
        with pytest.raises(GatewayUnreachable):
            await alone.sessions.create(CreateSession())
        assert pauses.taken == [0.2, 0.8]


async def test_a_name_that_does_not_resolve_is_unreachable(pauses: Pauses) -> None:
    async with Client("https://gateway.invalid", "ck_token", sleep=pauses.sleep) as alone:
        with pytest.raises(GatewayUnreachable, match=r"gateway\.invalid"):
            await alone.computes.list()


async def test_a_read_survives_a_busy_gateway(client: Client, gateway: StandInGateway, pauses: Pauses) -> None:
    gateway.answer_next(503, {"error": "busy"}, headers={"Retry-After": "2"})
    gateway.answer_next(503, {"error": "busy"}, headers={"Retry-After": "3600"})
    assert (await client.sessions.list(ListSessions())).sessions == ()
    assert pauses.taken == [2.0, 5.0]


async def test_a_read_gives_up_after_three_attempts(client: Client, gateway: StandInGateway, pauses: Pauses) -> None:
    gateway.answer_next(503, {"error": "busy"}, times=3)
    with pytest.raises(Unavailable, match="busy"):
        await client.sessions.list(ListSessions())
    assert len(gateway.seen) == 3
    assert pauses.taken == [0.2, 0.8]


async def test_a_write_is_never_sent_twice(client: Client, gateway: StandInGateway, pauses: Pauses) -> None:
    gateway.answer_next(503, {"error": "busy"})
    with pytest.raises(Unavailable, match="busy"):
        await client.computes.exec("s", ExecRequest(code="rm"))
    assert len(gateway.seen) == 1
    assert pauses.taken == []


async def test_silence_ends_at_the_limit(gateway: StandInGateway) -> None:
    gateway.stay_silent()
    async with Client(gateway.url, gateway.token, timeout_s=0.3) as hasty:
        with pytest.raises(DeadlineExceeded, match=r"computes\.list within 0\.3 s"):
            await hasty.computes.list()
        assert (await hasty.computes.list()).computes[0].label == "box"


async def test_a_call_can_be_cancelled(client: Client, gateway: StandInGateway) -> None:
    gateway.stay_silent()
    with anyio.move_on_after(0.2) as scope:
        await client.computes.exec("s", ExecRequest(code="sleep 99"))
    assert scope.cancelled_caught
    assert (await client.computes.list()).computes


@pytest.mark.parametrize("session_id", ["", ".", ".."])
async def test_a_path_is_not_left_through_an_id(client: Client, session_id: str) -> None:
    with pytest.raises(InvalidInput):
        await client.sessions.get(session_id)


async def test_an_odd_id_stays_one_segment_of_the_path(client: Client, gateway: StandInGateway) -> None:
    with pytest.raises(NotFound):
        await client.sessions.get("a/../../v2/computes?x=1#y")
    assert [seen for seen in gateway.seen if seen.path == "/v2/computes"] == []


async def test_text_that_is_not_unicode_is_refused_before_it_is_sent(client: Client, gateway: StandInGateway) -> None:
    with pytest.raises(InvalidInput, match="not Unicode"):
        await client.sessions.update("s", UpdateSession(metadata={"title": "\ud800"}))
    with pytest.raises(InvalidInput, match="not Unicode"):
        await client.sessions.get("\ud800")
    with pytest.raises(InvalidInput, match="path"):
        await client.files.read("s", "\ud800")
    with pytest.raises(InvalidInput, match="max_bytes"):
        await client.files.read("s", "a", max_bytes=-1)
    assert gateway.seen == []


@pytest.mark.parametrize(
    ("url", "token", "setting"),
    [
        ("ftp://gateway.example", "ck_a", "CERVER_GATEWAY_URL"),
        ("https://", "ck_a", "CERVER_GATEWAY_URL"),
        ("https://gateway.example", "", "CERVER_API_TOKEN"),
        ("https://gateway.example", "ck_a\nX-Evil: 1", "CERVER_API_TOKEN"),
        ("https://gateway.example", "ck_ü", "CERVER_API_TOKEN"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_at_once(url: str, token: str, setting: str) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        Client(url, token)


def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        _ = Client("https://gateway.example", "ck_a").sessions
