"""The resident agent of one sandbox: take away its own rights, then serve executions until the host goes away."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from . import canary, commands, dispatcher, landlock, privileges, wire

__all__ = ["main"]

_TRIES = 3
"""After so many warm Pythons that ended at once, the Python runtime is served cold."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve the channels named in the settings."""
    host, python = settings["channel"], settings["python_channel"]
    kept = [host, python, *([] if settings["warm_payload"] is None else [settings["warm_payload"]])]
    for descriptor in kept:
        os.set_inheritable(descriptor, False)
    os.environ.clear()
    os.environ.update(settings["env"])
    _confine(settings)
    _hush()
    serving = dispatcher.Dispatcher(host)
    os.write(host, b"R")
    cold = _Cold(settings["programs"])
    serving.supervise(host, cold.start)
    warm = settings["warm_python"]
    if warm is not None:
        _Warmth(serving, kept, warm, cold).wait()
    else:
        serving.supervise(python, cold.start)
    serving.serve()


class _Cold:
    def __init__(self, programs: dict[str, str]) -> None:
        self._programs = programs

    def start(self, request: wire.Request, out: int, err: int) -> int:
        if request["runtime"] == "canary":
            return canary.start(request, out)
        return commands.start(self._programs, request, out, err)


class _Warmth:
    """Starts the warm Python when it is first asked for, and again should it end."""

    def __init__(self, serving: dispatcher.Dispatcher, kept: list[int], argv: list[str], cold: _Cold) -> None:
        self._serving = serving
        _, self._channel, self._payload = kept
        self._argv = argv
        self._cold = cold
        self._tries = 0

    def wait(self) -> None:
        if self._tries < _TRIES:
            self._serving.on_request(self._channel, self._start)
        else:
            self._serving.supervise(self._channel, self._cold.start)

    def _start(self) -> None:
        self._tries += 1
        pid = os.fork()
        if pid == 0:
            for descriptor in (self._channel, self._payload):
                os.set_inheritable(descriptor, True)
            os.execve(self._argv[0], self._argv, dict(os.environ))  # noqa: S606 - the user's own Python
        self._serving.on_exit(pid, self.wait)


def _confine(settings: Mapping[str, Any]) -> None:
    privileges.adopt_orphans()
    privileges.forbid_new_privileges()
    privileges.limit()
    rules = settings["landlock"]
    if rules is not None:
        landlock.confine(rules["readable"], rules["writable"], network=rules["network"])
        privileges.drop_capabilities()
    os.umask(0o022)


def _hush() -> None:
    """Let go of the host's own standard streams; from now on nobody would read them."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    os.close(null)
    sys.stdin = sys.stdout = sys.stderr = None
