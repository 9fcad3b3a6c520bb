"""The template of a nine-method provider at the command line: what it does not declare is refused, not dropped."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.cli.conftest import Run

TEMPLATE = ROOT / "examples" / "provider" / "acme_cerver"


@pytest.fixture
def acme(cerver: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command with the template installed and named, as its README says."""
    info = home / "site" / "acme_cerver-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cerver\nVersion: 0.1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[cerver.providers]\nacme = acme_cerver:make_provider\n", "utf-8")
    (home / "site" / "acme_cerver").symlink_to(TEMPLATE)
    monkeypatch.setattr(sys, "path", [str(home / "site"), *sys.path])
    monkeypatch.setenv("CERVER_PROVIDERS", "acme")
    monkeypatch.setenv("ACME_HOME", str(home / "acme"))
    return cerver


@pytest.mark.parametrize("option", [("--isolation", "sandbox"), ("--isolation", "process"), ("--no-network",)])
def test_what_it_does_not_declare_is_refused(acme: Run, home: Path, option: tuple[str, ...]) -> None:
    done = acme("run", "--provider", "acme", *option, "echo ran")
    assert (done.code, done.out) == (4, "")
    reason = "does not declare that it can cut" if option == ("--no-network",) else "does not say how it isolates"
    assert f"acme {reason}" in done.err
    assert not (home / "acme").exists()


def test_a_level_asked_for_by_the_environment_is_refused_too(acme: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERVER_ISOLATION", "sandbox")
    done = acme("run", "--provider", "acme", "echo ran")
    assert (done.code, done.out) == (4, "")
    assert "sandbox is asked for" in done.err


def test_what_it_declares_is_had_and_said(acme: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from acme_cerver import AcmeSandboxes  # noqa: PLC0415 - found where the example lies

    asked: list[bool] = []

    class Cutting(AcmeSandboxes):
        cuts_network = True
        isolation_level = "confined"

        async def create_sandbox(self, session_id: str, *, network: bool, timeout_s: float) -> str:
            asked.append(network)
            return await super().create_sandbox(session_id, network=True, timeout_s=timeout_s)

    monkeypatch.setattr("acme_cerver.AcmeSandboxes", Cutting)
    done = acme("run", "--provider", "acme", "--no-network", "--isolation", "process", "--json", "echo ran")
    told = json.loads(done.out)
    assert (done.code, told["stdout"], told["isolation_level"]) == (0, "ran\n", "confined")
    assert asked == [False]
    assert acme("run", "--provider", "acme", "--isolation", "sandbox", "echo ran").code == 4


def test_the_doctor_finds_nothing_wrong_with_the_template(acme: Run) -> None:
    done = acme("doctor", "--provider", "acme")
    assert (done.code, "PROBLEM" in done.out) == (0, False), done.out


def test_python_can_be_asked_for_and_node_only_where_it_is_declared(acme: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = acme("run", "--provider", "acme", "--runtime", "python", "print(1)")
    assert (done.code, done.out) == (0, "1\n")
    done = acme("run", "--provider", "acme", "--runtime", "node", "console.log(1)")
    assert done.code == 4
    assert "no node runtime" in done.err


def test_a_declared_runtime_that_a_sandbox_lacks_is_refused_and_leaves_nothing(
    acme: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from acme_cerver import AcmeSandboxes  # noqa: PLC0415 - found where the example lies

    tools = home / "tools"
    tools.mkdir()
    for name in ("mkdir", "grep", "sh", "chmod", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setattr(os, "defpath", str(tools))
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(AcmeSandboxes, "runtimes", ("shell", "node"), raising=False)
    done = acme("run", "--provider", "acme", "--runtime", "node", "console.log(1)")
    assert done.code == 3
    assert "a sandbox of acme has no node" in done.err
    assert list((home / "acme").iterdir()) == []


@pytest.mark.parametrize(
    ("named", "reason"), [("acmee", "there is no provider 'acmee'"), ("acme", "acme needs ACME_HOME")]
)
def test_a_named_provider_that_cannot_be_had_stands_in_nobody_s_way(
    acme: Run, monkeypatch: pytest.MonkeyPatch, named: str, reason: str
) -> None:
    monkeypatch.delenv("ACME_HOME")
    monkeypatch.setenv("CERVER_PROVIDERS", named)
    assert acme("sessions").code == 0
    assert acme("run", "echo hello").out == "hello\n"
    told = json.loads(acme("providers", named, "--json").out)
    assert (told["status"], told["executable"]) == ("not_configured", False)
    assert reason in told["missing"]
    doctor = acme("doctor")
    assert doctor.code == 1
    assert f"PROBLEM provider {named}" in doctor.out
    refused = acme("run", "--provider", named, "echo hello")
    assert (refused.code, refused.out) == (4, "")
    assert reason in refused.err
