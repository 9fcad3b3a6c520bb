"""The pages of approval and invitation, as a browser asks them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.gateway.roads import Running, gateway
from tests.hosting.served import Town, town


@dataclass
class Browser:
    running: Running
    town: Town
    http: httpx2.AsyncClient

    async def begin(self, machine: str = "laptop") -> dict[str, str]:
        response = await self.http.post(f"{self.running.url}/v2/auth/device", json={"machine_name": machine})
        return response.json()

    async def poll(self, login: dict[str, str]) -> dict[str, str | None]:
        response = await self.http.get(
            f"{self.running.url}/v2/auth/device", params={"device_code": login["device_code"]}
        )
        assert response.status_code < 400
        return response.json()

    async def send(self, path: str, form: dict[str, str], **headers: str) -> httpx2.Response:
        told = {"Origin": self.running.url, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.http.post(f"{self.running.url}{path}", data=form, headers=told)

    async def invitation(self, **asked: str) -> str:
        headers = {"Authorization": f"Bearer {self.town.keys['operator']}"}
        response = await self.http.post(f"{self.running.url}/v2/admin/invites", json=asked, headers=headers)
        assert response.status_code == 201
        return response.json()["url"].partition("token=")[2]


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    told = Town()
    async with gateway(partial(town, tmp_path, told)) as running, httpx2.AsyncClient(timeout=20) as http:
        yield Browser(running, told, http)


async def test_a_person_approves_with_a_key_and_the_machine_gets_its_own(browser: Browser) -> None:
    login = await browser.begin('<b>"laptop"</b>')
    shown = await browser.http.get(f"{browser.running.url}/approve?code={login['user_code']}")
    assert shown.status_code == 200
    assert login["user_code"] in shown.text
    assert "&lt;b&gt;&#34;laptop&#34;&lt;/b&gt; asks for a key" in shown.text
    assert "script" not in shown.text
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")
    assert (shown.headers["cache-control"], shown.headers["x-frame-options"]) == ("no-store", "DENY")
    assert (await browser.poll(login))["error"] == "authorization_pending"
    form = {"code": login["user_code"], "key": browser.town.keys["ann"], "answer": "approve"}
    done = await browser.send("/approve", form)
    assert (done.status_code, "is let in" in done.text) == (200, True)
    assert browser.town.keys["ann"] not in done.text
    told = await browser.poll(login)
    assert (told["status"], told["account_id"]) == ("approved", browser.town.accounts["ann"])
    assert (await browser.poll(login))["access_token"] is None


async def test_a_form_of_another_page_is_refused(browser: Browser) -> None:
    login = await browser.begin()
    form = {"code": login["user_code"], "key": browser.town.keys["ann"], "answer": "approve"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"}):
        refused = await browser.send("/approve", form, **headers)
        assert refused.status_code == 403, headers
    assert (await browser.poll(login))["status"] == "pending"


async def test_without_a_good_key_nothing_is_approved_nor_denied(browser: Browser) -> None:
    login = await browser.begin()
    for key, answer, status in (
        ("", "approve", 400),
        ("ck_nonsense", "approve", 401),
        ("ck_nonsense", "deny", 401),
        (browser.town.keys["ann reads"], "approve", 403),
        (browser.town.keys["ann's page"], "approve", 403),
    ):
        response = await browser.send("/approve", {"code": login["user_code"], "key": key, "answer": answer})
        assert response.status_code == status, (key[:3], answer)
    assert (await browser.poll(login))["status"] == "pending"
    await browser.send("/approve", {"code": login["user_code"], "key": browser.town.keys["ann"], "answer": "deny"})
    assert (await browser.poll(login))["error"] == "access_denied"


async def test_an_invitation_is_followed_to_a_new_account_once(browser: Browser) -> None:
    token = await browser.invitation(email="carol@example.com")
    shown = await browser.http.get(f"{browser.running.url}/invite", params={"token": token})
    assert "carol@example.com" in shown.text
    done = await browser.send("/invite", {"token": token})
    found = re.search(r"ck_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}", done.text)
    assert found is not None
    who = await browser.http.get(
        f"{browser.running.url}/v2/auth/whoami", headers={"Authorization": f"Bearer {found[0]}"}
    )
    assert who.json()["email"] == "carol@example.com"
    assert (await browser.send("/invite", {"token": token})).status_code == 403
    assert (await browser.http.get(f"{browser.running.url}/invite", params={"token": token})).status_code == 404


async def test_an_invitation_can_be_given_in_place_of_a_key(browser: Browser) -> None:
    login, token = await browser.begin(), await browser.invitation(email="dan@example.com")
    url = f"{browser.running.url}/invite?token={token}"
    done = await browser.send("/approve", {"code": login["user_code"], "invitation": url, "answer": "approve"})
    assert "is let in" in done.text
    assert (await browser.poll(login))["status"] == "approved"


async def test_a_code_that_waits_no_more_says_so(browser: Browser) -> None:
    page = await browser.http.get(f"{browser.running.url}/approve?code=ZZZZ-ZZZZ")
    assert "No login waits" in page.text
    empty = await browser.http.get(f"{browser.running.url}/approve")
    assert "The code that the machine shows" in empty.text
    assert (await browser.send("/approve", {"code": "x" * 9_000})).status_code == 413
