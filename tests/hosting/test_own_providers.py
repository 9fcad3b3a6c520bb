"""Accounts bring their own credentials, and their sessions run on them: over a gateway, on a stand-in of E2B."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
import pytest
from pydantic import JsonValue

from cerver_core import plugins
from cerver_core.engine.tenant import HostOptions
from cerver_core.errors import ConfigurationError, InvalidInput
from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.clouds.e2b import E2bCloud
from tests.gateway.roads import Running, gateway
from tests.hosting.roads import stored_bytes
from tests.hosting.served import Town, town


@dataclass
class Street:
    running: Running
    town: Town
    http: httpx2.AsyncClient
    cloud: E2bCloud
    home: Path

    async def ask(self, who: str, method: str, path: str, body: JsonValue = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.town.keys[who]}"}
        return await self.http.request(method, f"{self.running.url}{path}", json=body, headers=headers)

    async def bring(self, who: str, **changes: JsonValue) -> None:
        credentials: dict[str, JsonValue] = {key.lower(): value for key, value in self.cloud.environ.items()}
        told: JsonValue = {"provider": "e2b", "credentials": credentials | changes}
        assert (await self.ask(who, "POST", "/v2/account/providers", told)).status_code < 300

    async def open(self, who: str, **compute: JsonValue) -> httpx2.Response:
        return await self.ask(who, "POST", "/v2/sessions", {"compute": {"provider": "e2b", **compute}})

    async def run(self, who: str, session_id: str) -> httpx2.Response:
        body: JsonValue = {"code": "echo $((6 * 7))", "runtime": "shell"}
        return await self.ask(who, "POST", f"/v2/sessions/{session_id}/run", body)


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    told, options = Town(), HostOptions(allows_private_networks=True)
    with E2bCloud(tmp_path / "cloud") as cloud:
        async with (
            gateway(partial(town, tmp_path, told, options)) as running,
            httpx2.AsyncClient(timeout=60) as http,
        ):
            yield Street(running, told, http, cloud, tmp_path)


async def test_code_runs_on_what_an_account_brought_and_nobody_else_can_use_it(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await street.bring("ann")
    opened = await street.open("ann")
    assert opened.status_code == 201, opened.text
    assert opened.json()["provider"] == "e2b"
    ran = await street.run("ann", opened.json()["session_id"])
    assert (ran.status_code, ran.json()["stdout"]) == (200, "42\n")
    assert street.cloud.count == 1

    refused = await street.open("bob")
    assert refused.status_code == 409
    assert refused.json()["code"] == "no_compute"
    assert "e2b_api_key" in refused.json()["error"]
    missing = {verdict["name"]: verdict["missing"] for verdict in refused.json()["providers"]}
    assert missing["e2b"] == (
        "To use E2B, set E2B_API_KEY where Cerver runs, or give its e2b_api_key with POST /v2/account/providers"
    )

    ended = await street.ask("ann", "DELETE", f"/v2/sessions/{opened.json()['session_id']}?delete_workspace=true")
    assert ended.status_code < 300
    assert street.cloud.count == 0
    told = "".join([opened.text, ran.text, refused.text, ended.text, caplog.text])
    assert street.cloud.api_key not in told
    assert street.cloud.api_key.encode() not in stored_bytes(street.home)


async def test_a_wrong_credential_is_told_and_its_replacement_works_at_once(street: Street) -> None:
    await street.bring("ann", e2b_api_key="e2b_wrong_wrong_wrong")
    refused = await street.open("ann")
    assert (refused.status_code, refused.json()["code"]) == (409, "provider_refused")
    assert "check E2B_API_KEY" in refused.json()["error"]
    assert "POST /v2/account/providers" in refused.json()["error"]
    assert "e2b_wrong" not in refused.text
    await street.bring("ann")
    assert (await street.open("ann")).status_code == 201


async def test_a_credential_that_stopped_working_is_never_told_as_the_callers_own(street: Street) -> None:
    await street.bring("ann")
    opened = await street.open("ann")
    session_id = opened.json()["session_id"]
    await street.bring("ann", e2b_api_key="e2b_wrong_wrong_wrong")
    session = f"/v2/sessions/{session_id}"
    asked = {
        "files": await street.ask("ann", "GET", f"{session}/files"),
        "run": await street.run("ann", session_id),
        "pause": await street.ask("ann", "POST", f"{session}/pause"),
        "resume": await street.ask("ann", "POST", f"{session}/resume"),
        "workspace": await street.ask("ann", "DELETE", f"{session}?delete_workspace=true"),
    }
    told = {name: (answer.status_code, answer.json().get("code")) for name, answer in asked.items()}
    assert told == dict.fromkeys(asked, (409, "provider_refused"))
    assert [answer.headers.get("WWW-Authenticate") for answer in asked.values()] == [None] * len(asked)
    await street.bring("ann")
    assert (await street.ask("ann", "DELETE", f"{session}?delete_workspace=true")).status_code < 300
    assert street.cloud.count == 0


async def test_what_nothing_keeps_is_not_paused_and_goes_at_the_end(street: Street, tmp_path: Path) -> None:
    with CloudflareCloud(tmp_path / "cloudflare") as cloud:
        own: JsonValue = {key.lower(): value for key, value in cloud.environ.items()}
        told: JsonValue = {"provider": "cloudflare", "credentials": own}
        assert (await street.ask("ann", "POST", "/v2/account/providers", told)).status_code < 300
        opened = await street.ask("ann", "POST", "/v2/sessions", {"compute": {"provider": "cloudflare"}})
        session_id = opened.json()["session_id"]
        paused = await street.ask("ann", "POST", f"/v2/sessions/{session_id}/pause")
        assert (paused.status_code, paused.json()["code"]) == (501, "not_supported")
        assert "cloudflare cannot pause a sandbox here: nothing would keep its files" in paused.json()["error"]
        assert (await street.run("ann", session_id)).json()["stdout"] == "42\n"
        ended = await street.ask("ann", "DELETE", f"/v2/sessions/{session_id}")
        assert (ended.status_code, ended.json()["sandbox_id"]) == (200, None)
        assert cloud.machines == {}  # it would run on, and cost


async def test_a_secret_that_a_vault_lacks_stops_that_provider_alone(street: Street) -> None:
    vault: JsonValue = {"provider": "cerver", "label": "empty", "secrets": {"OTHER": "x"}}
    vault_id = (await street.ask("ann", "POST", "/v2/account/infisical", vault)).json()["id"]
    await street.bring("ann", e2b_api_key={"secret": "THE_KEY", "vault_id": vault_id})
    listed = (await street.ask("ann", "GET", "/v2/providers")).json()["providers"]
    e2b = next(one for one in listed if one["name"] == "e2b")
    assert (e2b["status"], e2b["executable"]) == ("not_configured", False)
    assert "THE_KEY" in e2b["missing"]
    assert next(one for one in listed if one["name"] == "local")["executable"]


async def test_credentials_in_a_request_serve_that_session_and_no_other(street: Street) -> None:
    own: JsonValue = {key.lower(): value for key, value in street.cloud.environ.items()}
    opened = await street.open("ann", credentials=own)
    assert opened.status_code == 201, opened.text
    session_id = opened.json()["session_id"]
    assert (await street.run("ann", session_id)).json()["stdout"] == "42\n"
    assert (await street.open("ann")).status_code == 409
    assert street.cloud.api_key.encode() not in stored_bytes(street.home)
    assert (await street.ask("ann", "DELETE", f"/v2/sessions/{session_id}?delete_workspace=true")).status_code < 300
    assert street.cloud.count == 0


def test_an_address_that_leads_inside_is_refused_without_a_connection() -> None:
    with pytest.raises(InvalidInput, match="e2b_api_url of e2b: the address must begin with https"):
        plugins.own_provider("e2b", {"e2b_api_key": "k", "e2b_api_url": "http://169.254.169.254"})


def test_an_incomplete_credential_says_what_it_lacks() -> None:
    with pytest.raises(ConfigurationError, match="it needs vercel_oidc_token, or vercel_token and vercel_team_id and"):
        plugins.own_provider("vercel", {"vercel_token": "v"})


async def test_credentials_that_cannot_work_are_refused_when_they_are_given(street: Street) -> None:
    lacking: JsonValue = {"provider": "vercel", "credentials": {"vercel_token": "tok"}}
    answer = await street.ask("bob", "POST", "/v2/account/providers", lacking)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert "vercel_team_id and vercel_project_id" in answer.json()["error"]
    own: JsonValue = {"modal_api_key": "x"}
    stored = await street.ask("bob", "POST", "/v2/account/providers", {"provider": "modal", "credentials": own})
    inline = await street.ask("bob", "POST", "/v2/sessions", {"compute": {"provider": "modal", "credentials": own}})
    assert (stored.status_code, inline.status_code) == (501, 501)
    assert stored.json()["error"] == inline.json()["error"]
    assert (await street.ask("bob", "GET", "/v2/account/providers")).json()["providers"] == []
