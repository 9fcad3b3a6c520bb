"""One home for all local providers of a test process, so that what is found out about the machine is found once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cerver-home")
