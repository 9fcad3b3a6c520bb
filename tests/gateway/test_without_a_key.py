"""What the old public pages show without a key: advice and simulated comparisons, from published figures alone."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.gateway.roads import Running


@pytest.fixture
async def stranger(running: Running) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=running.url, timeout=20) as client:
        yield client


async def test_a_stranger_is_advised_by_published_figures(stranger: httpx2.AsyncClient) -> None:
    body = {"task": "preview", "workload": "preview", "requirements": {"runtime": "node", "public_preview": True}}
    report = (await stranger.post("/gateway/recommend", json=body)).raise_for_status().json()
    names = {verdict["name"] for verdict in report["providers"]}
    assert names == {"vercel", "e2b", "cloudflare", "daytona"}
    assert report["decision"]["recommended_provider"] in names
    assert report["decision"]["confidence"] != "high"
    assert report["human_summary"]["next_action"] == "Give a key, and the advice is about your own providers."
    assert {verdict["estimates"]["startup_ms"]["source"] for verdict in report["providers"]} == {"profile"}


async def test_a_stranger_may_compare_and_nothing_is_run(stranger: httpx2.AsyncClient) -> None:
    body = {"kind": "cold_start", "workload": "coding", "providers": ["vercel", "e2b"], "sample_size": 4}
    report = (await stranger.post("/gateway/stress-tests", json=body)).raise_for_status().json()
    assert (report["simulated"], report["sampleSize"], len(report["results"])) == (True, 4, 2)
    assert "nothing was run" in report["summary"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gateway/recommend", {"canary": True}),
        ("/gateway/stress-tests", {"mode": "live"}),
        ("/v2/account/routing-policy", None),
        ("/gateway/providers", None),
    ],
)
async def test_what_runs_or_belongs_to_an_account_wants_a_key(
    stranger: httpx2.AsyncClient, path: str, body: dict[str, object] | None
) -> None:
    answer = await (stranger.get(path) if body is None else stranger.post(path, json=body))
    assert answer.status_code == 401


async def test_a_key_that_is_not_accepted_is_said_all_the_same(stranger: httpx2.AsyncClient) -> None:
    wrong = {"Authorization": "Bearer ck_wrong_key"}
    assert (await stranger.post("/gateway/recommend", json={}, headers=wrong)).status_code == 401
