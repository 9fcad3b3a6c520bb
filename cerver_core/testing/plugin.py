"""A pytest plugin: `--cerver-provider NAME` says which installed provider `cerver_core.testing.suite` tries.

pytest -p cerver_core.testing.plugin --pyargs cerver_core.testing.suite --cerver-provider acme
"""

import pytest

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("cerver").addoption(
        "--cerver-provider", metavar="NAME", help="the entry point in `cerver.providers` whose provider is tried"
    )
