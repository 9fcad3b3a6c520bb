"""A stand-in of a cloud in a process of its own, so that it shares no interpreter with whoever is measured."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.clouds.p69 import P69Server
from cerver_core.testing.clouds.vercel import VercelCloud

__all__ = ["serving"]

_CLOUDS = {
    "cloudflare": CloudflareCloud,
    "daytona": DaytonaCloud,
    "e2b": E2bCloud,
    "p69": P69Server,
    "vercel": VercelCloud,
}


@contextmanager
def serving(name: str) -> Generator[dict[str, str]]:
    """Serve a cloud within the block; gives the variables that lead an adapter there."""
    command = [sys.executable, "-m", "benchmarks.cloud_process", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def _serve(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="cerver-bench-") as folder, _CLOUDS[name](Path(folder)) as cloud:
        sys.stdout.write(f"{json.dumps(cloud.environ)}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
