"""Every promise of the README has a test, by name, that stands where the manifest says."""

import ast
import re
import tomllib

import pytest

from tests.architecture.sources import ROOT

_MANIFEST = tomllib.loads((ROOT / "tests/promises/promises.toml").read_text("utf-8"))
_PROMISES: dict[str, list[str]] = {name: entry["tests"] for name, entry in _MANIFEST.items()}


def _promised() -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"`\[([a-z-]+)\]`$", readme, re.MULTILINE)


def test_each_promise_of_the_readme_is_in_the_manifest_once() -> None:
    assert len(_promised()) >= 10
    assert sorted(_promised()) == sorted(_PROMISES)


@pytest.mark.parametrize("promise", _PROMISES)
def test_a_promise_names_tests_that_exist(promise: str) -> None:
    assert _PROMISES[promise] != []
    for name in _PROMISES[promise]:
        path, _, inner = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert inner.split("::")[-1] in _defined((ROOT / path).read_text("utf-8")), name


def _defined(source: str) -> set[str]:
    """Name the tests of a file; a test of a suite stands in the suite's own file."""
    nodes = ast.walk(ast.parse(source))
    functions = (node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {name for name in functions if name.startswith("test_")}
