"""The unit and the container file start what they say, as far as this machine can show it."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.gateway.processes import environment, serving

DEPLOY = ROOT / "examples" / "deploy"
BIN = str(Path(sys.executable).parent)


def on_path(home: Path, **more: str) -> dict[str, str]:
    return environment(home, PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}", **more)


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / "cerver.service")
    return parsed


def test_the_unit_s_own_command_serves_and_ends_in_order(tmp_path: Path) -> None:
    command = shlex.split(unit()["Service"]["ExecStart"])
    assert command[:3] == ["/usr/bin/env", "cerver", "serve"]
    with serving(tmp_path, "--port", "0", command=command, environ=on_path(tmp_path)) as served:
        assert served.token.startswith("ck_")
        with urllib.request.urlopen(f"{served.url}/readyz", timeout=20) as answer:
            assert json.load(answer) == {"status": "ready"}
        assert served.stop() == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_finds_no_fault_in_the_unit() -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(DEPLOY / "cerver.service")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Unknown" not in done.stderr
    assert "Failed to parse" not in done.stderr


def test_the_container_s_own_commands_serve_and_find_it_healthy(tmp_path: Path) -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    entry = json.loads(re.findall(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)[0])
    check = json.loads(re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)[0])
    environ = on_path(tmp_path)
    with serving(tmp_path, "--port", "0", command=entry, environ=environ) as served:
        port = served.url.rpartition(":")[2]
        assert "put TLS before it" in served.said
        healthy = [sys.executable, *(word.replace("8787", port) for word in check[1:])]
        subprocess.run(healthy, env=environ, timeout=30, check=True)
        assert served.stop() == 0
    refused = subprocess.run(healthy, env=environ, timeout=30, check=False, capture_output=True)
    assert refused.returncode != 0


def test_what_is_installed_and_published_is_named_alike() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    assert 'pip install --no-cache-dir "cerver-mcp[gateway,postgres]"' in text
    assert "EXPOSE 8787" in text
    assert "STOPSIGNAL SIGTERM" in text
