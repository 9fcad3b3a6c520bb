"""`cerver doctor --provider NAME` takes the essential steps of the contract on that provider, and leaves nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cerver_core.testing.clouds import Fault
from cerver_core.testing.clouds.vercel import VercelCloud
from tests.cli.conftest import Run


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VercelCloud]:
    with VercelCloud(tmp_path / "cloud") as cloud:
        for name, value in cloud.environ.items():
            monkeypatch.setenv(name, value)
        yield cloud


def test_every_step_is_told_and_the_sandbox_is_removed(cerver: Run, cloud: VercelCloud) -> None:
    done = cerver("doctor", "--provider", "vercel", "--json")
    told = json.loads(done.out)
    assert (done.code, told["ok"]) == (0, True)
    steps = ["create", "run", "deadline", "cancel", "files", "folders", "background", "state", "pause", "destroy"]
    assert [finding["about"] for finding in told["findings"]] == [f"vercel {step}" for step in steps]
    assert cloud.count == 0


def test_a_step_that_fails_is_a_problem_and_the_sandbox_is_removed(cerver: Run, cloud: VercelCloud) -> None:
    cloud.faults.plan(Fault(r"/stop$", 500, {"error": {"code": "oops", "message": "cannot stop"}}))
    done = cerver("doctor", "--provider", "vercel")
    assert done.code == 1
    assert "PROBLEM vercel pause" in done.out
    assert "cannot stop" in done.out
    assert cloud.count == 0


def test_a_credential_that_is_not_set_is_named(cerver: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERCEL_TOKEN", raising=False)
    done = cerver("doctor", "--provider", "vercel")
    assert done.code == 1
    assert "VERCEL_TOKEN" in done.out
