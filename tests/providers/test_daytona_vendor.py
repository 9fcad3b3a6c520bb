"""The vendor's own client (daytona 0.226.1) works on the stand-in for Daytona.

It brings 60 packages that fit no other Python, so it lives in one of its own:
`uv venv /tmp/daytona && uv pip install --python /tmp/daytona/bin/python daytona==0.226.1`.
"""

import os
import subprocess
from pathlib import Path

import pytest

from cerver_core.testing.clouds.daytona import DaytonaCloud

PYTHON = os.environ.get("CERVER_TEST_DAYTONA_PYTHON", "")
SCRIPT = Path(__file__).with_name("daytona_vendor.py")


@pytest.mark.skipif(not PYTHON, reason="set CERVER_TEST_DAYTONA_PYTHON to a Python that has daytona==0.226.1")
def test_the_vendors_client_passes_its_script(home: Path) -> None:
    with DaytonaCloud(home) as cloud:
        environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
        command = [PYTHON, str(SCRIPT), cloud.url, cloud.api_key]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "the vendor's client is content\n"
