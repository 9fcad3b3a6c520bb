"""The catalog, the list of plug-ins and the documentation name the same providers, variables and abilities."""

import importlib
import re
from pathlib import Path

import pytest

from cerver_core.catalog.computes import PROFILES
from cerver_core.plugins import PROVIDERS
from cerver_core.providers.abilities import Forkable, Previews, Snapshots
from cerver_core.providers.base import Pausable

DOCS = Path(__file__).parents[2] / "docs" / "providers.md"
REMOTE = [name for name in PROVIDERS if name != "local"]
_NO_ADAPTER = ["cerver_local_provider", "modal"]
"""A relay is a compute of its own kind, and what is planned has none yet."""


def told(row: str) -> dict[str, str]:
    """Give a row of the page's first table by provider."""
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    heads, cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], _row(lines, row)))
    return {head.lower(): cell for head, cell in zip(heads[1:], cells[1:], strict=True)}


def _row(lines: list[str], row: str) -> str:
    return next(line for line in lines if line.startswith(f"| {row} |"))


def test_the_catalog_has_a_profile_of_each_provider() -> None:
    assert sorted([*PROVIDERS, *_NO_ADAPTER]) == sorted(PROFILES)


def test_the_documentation_has_a_column_for_each_remote_provider() -> None:
    assert sorted(told("variables")) == sorted(REMOTE)


@pytest.mark.parametrize("name", REMOTE)
def test_the_documentation_names_every_variable_that_a_provider_needs(name: str) -> None:
    needed = {variable for group in PROVIDERS[name].needs for variable in group}
    assert set(re.findall(r"`([A-Z0-9_]+)`", told("variables")[name])) == needed


@pytest.mark.parametrize(
    ("row", "ability", "fact"),
    [
        ("pause and resume", Pausable, "pause"),
        ("snapshot", Snapshots, "snapshot"),
        ("fork", Forkable, "fork"),
        ("preview of a port", Previews, "public_preview"),
    ],
)
@pytest.mark.parametrize("name", REMOTE)
def test_what_a_provider_can_do_is_said_alike(name: str, row: str, ability: type, fact: str) -> None:
    module = importlib.import_module(f"cerver_core.providers.{name}")
    adapters = [getattr(module, exported) for exported in module.__all__]
    methods = [method for method in vars(ability) if not method.startswith("_")]
    can = any(all(hasattr(adapter, method) for method in methods) for adapter in adapters)
    assert told(row)[name].startswith("no") is not can
    assert getattr(PROFILES[name].offers, fact).value is can
