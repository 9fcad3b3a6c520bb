"""An agent's world of its own: a home, a transcript in it, the installed command as its hook."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.remembering.spool import Spool
from cerver_core.wire.sessions import ListSessions, SessionRecord
from cerver_core.wire.transcripts import ReadTranscript

CERVER = Path(sys.executable).with_name("cerver")
SESSION = "4a1e7d1c-7d14-4b8b-9d2e-1f2f3a4b5c6d"
WAIT_S = 60.0


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something to become so, a minute at most."""
    deadline_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline_s, "it did not come to be"
        threading.Event().wait(0.05)


def line(uuid: str, parent: str | None, text: str, *, role: str = "user", session: str = SESSION, **more: Any) -> bytes:
    """Write one line of a transcript as Claude Code does."""
    message = {"role": role, "content": text, **({"id": f"msg_{uuid}"} if role == "assistant" else {})}
    value = {"type": role, "uuid": uuid, "parentUuid": parent, "sessionId": session, "message": message}
    place = {"timestamp": "2026-05-04T10:00:00Z", "cwd": "/srv/api", "version": "2.1.0", "isSidechain": False}
    return json.dumps({**value, **place, **more}).encode() + b"\n"


class Agent:
    """Claude Code or Codex, as far as a hook sees of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "CERVER_HOME": str(home / "cerver")}
        self.spool = Spool(self.environ)
        self.project = home / ".claude" / "projects" / "-srv-api"
        self.project.mkdir(parents=True)

    @property
    def transcript(self) -> Path:
        """Tell where the transcript is."""
        return self.project / f"{SESSION}.jsonl"

    def write(self, *lines: bytes) -> None:
        """Add to the transcript."""
        with self.transcript.open("ab") as stream:
            stream.write(b"".join(lines))

    def payload(self, event: str, **more: Any) -> dict[str, Any]:
        """Build what Claude Code tells a hook."""
        told = {"session_id": SESSION, "transcript_path": str(self.transcript), "cwd": "/srv/api"}
        return {**told, "permission_mode": "default", "hook_event_name": event, **more}

    def hook(
        self, told: Mapping[str, Any] | bytes, *arguments: str, **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """Call the hook with what it is told on standard input."""
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        command = [CERVER, "hook", *(arguments or ("claude-code",))]
        done = subprocess.run(
            command, input=data, env={**self.environ, **environ}, capture_output=True, timeout=60, check=False
        )
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def cerver(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command."""
        return subprocess.run(
            [CERVER, *arguments], env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def drainer(self) -> int | None:
        """Tell the process that drains; null when there is none."""
        try:
            text = Path(self.spool.folder, "drainer.lock").read_text("utf-8")
            lock = self.spool.lock()
        except FileNotFoundError:
            return None
        if lock is not None:
            os.close(lock)
            return None
        return int(text) if text.endswith("\n") else None

    def end_drainer(self, number: int = signal.SIGKILL) -> None:
        """End the process that drains, if there is one."""
        if (process := self.drainer()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
            until(lambda: self.drainer() is None)

    def sessions(self) -> Sequence[SessionRecord]:
        """List what Cerver has, newest first."""

        async def read() -> Sequence[SessionRecord]:
            async with connect(Settings.from_environ(self.environ)) as cerver:
                return (await cerver.sessions.list(ListSessions(limit=200))).sessions

        return anyio.run(read)

    def said(self, session_id: str | None = None) -> list[str]:
        """Give the contents of the one session there is, or of the one named."""

        async def read() -> list[str]:
            async with connect(Settings.from_environ(self.environ)) as cerver:
                listed = (await cerver.sessions.list(ListSessions(limit=200))).sessions
                chosen = [record.session_id for record in listed if session_id in {None, record.session_id}]
                if not chosen:
                    return []
                assert len(chosen) == 1
                page = await cerver.transcripts.read(chosen[0], ReadTranscript(full=True))
                return [entry.content for entry in page.entries]

        return anyio.run(read)


@pytest.fixture
def agent(tmp_path: Path) -> Generator[Agent]:
    """Give an agent with a home of its own; its drainer is ended afterwards."""
    agent = Agent(tmp_path)
    yield agent
    agent.end_drainer()


@pytest.fixture
def alone(agent: Agent) -> Generator[Agent]:
    """Give an agent beside which no drainer starts: this process has its lock."""
    Path(agent.spool.folder).mkdir(parents=True)
    lock = agent.spool.lock()
    assert lock is not None
    yield agent
    os.close(lock)
