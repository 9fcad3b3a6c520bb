"""The Infisical backend passes the contract against both ages of the server, and asks as it should."""

import logging
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
import pytest

from cerver_core.errors import (
    SecretBackendMisconfigured,
    SecretBackendUnreachable,
    SecretError,
    SecretNotFound,
)
from cerver_core.secrets.base import Secret, SecretBackend
from cerver_core.secrets.infisical import InfisicalLimits
from cerver_core.testing.infisical import Age, InfisicalStandIn, refusing_url
from cerver_core.testing.secrets import HELD, INVALID_NAMES, RemoteSecretBackendContract
from tests.secrets.conftest import Open, fails, identified, paths

VALUE = HELD["SUITE_KEY"]
SHORT = InfisicalLimits(connect_s=0.3, attempt_s=0.3, call_s=0.6)


class TestWithAServiceToken(RemoteSecretBackendContract):
    @pytest.fixture
    async def backend(self, open_backend: Open) -> SecretBackend:
        return await open_backend()

    @pytest.fixture
    async def unreachable(self, open_backend: Open) -> SecretBackend:
        return await open_backend(site_url=refusing_url())


class TestWithAMachineIdentity(RemoteSecretBackendContract):
    @pytest.fixture
    async def backend(self, open_backend: Open, stand_in: InfisicalStandIn) -> SecretBackend:
        return await identified(open_backend, stand_in)

    @pytest.fixture
    async def unreachable(self, open_backend: Open) -> SecretBackend:
        return await open_backend(site_url=refusing_url(), client_id="an-id", client_secret="a-secret")


async def test_the_newest_api_is_asked_first_and_the_older_one_remembered(
    open_backend: Open, stand_in: InfisicalStandIn, age: Age
) -> None:
    backend = await open_backend()
    await backend.fetch("SUITE_KEY")
    await backend.fetch("suite_lower")
    await fails(backend, SecretNotFound, "SUITE_MISSING")

    new = [f"/api/v4/secrets/{name}" for name in ("SUITE_KEY", "suite_lower", "SUITE_MISSING")]
    old = [f"/api/v3/secrets/raw/{name}" for name in ("SUITE_KEY", "suite_lower", "SUITE_MISSING")]
    assert paths(stand_in) == (new if age == "today" else [new[0], *old])


async def test_a_request_says_where_to_look_and_nothing_else(
    open_backend: Open, stand_in: InfisicalStandIn, age: Age
) -> None:
    backend = await open_backend(token=(token := stand_in.add_service_token(path="/**")))
    await backend.fetch("SUITE_KEY")

    asked = stand_in.seen[-1]
    assert parse_qs(urlsplit(asked.target).query) == {
        "projectId" if age == "today" else "workspaceId": ["proj-1"],
        "environment": ["prod"],
        "secretPath": ["/"],
        "type": ["shared"],
        "expandSecretReferences": ["true"],
        "include_imports": ["true"],
    }
    assert asked.headers["authorization"] == f"Bearer {token.rpartition('.')[0]}"
    assert asked.headers.keys() <= {"host", "accept", "accept-encoding", "user-agent", "authorization"}


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("X?environment=dev&workspaceId=o#", "X%3Fenvironment%3Ddev%26workspaceId%3Do%23"),
        ("../x", "..%2Fx"),
        ("%2e%2e/x", "%252e%252e%2Fx"),
        ("a b+c", "a%20b%2Bc"),
        ("schlüssel", "schl%C3%BCssel"),
    ],
)
async def test_a_name_is_one_encoded_segment_on_the_wire(
    open_backend: Open, stand_in: InfisicalStandIn, name: str, segment: str
) -> None:
    await fails(await open_backend(), SecretNotFound, name)

    assert [path.rpartition("/")[2] for path in paths(stand_in)] == [segment] * len(stand_in.seen)
    assert all(parse_qs(urlsplit(seen.target).query)["environment"] == ["prod"] for seen in stand_in.seen)


async def test_an_invalid_name_makes_no_call(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await open_backend()
    for name in INVALID_NAMES:
        with pytest.raises(SecretError):
            await backend.fetch(name)

    assert stand_in.seen == []


async def test_opening_makes_no_call(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    await identified(open_backend, stand_in)

    assert stand_in.seen == []


async def test_no_value_is_kept(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await open_backend()
    await backend.fetch("SUITE_KEY")
    stand_in.rewrite = {"secretValue": "the-rotated-value"}

    assert (await backend.fetch("SUITE_KEY")).value == "the-rotated-value"


async def test_callers_of_one_name_at_one_time_share_one_request(
    open_backend: Open, stand_in: InfisicalStandIn, age: Age
) -> None:
    backend = await open_backend()
    secrets: list[Secret] = []

    async def fetch() -> None:
        secrets.append(await backend.fetch("SUITE_KEY"))

    stand_in.hold()
    async with anyio.create_task_group() as callers:
        for _ in range(10):
            callers.start_soon(fetch)
        await anyio.to_thread.run_sync(stand_in.wait_for_requests, 1)
        stand_in.release()

    assert [secret.value for secret in secrets] == [VALUE] * 10
    assert len(stand_in.seen) == (1 if age == "today" else 2)


async def test_callers_who_share_a_request_share_its_error(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await open_backend()
    errors: list[SecretError] = []

    async def fetch() -> None:
        with pytest.raises(SecretNotFound) as caught:
            await backend.fetch("SUITE_MISSING")
        errors.append(caught.value)

    stand_in.hold()
    async with anyio.create_task_group() as callers:
        for _ in range(3):
            callers.start_soon(fetch)
        await anyio.to_thread.run_sync(stand_in.wait_for_requests, 1)
        stand_in.release()

    assert len({str(error) for error in errors}) == 1
    assert len({id(error) for error in errors}) == 3


async def test_when_the_first_caller_is_cancelled_the_next_one_asks(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    backend = await open_backend()
    secrets: list[Secret] = []
    first = anyio.CancelScope()

    async def give_up() -> None:
        with first:
            await backend.fetch("SUITE_KEY")

    async def stay() -> None:
        secrets.append(await backend.fetch("SUITE_KEY"))

    stand_in.hold()
    async with anyio.create_task_group() as callers:
        callers.start_soon(give_up)
        await anyio.to_thread.run_sync(stand_in.wait_for_requests, 1)
        callers.start_soon(stay)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.to_thread.run_sync(stand_in.wait_for_requests, 2)
        stand_in.release()

    assert [secret.value for secret in secrets] == [VALUE]


async def test_only_the_key_and_the_value_must_be_there(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    optional = "_id id workspace environment version type secretComment tags secretPath"
    stand_in.rewrite.update(dict.fromkeys(optional.split()))

    assert (await (await open_backend()).fetch("SUITE_KEY")).value == VALUE


async def test_a_check_says_which_place_accepts_the_credential(open_backend: Open) -> None:
    line = await (await open_backend()).check()

    assert line == "infisical: accepts the credential for environment prod, path /"


@pytest.mark.parametrize(
    "wrong", [{"environment": "staging"}, {"secret_path": "/nowhere"}, {"project_id": "proj-2"}], ids=str
)
async def test_a_check_of_a_place_that_does_not_exist_names_the_settings(
    open_backend: Open, stand_in: InfisicalStandIn, wrong: dict[str, str]
) -> None:
    identity = stand_in.add_identity()
    backend = await open_backend(client_id=identity.client_id, client_secret=identity.client_secret, **wrong)

    with pytest.raises(SecretBackendMisconfigured, match="does not exist; check INFISICAL_PROJECT_ID"):
        await backend.check()


async def test_a_server_that_hangs_is_given_up_while_others_are_answered(
    open_backend: Open, stand_in: InfisicalStandIn
) -> None:
    backend = await open_backend(SHORT)
    stand_in.hold()
    began_s = anyio.current_time()
    ticks = 0
    errors: list[SecretError] = []
    async with anyio.create_task_group() as callers:

        async def tick() -> None:
            nonlocal ticks
            while True:
                await anyio.sleep(0.01)
                ticks += 1

        callers.start_soon(tick)
        errors.append(await fails(backend, SecretBackendUnreachable))
        callers.cancel_scope.cancel()

    assert "no answer in time" in str(errors[0])
    assert anyio.current_time() - began_s < 3
    assert ticks > 5


async def test_the_whole_call_is_bounded_whatever_is_tried_again(
    stand_in: InfisicalStandIn, open_backend: Open
) -> None:
    identity = stand_in.add_identity()
    backend = await open_backend(
        InfisicalLimits(attempt_s=30, call_s=0.3), client_id=identity.client_id, client_secret=identity.client_secret
    )
    stand_in.hold()

    assert "no answer in time" in str(await fails(backend, SecretBackendUnreachable))


async def test_proxies_and_netrc_of_the_environment_are_not_heeded(
    open_backend: Open, stand_in: InfisicalStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, refusing_url())
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))

    assert (await (await open_backend()).fetch("SUITE_KEY")).value == VALUE
    assert stand_in.seen[-1].headers["authorization"].startswith("Bearer st.")


async def test_no_log_holds_a_name_a_project_a_token_or_a_value(
    open_backend: Open, stand_in: InfisicalStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    backend = await identified(open_backend, stand_in)
    await backend.fetch("SUITE_KEY")
    await fails(backend, SecretNotFound, "SUITE_MISSING")

    written = "\n".join(record.getMessage() for record in caplog.records)
    canaries = ["SUITE_", "proj-1", *stand_in.rules.access_tokens, *stand_in.rules.identities, VALUE]
    assert not any(canary in written for canary in canaries)


async def test_a_closed_backend_says_how_to_use_it(open_backend: Open) -> None:
    backend = await open_backend()
    await backend.__aexit__(None, None, None)

    with pytest.raises(RuntimeError, match="async with"):
        await backend.fetch("SUITE_KEY")


async def test_threads_of_the_stand_in_end_with_it(age: Age) -> None:
    before = set(threading.enumerate())
    with InfisicalStandIn(age, vault={}):
        assert len(set(threading.enumerate()) - before) == 1

    assert set(threading.enumerate()) <= before


async def test_a_server_without_tls_behind_https_is_unreachable(open_backend: Open, stand_in: InfisicalStandIn) -> None:
    backend = await open_backend(SHORT, site_url=stand_in.url.replace("http:", "https:"))

    await fails(backend, SecretBackendUnreachable)
