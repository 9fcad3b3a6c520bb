"""Providers by name: those that come with Cerver, and those that other packages bring."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cerver_core.config import Settings
from cerver_core.errors import ConfigurationError, NotSupported, ProviderFailed
from cerver_core.plugins import configured_providers, provider
from cerver_core.providers.local import LocalProvider

MODULE = """
from pathlib import Path

from cerver_core.providers.local import LocalProvider


def make_provider(environ):
    return LocalProvider(Path(environ["ACME_HOME"]))


def make_nothing(environ):
    return environ
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Mapping[str, str]], None]:
    """Installs a distribution that brings providers, as pip would leave it."""

    def install(distribution: str, points: Mapping[str, str]) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[cerver.providers]\n{lines}", "utf-8")
        (tmp_path / "acme_suite_provider.py").write_text(MODULE, "utf-8")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    return install


def test_this_machine_alone_is_configured_without_variables(tmp_path: Path) -> None:
    assert configured_providers(Settings.from_environ({"CERVER_HOME": str(tmp_path)})) == ("local",)


def test_a_cloud_is_configured_when_all_its_variables_are_set(tmp_path: Path) -> None:
    environ = {"CERVER_HOME": str(tmp_path), "P69_BASE_URL": "http://127.0.0.1:9", "SANDBOX_API_KEY": "half"}
    settings = Settings.from_environ({**environ, "DAYTONA_JWT_TOKEN": "t", "DAYTONA_ORGANIZATION_ID": "o"})
    assert configured_providers(settings) == ("local", "p69", "daytona")
    assert [provider(name, settings).name for name in ("p69", "daytona")] == ["p69", "daytona"]
    with pytest.raises(ConfigurationError, match="needs CLOUDFLARE_SANDBOX_URL and SANDBOX_API_KEY"):
        provider("cloudflare", settings)


def test_a_package_brings_a_provider_that_is_used_when_it_is_named(
    tmp_path: Path, installed: Callable[[str, Mapping[str, str]], None]
) -> None:
    installed("acme-suite", {"acme-suite": "acme_suite_provider:make_provider"})
    environ = {
        "CERVER_HOME": str(tmp_path),
        "ACME_HOME": str(tmp_path),
        "CERVER_PROVIDERS": "acme-suite, local",
    }
    settings = Settings.from_environ(environ)
    assert configured_providers(settings) == ("local", "acme-suite")
    assert isinstance(provider("acme-suite", settings), LocalProvider)


def test_what_is_no_provider_is_refused(tmp_path: Path, installed: Callable[[str, Mapping[str, str]], None]) -> None:
    installed("acme-suite", {"acme-nothing": "acme_suite_provider:make_nothing"})
    settings = Settings.from_environ({"CERVER_HOME": str(tmp_path), "CERVER_PROVIDERS": "acme-nothing"})
    with pytest.raises(ProviderFailed, match="neither the nine methods nor those of a provider"):
        provider("acme-nothing", settings)


def test_a_provider_that_is_not_installed_is_said_to_be_missing(tmp_path: Path) -> None:
    settings = Settings.from_environ({"CERVER_HOME": str(tmp_path), "CERVER_PROVIDERS": "nowhere"})
    with pytest.raises(NotSupported, match="there is no provider 'nowhere'; there are: local, p69"):
        provider("nowhere", settings)


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, installed: Callable[[str, Mapping[str, str]], None]
) -> None:
    installed("acme-suite", {"acme-suite": "acme_suite_provider:make_provider"})
    installed("acme-twin", {"acme-suite": "acme_suite_provider:another"})
    settings = Settings.from_environ({"CERVER_HOME": str(tmp_path), "CERVER_PROVIDERS": "acme-suite"})
    with pytest.raises(ConfigurationError, match="both bring the provider 'acme-suite'"):
        provider("acme-suite", settings)
