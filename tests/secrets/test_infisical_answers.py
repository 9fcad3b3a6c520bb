"""What the Infisical backend makes of every answer, and what never shows in an error."""

import asyncio
import gzip
import logging
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from cerver_core.errors import (
    SecretBackendMisconfigured,
    SecretBackendThrottled,
    SecretBackendUnreachable,
    SecretError,
    SecretForbidden,
    SecretNotFound,
)
from cerver_core.secrets.infisical import InfisicalBackend
from cerver_core.testing.infisical import Canned, InfisicalStandIn, refusing_url
from cerver_core.testing.secrets import HELD
from tests.secrets.conftest import Open, Pauses

TOKEN = "eyJ.canary-of-the-token.x"
HTML = f"<html><h1>502</h1>Authorization: Bearer {TOKEN} {HELD['SUITE_KEY']}</html>".encode()
HTML_TYPE = {"Content-Type": "text/html"}
ENOUGH = b'{"secret": {"secretKey": "SUITE_KEY", "secretValue": "a-good-value"}}'


@pytest.fixture
def stand_in() -> Iterator[InfisicalStandIn]:
    """Give one server: the answers are canned, so its age does not matter."""
    with InfisicalStandIn("today", vault={"prod": HELD}) as server:
        yield server


async def fetch_error(backend: InfisicalBackend) -> SecretError:
    with pytest.raises(SecretError) as caught:
        await backend.fetch("SUITE_KEY")
    return caught.value


Case = tuple[Canned, type[SecretError] | None, str]
ANSWERS: dict[str, Case] = {
    "secret missing in 2024": (
        Canned.error(400, "Secret not found", "BadRequest"),
        SecretNotFound,
        "no secret by exactly",
    ),
    "secret missing": (
        Canned.error(404, "Secret with name 'SUITE_KEY' not found", "NotFound"),
        SecretNotFound,
        "no secret",
    ),
    "secret named like a place": (
        Canned.error(404, "Secret with name 'project' not found"),
        SecretNotFound,
        "no secret",
    ),
    "some other 404": (Canned.error(404, "Gone fishing"), SecretNotFound, "no secret"),
    "folder missing in 2024": (Canned.error(400, "Folder not found"), SecretBackendMisconfigured, "does not exist"),
    "folder missing": (
        Canned.error(404, "Folder with path '/x' not found"),
        SecretBackendMisconfigured,
        "INFISICAL_SECRET",
    ),
    "project missing": (
        Canned.error(404, "Project with ID 'x' not found"),
        SecretBackendMisconfigured,
        "does not exist",
    ),
    "404 of some web server": (Canned(404, HTML, HTML_TYPE), SecretBackendMisconfigured, "not Infisical's API"),
    "bad request": (Canned.error(400, "Bad things"), SecretBackendMisconfigured, "calls the request invalid"),
    "no token in 2024": (
        Canned.error(403, "Token missing", "UnauthorizedError"),
        SecretForbidden,
        "accept the credential",
    ),
    "no token": (Canned.error(401, "Token missing", "UnauthorizedError"), SecretForbidden, "accept the credential"),
    "bad token in 2024": (Canned.error(500, "jwt malformed"), SecretForbidden, "accept the credential"),
    "bad signature in 2024": (Canned.error(500, "invalid signature"), SecretForbidden, "accept the credential"),
    "bad token": (Canned.error(403, "Please log in", "TokenError"), SecretForbidden, "accept the credential"),
    "denied in 2024": (Canned.error(401, "You cannot", "PermissionDenied"), SecretForbidden, "no permission"),
    "denied": (Canned.error(403, "You cannot", "PermissionDenied"), SecretForbidden, "no permission"),
    "not a member": (
        Canned.error(403, "Not a member of this project", "ForbiddenError"),
        SecretForbidden,
        "no permission",
    ),
    "403 of a firewall": (Canned(403, HTML, HTML_TYPE), SecretForbidden, "no permission"),
    "invalid in 2024": (Canned.error(403, ["a", "b"], "ValidationFailure"), SecretBackendMisconfigured, "invalid"),
    "invalid": (Canned.error(422, [{"path": ["x"]}], "ValidationFailure"), SecretBackendMisconfigured, "invalid"),
    "redirect": (Canned(302, b"", {"Location": "/elsewhere"}), SecretBackendMisconfigured, "redirects elsewhere"),
    "no content": (Canned(204), SecretBackendUnreachable, "bad answer"),
    "not JSON": (Canned(200, HTML), SecretBackendUnreachable, "bad answer"),
    "not UTF-8": (Canned(200, b"\xff\xfe{}"), SecretBackendUnreachable, "bad answer"),
    "a JSON list": (Canned(200, b"[1]"), SecretBackendUnreachable, "bad answer"),
    "deep JSON": (Canned(200, b"[" * 200_000), SecretBackendUnreachable, "bad answer"),
    "no secret in it": (Canned(200, b'{"secrets": []}'), SecretBackendUnreachable, "bad answer"),
    "secret is a text": (Canned(200, b'{"secret": "x"}'), SecretBackendUnreachable, "bad answer"),
    "no value": (Canned(200, b'{"secret": {"secretKey": "SUITE_KEY"}}'), SecretBackendUnreachable, "bad answer"),
    "value is a number": (
        Canned(200, b'{"secret": {"secretKey": "SUITE_KEY", "secretValue": 7}}'),
        SecretBackendUnreachable,
        "bad answer",
    ),
    "packed": (
        Canned(200, gzip.compress(ENOUGH), {"Content-Encoding": "gzip"}),
        SecretBackendUnreachable,
        "bad answer",
    ),
    "larger than 1 MiB": (Canned(200, b" " * 1024 * 1024 + ENOUGH), SecretBackendUnreachable, "larger than 1 MiB"),
    "almost 1 MiB": (Canned(200, b" " * 1024 * 1000 + ENOUGH), None, ""),
    "rate limited without a time": (Canned.error(429, "Slow down"), SecretBackendThrottled, "rate limited"),
    "rate limited for an hour": (
        Canned.error(429, "Slow down", Retry_After="3600"),
        SecretBackendThrottled,
        "rate limited",
    ),
    "rate limited for ever": (
        Canned.error(429, "Slow down", Retry_After="9" * 400),
        SecretBackendThrottled,
        "rate limited",
    ),
    "rate limited until a date": (
        Canned.error(429, "Slow down", Retry_After="Fri, 01 Jan 2027 00:00:00 GMT"),
        SecretBackendThrottled,
        "rate limited",
    ),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_answer_is_judged_by_status_and_text_and_asked_for_once(
    open_backend: Open,
    stand_in: InfisicalStandIn,
    pauses: Pauses,
    case: Case,
) -> None:
    answer, kind, sentence = case
    backend = await open_backend(token=TOKEN)
    stand_in.answers = [answer]

    if kind is None:
        assert (await backend.fetch("SUITE_KEY")).value == "a-good-value"
    else:
        error = await fetch_error(backend)
        assert type(error) is kind
        assert str(error).startswith("Infisical could not give 'SUITE_KEY': ")
        assert sentence in str(error)
        assert f"HTTP {answer.status}" in str(error)
    assert len(stand_in.seen) == 1
    assert pauses.seconds == []


async def test_both_apis_missing_is_a_wrong_address(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    stand_in.answers = [Canned.error(404, "Route GET:/api/v4/secrets/SUITE_KEY not found", "Not Found")] * 2

    error = await fetch_error(await open_backend(token=TOKEN))

    assert type(error) is SecretBackendMisconfigured
    assert "neither the v4 nor the v3 API" in str(error)
    assert len(stand_in.seen) == 2


async def test_a_short_pause_that_is_asked_for_is_kept_once(
    open_backend: Open, stand_in: InfisicalStandIn, pauses: Pauses
) -> None:
    backend = await open_backend(token=TOKEN)
    stand_in.answers = [Canned.error(429, "Slow down", Retry_After="3"), Canned(body=ENOUGH)]
    assert (await backend.fetch("SUITE_KEY")).value == "a-good-value"
    assert pauses.seconds == [3.0]

    stand_in.answers = [Canned.error(429, "Slow down", Retry_After="5")] * 2
    error = await fetch_error(backend)

    assert type(error) is SecretBackendThrottled
    assert error.detail == {"retry_after_s": 5.0}
    assert pauses.seconds == [3.0, 5.0]
    assert len(stand_in.seen) == 4


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_failing_server_is_asked_twice_more(
    open_backend: Open, stand_in: InfisicalStandIn, pauses: Pauses, status: int
) -> None:
    backend = await open_backend(token=TOKEN)
    failure = Canned(status, b'["a list"]')
    stand_in.answers = [failure, failure, Canned(body=ENOUGH)]
    assert (await backend.fetch("SUITE_KEY")).value == "a-good-value"

    stand_in.answers = [failure] * 3
    error = await fetch_error(backend)

    assert type(error) is SecretBackendUnreachable
    assert f"unavailable; ask again later (HTTP {status})" in str(error)
    assert len(stand_in.seen) == 6
    assert pauses.seconds == [0.2, 0.6] * 2


async def test_a_dropped_connection_is_tried_once_more(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await open_backend(token=TOKEN)
    stand_in.answers = [Canned(drop=True), Canned(body=ENOUGH)]
    assert (await backend.fetch("SUITE_KEY")).value == "a-good-value"

    stand_in.answers = [Canned(drop=True)] * 2
    error = await fetch_error(backend)

    assert type(error) is SecretBackendUnreachable
    assert "dropped the connection" in str(error)
    assert len(stand_in.seen) == 4


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (Canned.error(401, "Invalid credentials", "UnauthorizedError"), SecretForbidden, "accept the credential"),
        (Canned.error(403, "IP address not allowed", "ForbiddenError"), SecretForbidden, "accept the credential"),
        (Canned.error(404, "Identity not found", "NotFound"), SecretForbidden, "accept the credential"),
        (Canned.error(404, "Route POST:/x not found"), SecretBackendMisconfigured, "neither the v4 nor"),
        (Canned.error(422, ["x"], "ValidationFailure"), SecretBackendMisconfigured, "invalid"),
        (Canned.error(503, "Down"), SecretBackendUnreachable, "unavailable"),
        (Canned(drop=True), SecretBackendUnreachable, "dropped"),
        (Canned(body=b"{}"), SecretBackendUnreachable, "bad answer"),
        (Canned(body=b'{"accessToken": null}'), SecretBackendUnreachable, "bad answer"),
        (Canned(body=b'{"accessToken": "a\\r\\nX-More: b"}'), SecretBackendUnreachable, "bad answer"),
        (Canned(body='{"accessToken": "ü"}'.encode()), SecretBackendUnreachable, "bad answer"),
    ],
)
async def test_a_log_in_that_fails_is_not_repeated(
    open_backend: Open, stand_in: InfisicalStandIn, answer: Canned, kind: type[SecretError], sentence: str
) -> None:
    stand_in.answers = [answer]

    error = await fetch_error(await open_backend(client_id="the-id", client_secret="canary-secret"))

    assert type(error) is kind
    assert sentence in str(error)
    assert "canary-secret" not in str(error)
    assert len(stand_in.seen) == 1


async def test_a_refused_connection_is_reported_without_its_address(open_backend: Open, pauses: Pauses) -> None:
    url = refusing_url()

    error = await fetch_error(await open_backend(token=TOKEN, site_url=url))

    assert type(error) is SecretBackendUnreachable
    assert "cannot be connected to" in str(error)
    assert url.removeprefix("http://") not in "".join(traceback.format_exception(error))
    assert pauses.seconds == []


async def test_a_redirect_is_not_followed_and_no_token_goes_there(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    with InfisicalStandIn("today", vault={"prod": HELD}) as other:
        stand_in.answers = [Canned(302, b"", {"Location": f"{other.url}/api/v4/secrets/SUITE_KEY"})]
        await fetch_error(await open_backend(token=TOKEN))

        assert other.seen == []
    assert len(stand_in.seen) == 1


@pytest.mark.parametrize(
    "answer", [Canned(502, HTML, HTML_TYPE), Canned(400, HTML), Canned(200, HTML), Canned(drop=True)]
)
async def test_nothing_a_server_writes_and_no_token_shows_anywhere(
    open_backend: Open, stand_in: InfisicalStandIn, caplog: pytest.LogCaptureFixture, answer: Canned
) -> None:
    caplog.set_level(logging.DEBUG)
    stand_in.answers = [answer] * 3

    error = await fetch_error(await open_backend(token=TOKEN))

    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.detail) + caplog.text
    assert not any(canary in shown for canary in (TOKEN, HELD["SUITE_KEY"], "<h1>", stand_in.url, "proj-1"))


async def test_a_certificate_that_is_not_trusted_is_named_as_the_cause(open_backend: Open, tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_text(SELF_SIGNED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")

    async def ignore(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(ignore, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        error = await fetch_error(await open_backend(token=TOKEN, site_url=f"https://127.0.0.1:{port}"))

    assert type(error) is SecretBackendUnreachable
    assert "certificate is not trusted" in str(error)


SELF_SIGNED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgowGcID6oaxfMUNed
gCdK39dJtMfFeeC2Os/vSYhl9bahRANCAASKcPoMtZ69e5r81e7fJzRgwhSeqrDf
ToPulH6KF6nria8ito5uHbFuDhr1ztT5eJYOdZdGIAozADeBWudtfpbr
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUPn4hrNSyciu5M4bSnDsV5AipRLMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAzMzgyOVoYDzIxMjYxMDI5
MDMzODI5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASKcPoMtZ69e5r81e7fJzRgwhSeqrDfToPulH6KF6nria8ito5uHbFu
Dhr1ztT5eJYOdZdGIAozADeBWudtfpbro28wbTAdBgNVHQ4EFgQUOvhkWda1f/Li
UHya3dbuVbJSbOQwHwYDVR0jBBgwFoAUOvhkWda1f/LiUHya3dbuVbJSbOQwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgVrcQfuRhb1f+8SLnhv24AW6d+mznnt0w/B2mmoLpHOICIQCx
QOB+WwE61UD9YjWlyFQgI0HJQc97MRV7wYx3AmLoTA==
-----END CERTIFICATE-----
"""
"""A key and a certificate for localhost that nobody trusts, made for this test."""
