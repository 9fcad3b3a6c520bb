"""The template of a provider passes the suite, and the suite can be run on it as its README says."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.config import Settings
from cerver_core.plugins import provider
from cerver_core.providers.base import Provider
from cerver_core.testing.providers import ProviderContract, Providers
from tests.architecture.sources import ROOT

TEMPLATE = ROOT / "examples" / "provider"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder in which the template is installed, as pip would leave it."""
    info = tmp_path / "acme_cerver-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cerver\nVersion: 0.1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[cerver.providers]\nacme = acme_cerver:make_provider\n", "utf-8")
    (tmp_path / "acme_cerver").symlink_to(TEMPLATE / "acme_cerver")
    return tmp_path


class TestTemplate(ProviderContract):
    @pytest.fixture
    def providers(self, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Providers:
        monkeypatch.setattr(sys, "path", [str(installed), *sys.path])
        environ = {"CERVER_HOME": str(tmp_path), "CERVER_PROVIDERS": "acme", "ACME_HOME": str(tmp_path / "acme")}

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with provider("acme", Settings.from_environ(environ)) as acme:
                yield acme

        return opened


def test_the_suite_is_run_on_an_installed_provider_as_the_documents_say(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "cerver_core.testing.plugin", "-p", "no:cacheprovider", "-q"]
    command += ["--pyargs", "cerver_core.testing.suite", "--cerver-provider", "acme", "-k", "streams or read_back"]
    environ = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}", "ACME_HOME": str(tmp_path / "acme")}
    environ.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
