"""Placement over the adapters themselves: clouds that fail on purpose, and a session that lands all the same."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import NoComputeAvailable, ProviderRefused
from cerver_core.testing.clouds import Fault
from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.clouds.vercel import VercelCloud
from cerver_core.wire.computes import ComputeChoice, ExecRequest, WriteFile
from cerver_core.wire.policies import PutPolicy
from cerver_core.wire.sessions import AttachCompute, CreateSession

LIMIT_S = 30
CREATES = r"POST (/api)?/v[23]/sandboxes$"
POLICY = PutPolicy.model_validate(
    {"routing_policy": {"name": "clouds first", "compute": {"consume": {"order": ["e2b", "vercel"]}}}}
)


@pytest.fixture(scope="module")
def e2b(tmp_path_factory: pytest.TempPathFactory) -> Iterator[E2bCloud]:
    with E2bCloud(tmp_path_factory.mktemp("e2b")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def vercel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VercelCloud]:
    with VercelCloud(tmp_path_factory.mktemp("vercel")) as cloud:
        yield cloud


@pytest.fixture
def settings(tmp_path: Path, e2b: E2bCloud, vercel: VercelCloud) -> Settings:
    e2b.faults.clear()
    vercel.faults.clear()
    home = {"CERVER_HOME": str(tmp_path), "HOME": str(tmp_path)}
    return Settings.from_environ({**home, **e2b.environ, **vercel.environ})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(CREATES, status=503, body={"message": "no capacity"}), "cannot serve"),
        (Fault(CREATES, status=429, body={"message": "too many sandboxes"}), "slow down"),
    ],
)
async def test_a_session_with_a_policy_lands_on_the_next_cloud(
    settings: Settings, e2b: E2bCloud, vercel: VercelCloud, fault: Fault, said: str
) -> None:
    e2b.faults.plan(fault)
    async with connect(settings) as cerver:
        await cerver.routing.put_policy(POLICY)
        with anyio.fail_after(LIMIT_S):
            made = await cerver.sessions.create(CreateSession())
        assert made.provider == "vercel"
        assert made.routing is not None
        first, second = made.routing.attempts
        assert (first.provider, first.ok, second.provider, second.ok) == ("e2b", False, "vercel", True)
        assert said in (first.reason or "")
        done = await cerver.computes.exec(made.session_id, ExecRequest(code="echo landed"))
        assert done.stdout == "landed\n"
        assert e2b.count == 0
        await cerver.sessions.terminate(made.session_id, delete_workspace=True)
        assert vercel.count == 0


async def test_what_a_cloud_made_and_did_not_say_is_destroyed(settings: Settings, e2b: E2bCloud) -> None:
    e2b.faults.plan(Fault(CREATES, status=502, body={"message": "lost"}, lets_work=True))
    async with connect(settings) as cerver:
        await cerver.routing.put_policy(POLICY)
        with anyio.fail_after(LIMIT_S):
            made = await cerver.sessions.create(CreateSession())
        assert made.provider == "vercel"
        await cerver.sessions.terminate(made.session_id, delete_workspace=True)
    assert e2b.count == 0


async def test_a_credential_that_is_not_accepted_is_said_and_hides_behind_no_fallback(
    settings: Settings, e2b: E2bCloud
) -> None:
    e2b.faults.plan(Fault(CREATES, status=401, body={"message": "bad key"}))
    async with connect(settings) as cerver:
        await cerver.routing.put_policy(POLICY)
        with pytest.raises(ProviderRefused, match="E2B_API_KEY"):
            await cerver.sessions.create(CreateSession())


async def test_a_chosen_cloud_that_fails_is_a_conflict_not_another_cloud(settings: Settings, e2b: E2bCloud) -> None:
    e2b.faults.plan(Fault(CREATES, status=503, body={"message": "no capacity"}))
    async with connect(settings) as cerver:
        with pytest.raises(NoComputeAvailable, match="e2b"):
            await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="e2b")))


async def test_files_move_from_one_cloud_to_the_other(settings: Settings, e2b: E2bCloud) -> None:
    async with connect(settings) as cerver:
        made = await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="e2b")))
        await cerver.files.write(made.session_id, WriteFile(path="src/main.py", content=b"print(1)\n"))
        asks = AttachCompute(compute=ComputeChoice(provider="vercel"), carry_workspace=True)
        moved = await cerver.sessions.attach(made.session_id, asks)
        assert (moved.provider, moved.session_id) == ("vercel", made.session_id)
        assert await cerver.files.read(made.session_id, "src/main.py") == b"print(1)\n"
        assert e2b.count == 0
        await cerver.sessions.terminate(made.session_id, delete_workspace=True)
