"""Starts `cerver serve` in a process of its own, as a user does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CERVER", "Served", "environment", "serving"]

CERVER = str(Path(sys.executable).with_name("cerver"))
_LIMIT_S = 60


@dataclass
class Served:
    """A gateway in a process: where it is, its key if it was the first start, what it printed."""

    process: subprocess.Popen[str]
    url: str
    token: str = field(repr=False)
    said: str = ""
    errors: Path = Path()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_LIMIT_S)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a fresh user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CERVER_", "INFISICAL_"))}
    return {**kept, "HOME": str(home), "CERVER_HOME": str(home / "cerver"), **more}


@contextmanager
def serving(
    home: Path,
    *arguments: str,
    command: Sequence[str] = (CERVER, "serve", "--port", "0"),
    environ: Mapping[str, str] | None = None,
) -> Generator[Served]:
    """Run it for as long as the block lasts; its log goes to a file."""
    errors = home / f"serve-{os.urandom(4).hex()}.log"
    with (
        errors.open("w") as log,
        subprocess.Popen(
            [*command, *arguments],
            env=dict(environ or environment(home)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield _announced(process, errors)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_LIMIT_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _announced(process: subprocess.Popen[str], errors: Path) -> Served:
    assert process.stdout is not None
    said, url, token = "", "", ""
    for line in process.stdout:
        said += line
        if found := re.search(r"Cerver serves at (\S+)", line):
            url = found[1]
        if found := re.search(r"CERVER_API_TOKEN=(\S+)", line):
            token = found[1]
        if line.startswith("Ctrl-C"):
            break
    if not url:
        process.wait(_LIMIT_S)
        raise AssertionError(f"it did not start: {said}\n{errors.read_text()}")
    return Served(process, url, token, said, errors)
