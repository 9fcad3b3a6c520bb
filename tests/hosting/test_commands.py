"""The commands of accounts: at a gateway with a key, and what the operator does at the store itself."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from cerver_core.client import Client
from cerver_core.client.logins import log_in
from cerver_core.wire.logins import DeviceLogin
from tests.gateway.roads import Running, gateway
from tests.hosting.served import Town, town

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run `cerver` with a home of its own; `_token` and `_url` lead to a gateway."""

    def run(*arguments: str, token: str = "", url: str = "") -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CERVER_")}
        told = {"CERVER_HOME": str(tmp_path / "mine"), "CERVER_API_TOKEN": token, "CERVER_GATEWAY_URL": url}
        return subprocess.run(
            [sys.executable, "-m", "cerver_core.cli", *arguments],
            env={**kept, **told},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Running, Town]]:
    told = Town()
    async with gateway(partial(town, tmp_path / "gateway", told)) as opened:
        yield opened, told


async def test_keys_and_projects_are_seen_to_from_the_command_line(
    command: Command, running: tuple[Running, Town]
) -> None:
    gate, told = running
    at = partial(command, token=told.keys["bob"], url=gate.url)

    async def said(*arguments: str) -> str:
        done = await anyio.to_thread.run_sync(lambda: at(*arguments))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(await said("whoami", "--json"))["account_id"] == told.accounts["bob"]
    assert (await said("projects", "create", "My Web")).strip() == "my-web"
    assert (await said("projects", "add-env", "my-web", "prod", "--default")).strip() == "prod"
    await said("projects", "add-repo", "my-web", "prod", "https://git.example/web")
    assert "https://git.example/web" in await said("projects", "repos", "my-web", "prod")
    key = (await said("keys", "create", "--project", "my-web", "--label", "ci", "--scope", "read")).strip()
    assert key.startswith("ck_")
    listed = json.loads(await said("keys", "--json"))
    assert [(one["label"], one["project_slug"], one["scopes"]) for one in listed][:1] == [("ci", "my-web", ["read"])]
    await said("keys", "revoke", key[:19])
    assert "ci" not in await said("keys")
    denied = await anyio.to_thread.run_sync(lambda: at("admin", "accounts"))
    assert denied.returncode != 0
    assert "Operator access" in denied.stderr


async def test_what_was_spent_and_done_is_told_and_limited_from_the_command_line(
    command: Command, running: tuple[Running, Town]
) -> None:
    gate, told = running
    at = partial(command, token=told.keys["bob"], url=gate.url)

    async def said(*arguments: str, code: int = 0) -> str:
        done = await anyio.to_thread.run_sync(lambda: at(*arguments))
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    made = (await said("create", "--no-compute", "--name", "notes")).split()[0]
    bill = await said("billing")
    assert [line.split()[:2] for line in bill.splitlines()[1:4]] == [
        ["sessions", "$0.002"],
        ["sandboxes", "$0.000"],
        ["total", "$0.002"],
    ]
    assert bill.splitlines()[4].split() == ["limit", "none"]
    assert made in await said("billing", "--sessions")
    assert "$0.001 a month; $0.002 spent" in await said("billing", "--set-limit", "0.001")
    assert "raise the limit" in await said("create", "--no-compute", code=4)
    assert "say 20 or 12.50" in await said("billing", "--set-limit", "much", code=2)
    assert (await said("billing", "--set-limit", "none")).strip() == "none"
    trail = json.loads(await said("audit", "--json"))["entries"]
    assert {entry["key"] for entry in trail} == {told.keys["bob"][:19]}
    assert trail[0]["action"] in await said("audit", "--limit", "1")


async def test_a_machine_s_login_waits_for_the_page_and_gets_a_key_that_works(running: tuple[Running, Town]) -> None:
    gate, told = running
    shown, began = list[DeviceLogin](), anyio.Event()
    keys: list[str] = []

    def show(login: DeviceLogin) -> None:
        shown.append(login)
        began.set()

    async def machine() -> None:
        keys.append(await log_in(gate.url, "laptop", show, sleep=_nap))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks, httpx2.AsyncClient() as http:
            tasks.start_soon(machine)
            await began.wait()
            form = {"code": shown[0].user_code, "key": told.keys["ann"], "answer": "approve"}
            await http.post(f"{gate.url}/approve", data=form)
    async with Client(gate.url, keys[0]) as client:
        assert (await client.account.whoami()).account_id == told.accounts["ann"]
        assert (await client.account.list_keys()).keys[0].label == "login of laptop"


async def _nap(_: float) -> None:
    await anyio.sleep(0.02)


def test_the_operator_works_at_the_store_without_a_gateway(command: Command) -> None:
    invited = command("admin", "invite", "ann@example.com")
    assert invited.returncode == 0, invited.stderr
    assert invited.stdout.startswith("http://127.0.0.1:8787/invite?token=")
    listed = json.loads(command("admin", "accounts", "--json").stdout)
    assert [one["account_id"] for one in listed] == ["local"]
    key = command("admin", "key").stdout.strip()
    assert key.startswith("ck_")
    rotated = command("admin", "rotate-key")
    assert (rotated.returncode, "1 rows" in rotated.stderr) == (0, True)
    unknown = command("admin", "disable", "acct_0")
    assert (unknown.returncode, "there is no account" in unknown.stderr) == (3, True)


def test_embedded_there_is_nobody_to_log_out(command: Command) -> None:
    assert "nothing to log out" in command("logout").stderr
    assert json.loads(command("whoami", "--json").stdout)["account_id"] == "local"
    refused = command("keys")
    assert refused.returncode != 0
    assert "cerver serve" in refused.stderr
