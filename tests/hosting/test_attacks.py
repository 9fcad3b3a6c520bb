"""Attacks on accounts and money, each with the answer it gets."""

import socket
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from cerver_core.engine.tenant import HostOptions
from cerver_core.errors import CerverError, ConfigurationError, Forbidden, InvalidInput, PaymentRequired, StoreCorrupt
from cerver_core.keys import make_key
from cerver_core.reach import check_url, public_addresses
from cerver_core.secrets.guarded import guarded_transport
from cerver_core.testing.cerver.road import memory
from cerver_core.wire.account import SetSpendingLimit
from cerver_core.wire.logins import EmailLogin
from cerver_core.wire.projects import AddRepo, CreateEnvironment, CreateProject
from cerver_core.wire.sessions import CreateSession, ListSessions
from cerver_core.wire.vaults import CreateVault
from tests.gateway.roads import Running, gateway
from tests.hosting.roads import account_of, hosted, operator
from tests.hosting.served import Town, town

_PRIVATE = (
    "127.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "192.0.0.8",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "::127.0.0.1",
    "fec0::1",
    "fd00::1",
    "ff02::1",
)


@pytest.fixture
def told() -> Town:
    return Town()


@pytest.fixture
async def running(tmp_path: Path, told: Town) -> AsyncIterator[Running]:
    async with gateway(partial(town, tmp_path, told)) as opened:
        yield opened


def _as(told: Town, who: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {told.keys[who]}", **more}


async def test_every_bad_key_gets_the_same_401(running: Running, told: Town) -> None:
    key = told.keys["ann"]
    other = make_key("secret").text
    bad = ["nonsense", "ck_", other, key[:20] + other[20:], key[:-6] + "000000", key.upper(), "A" * 5_000]
    answers: set[tuple[int, bytes, str]] = set()
    async with httpx2.AsyncClient() as http:
        for one in bad:
            response = await http.get(f"{running.url}/v2/sessions", headers={"Authorization": f"Bearer {one}"})
            answers.add((response.status_code, response.content, response.headers["www-authenticate"]))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


@pytest.mark.parametrize(
    "body",
    [{"account_id": "acct_0000000000000000"}, {"spent_usd": 0}, {"status": "ready"}, {"compute": None, "id": "x"}],
)
async def test_a_body_that_says_more_than_it_may_is_refused(running: Running, told: Town, body: Any) -> None:
    async with httpx2.AsyncClient() as http:
        response = await http.post(f"{running.url}/v2/sessions", json=body, headers=_as(told, "bob"))
        assert response.status_code == 400
        listed = await http.get(f"{running.url}/v2/sessions", headers=_as(told, "bob"))
    assert listed.json()["sessions"] == []


async def test_one_idempotency_key_of_two_accounts_is_two(running: Running, told: Town) -> None:
    url = f"{running.url}/v2/sessions"
    async with httpx2.AsyncClient() as http:

        async def made(who: str, name: str = "n") -> httpx2.Response:
            body = {"compute": None, "session_name": name}
            return await http.post(url, json=body, headers=_as(told, who, **{"Idempotency-Key": "k1"}))

        first, again, other = await made("bob"), await made("bob"), await made("ann")
        assert first.json()["session_id"] == again.json()["session_id"] != other.json()["session_id"]
        assert (await made("bob", "another")).status_code == 422
        assert len((await http.get(url, headers=_as(told, "bob"))).json()["sessions"]) == 1


async def test_no_address_that_is_known_gets_a_key_and_every_refusal_reads_alike(tmp_path: Path) -> None:
    refusals: set[str] = set()
    for sign_up in ("closed", "invite", "open"):
        async with hosted(tmp_path / sign_up, options=HostOptions(signup=sign_up)) as host:
            await account_of(await operator(host), "ann@example.com")
            with pytest.raises(Forbidden) as caught:
                await host.logins.email(EmailLogin(email=" Ann@Example.com"[1:]))
            refusals.add(str(caught.value))
            if sign_up == "open":
                made = await host.logins.email(EmailLogin(email="new@example.com"))
                assert (await host.authenticate(made.api_key)).account_id == made.account_id
                with pytest.raises(Forbidden):
                    await host.logins.email(EmailLogin(email="NEW@example.com"))
            else:
                with pytest.raises(Forbidden) as caught:
                    await host.logins.email(EmailLogin(email="new@example.com"))
                refusals.add(str(caught.value))
            with pytest.raises(Forbidden):
                await host.logins.trial()
    assert len(refusals) == 1


async def test_of_a_hundred_that_spend_the_last_of_a_limit_one_gets_through(tmp_path: Path) -> None:
    async with hosted(tmp_path) as host, hosted(tmp_path) as replica:
        person = await operator(host)
        cervers = [await person.cerver(), replica.cerver(await replica.authenticate(person.key))]
        await cervers[0].account.set_spending_limit(SetSpendingLimit(limit_usd=0.002))
        outcomes: list[bool] = []

        async def open_one(number: int) -> None:
            try:
                await memory(cervers[number % 2])
                outcomes.append(True)
            except PaymentRequired:
                outcomes.append(False)

        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(open_one, number)
        assert (outcomes.count(True), outcomes.count(False)) == (1, 99)
        assert len((await cervers[0].sessions.list(ListSessions())).sessions) == 1


@pytest.mark.parametrize("address", _PRIVATE)
async def test_a_name_that_leads_inside_is_refused_and_never_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def resolved(*_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)),
            (family, socket.SOCK_STREAM, 6, "", (address, 443)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(InvalidInput, match="private network"):
        await public_addresses("inside.example", 443, allows_private_networks=False)


@pytest.mark.parametrize(
    "host",
    [
        *(f"[{one}]" if ":" in one else one for one in _PRIVATE),
        "localhost",
        "a.localhost",
        "db.internal",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "127.0.0.1.",
    ],
)
def test_an_address_that_says_it_leads_inside_is_refused_unasked(host: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(f"https://{host}", allows_private_networks=False)


@pytest.mark.parametrize(
    "url", ["http://a.example", "ftp://a.example", "https://", "https://u@a.example", "https://a:8443"]
)
def test_only_https_on_its_own_port_is_asked(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, allows_private_networks=False)


async def test_the_address_that_was_judged_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with a public address first and with this machine afterwards."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        port = listener.getsockname()[1]
        came = threading.Event()

        def wait() -> None:
            try:
                listener.accept()[0].close()
                came.set()
            except TimeoutError:
                pass

        thread = threading.Thread(target=wait)
        thread.start()

        def resolved(host: str, *_: object, **__: object) -> list[Any]:
            asked.append(host)
            address = ("192.0.2.1" if len(asked) > 1 else "127.0.0.1", port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        transport = guarded_transport(allows_private_networks=False)
        with pytest.raises(httpx2.ConnectError, match="private network"):
            await transport.handle_async_request(httpx2.Request("GET", "https://rebound.example/"))
        await transport.aclose()
        await anyio.to_thread.run_sync(thread.join)
    assert not came.is_set()
    assert asked == ["rebound.example"]


async def test_a_sealed_row_copied_to_another_account_does_not_open(tmp_path: Path) -> None:
    async with hosted(tmp_path) as host:
        owner = await operator(host)
        ann, bob = await account_of(owner, "ann@example.com"), await account_of(owner, "bob@example.com")
        vault = CreateVault(provider="cerver", label="hers", secrets={"A": "her-s3cret-value"})
        made = await (await ann.cerver()).vaults.create(vault)
        hers, his = (host.hosting.records_of(one.account_id) for one in (ann, bob))
        record = await hers.get("vault", made.id, now_us=0)
        assert record is not None
        await his.put("vault", made.id, record.data, now_us=1)
        with pytest.raises(StoreCorrupt, match="copied from another row or account"):
            await (await bob.cerver()).vaults.verify(made.id)
        with pytest.raises(StoreCorrupt):
            host.hosting.sealer.open(bob.account_id, f"vault/{made.id}", record.data["sealed"])  # pyright: ignore[reportArgumentType]


async def test_with_another_master_key_the_gateway_does_not_start(tmp_path: Path) -> None:
    async with hosted(tmp_path) as host:
        await operator(host)
    with pytest.raises(ConfigurationError, match="sealed under master key"):
        async with hosted(tmp_path, keys=(bytes(32),)):
            pass


async def test_a_stopped_account_is_let_in_nowhere_and_comes_back_whole(tmp_path: Path) -> None:
    async with hosted(tmp_path) as host, hosted(tmp_path) as replica:
        owner = await operator(host)
        ann = await account_of(owner, "ann@example.com")
        admin = (await owner.cerver()).admin
        await (await ann.cerver()).sessions.create(CreateSession(compute=None))
        assert (await admin.disable(ann.account_id)).disabled
        for one in (host, replica):
            with pytest.raises(CerverError, match="not accepted"):
                await one.authenticate(ann.key)
        await admin.enable(ann.account_id)
        assert len((await (await ann.cerver()).sessions.list(ListSessions())).sessions) == 1


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/a", "git@127.0.0.1:a/b", "ssh://[::1]/a", "https://2130706433/a"]
)
async def test_a_repo_inside_is_refused(tmp_path: Path, url: str) -> None:
    async with hosted(tmp_path) as host:
        projects = (await (await operator(host)).cerver()).projects
        await projects.create(CreateProject(name="web"))
        await projects.create_environment("web", CreateEnvironment(slug="prod"))
        with pytest.raises(InvalidInput, match="public host"):
            await projects.add_repo("web", "prod", AddRepo(repo_url=url))


async def test_a_page_speaks_as_its_user_and_nobody_speaks_as_a_tool(running: Running, told: Town) -> None:
    sessions = f"{running.url}/v2/sessions"
    page, server = _as(told, "ann's page", Origin="https://ann.example"), _as(told, "ann's other project")
    answers: dict[tuple[str, str], int] = {}
    async with httpx2.AsyncClient() as http:
        made = await http.post(sessions, json={"compute": None}, headers=page)
        said = f"{sessions}/{made.json()['session_id']}"
        for who, headers in (("page", page), ("server", server)):
            for role in ("user", "assistant", "system", "tool"):
                body = {"content": f"{role} of the {who}", "role": role}
                answers[who, role] = (await http.post(f"{said}/input", json=body, headers=headers)).status_code
        kept = (await http.get(said, params={"full": 1}, headers=server)).json()["transcript"]
    assert answers == {
        ("page", "user"): 200,
        ("page", "assistant"): 403,
        ("page", "system"): 403,
        ("page", "tool"): 400,
        ("server", "user"): 200,
        ("server", "assistant"): 200,
        ("server", "system"): 200,
        ("server", "tool"): 400,
    }
    assert [entry["content"] for entry in kept] == [
        "user of the page",
        "user of the server",
        "assistant of the server",
        "system of the server",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"session_type": "chat", "metadata": {"external_user_id": "v-1"}},
        {"session_type": "coding", "compute": {"provider": "local"}},
        {"target_compute_id": "provider_local", "canary": True},
        {},
    ],
)
async def test_what_a_page_opens_is_memory_alone(running: Running, told: Town, body: Any) -> None:
    async with httpx2.AsyncClient() as http:
        headers = _as(told, "ann's page", Origin="https://ann.example")
        made = await http.post(f"{running.url}/v2/sessions", json=body, headers=headers)
    assert made.status_code == 201, made.text
    assert [made.json()[name] for name in ("status", "provider", "compute_id", "sandbox_id")] == [
        *("ready", "none", None, None)
    ]
