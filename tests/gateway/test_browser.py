"""The pages of a gateway in a real Chromium: they show, work without a script, and fetch nothing from elsewhere."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Page, async_playwright

from tests.gateway.processes import serving

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    _CHROMIUM is None, reason="no Chromium is installed here (Debian: apt install chromium)"
)


@asynccontextmanager
async def _page(foreign: list[str], wrong: list[str], origin: str) -> AsyncGenerator[Page]:
    """Open a page that notes requests to other places than the gateway, and errors."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda asked: None if asked.url.startswith(origin) else foreign.append(asked.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        try:
            yield page
        finally:
            await browser.close()


async def test_the_documentation_is_read_in_a_browser(tmp_path: Path) -> None:
    foreign: list[str] = []
    wrong: list[str] = []
    with serving(tmp_path) as gateway:
        async with _page(foreign, wrong, gateway.url) as page:
            await page.goto(f"{gateway.url}/v2/docs")
            assert await page.title() == "Cerver 0.1.0: the API"
            await page.get_by_role("link", name="Open a session.", exact=True).click()
            section = page.locator("section#sessions\\.create")
            assert await section.is_visible()
            assert "POST /v2/sessions" in await section.inner_text()
            assert page.url.endswith("#sessions.create")
    assert (foreign, wrong) == ([], [])


async def test_a_person_lets_a_machine_in(tmp_path: Path) -> None:
    foreign: list[str] = []
    wrong: list[str] = []
    with serving(tmp_path) as gateway:
        async with httpx2.AsyncClient(base_url=gateway.url) as machine, _page(foreign, wrong, gateway.url) as page:
            asked = (await machine.post("/v2/auth/device", json={"machine_name": "<b>laptop</b>"})).json()
            poll = {"device_code": asked["device_code"]}
            assert (await machine.get("/v2/auth/device", params=poll)).json()["status"] == "pending"
            assert asked["verification_uri"].startswith(f"{gateway.url}/approve")
            await page.goto(asked["verification_uri"])
            assert "<b>laptop</b>" in await page.locator("body").inner_text()
            await page.get_by_label("key", exact=False).first.fill(gateway.token)
            await page.get_by_role("button", name="Let it in").click()
            assert "The machine is let in" in await page.locator("body").inner_text()
            done = (await machine.get("/v2/auth/device", params=poll)).json()
            assert done["status"] == "approved"
            key = {"Authorization": f"Bearer {done['access_token']}"}
            assert (await machine.get("/v2/auth/whoami", headers=key)).status_code == 200
    assert (foreign, wrong) == ([], [])
