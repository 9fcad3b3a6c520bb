"""A gateway that runs no code of its own: what it says to who asks for a sandbox."""

from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.gateway.roads import gateway, guarded_host


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cerver", "cerver cannot run here now. Cerver has no pools of its own yet"),
        ("modal", "modal cannot run here now. There is no adapter for Modal yet"),
        ("local", "local cannot run here now. To use this machine, start the gateway on it with --local-compute"),
    ],
)
async def test_a_place_that_is_known_and_not_there_is_409_with_the_report(tmp_path: Path, name: str, said: str) -> None:
    async with gateway(partial(guarded_host, tmp_path)) as running, httpx2.AsyncClient(timeout=20) as http:
        key = {"Authorization": f"Bearer {running.token}"}
        sessions = f"{running.url}/v2/sessions"
        answer = await http.post(sessions, json={"compute": {"provider": name}}, headers=key)
        told = answer.json()
        assert (answer.status_code, told["code"], told["provider"]) == (409, "no_compute", name)
        assert told["error"].startswith(said)
        assert {"decision", "providers", "human_summary"} <= set(told)
        unknown = await http.post(sessions, json={"compute": {"provider": "nowhere"}}, headers=key)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "compute_not_found")
