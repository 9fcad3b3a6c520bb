"""What a hook costs the agent that waits for it, beside the start of the interpreter alone, in the same run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figure import Figure, median
from cerver_core.remembering.spool import Spool

__all__ = ["measure"]

_ROUNDS = 40
_CERVER = Path(sys.executable).with_name("cerver")
_SESSION = "4a1e7d1c-7d14-4b8b-9d2e-1f2f3a4b5c6d"


def measure() -> list[Figure]:
    """Measure the hook beside `python -c pass`, and what it adds to it, with a small and a large event.

    A drainer is at work meanwhile, as it is during a conversation: this process has its lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "CERVER_HOME": folder}
        spool = Spool(environ)
        Path(spool.folder).mkdir(parents=True)
        lock = spool.lock()
        if lock is None:
            raise RuntimeError("a drainer is at work in a folder that is new")
        figures = [
            figure
            for name, size in (("hook", 0), ("hook, 1 MB of tool output", 1_000_000))
            for figure in _figures(name, environ, _event(folder, size))
        ]
        os.close(lock)
        return figures


def _event(folder: str, size: int) -> bytes:
    told = {"session_id": _SESSION, "transcript_path": f"{folder}/{_SESSION}.jsonl", "cwd": folder}
    return json.dumps({**told, "hook_event_name": "PostToolUse", "tool_response": {"stdout": "x" * size}}).encode()


def _figures(name: str, environ: Mapping[str, str], event: bytes) -> list[Figure]:
    samples_ms: tuple[list[float], list[float]] = ([], [])
    commands: Sequence[Sequence[str]] = ([str(_CERVER), "hook", "claude-code"], [sys.executable, "-c", "pass"])
    for _ in range(_ROUNDS):
        for samples, command in zip(samples_ms, commands, strict=True):
            began_s = time.perf_counter()
            subprocess.run(command, input=event, env=environ, capture_output=True, check=True)
            samples.append((time.perf_counter() - began_s) * 1000)
    ours, bare = median(samples_ms[0]), median(samples_ms[1])
    added = median([mine - theirs for mine, theirs in zip(*samples_ms, strict=True)])
    return [
        Figure(name, ours, "ms", bare, "python -c pass", to_reach=2.0),
        Figure(f"{name}: added to it", added, "ms", to_reach=50.0),
    ]
