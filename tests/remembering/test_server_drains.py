"""A running cerver-mcp brings in what hooks note, and leaves nothing behind when it ends."""

import fcntl
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.mcp.conftest import COMMAND, Pipe
from tests.remembering.conftest import Agent, line, until

Start = Callable[[], Pipe]


@pytest.fixture
def server(agent: Agent) -> Generator[Start]:
    """Give what starts a server for the agent; each is killed afterwards."""
    started: list[Pipe] = []

    def start() -> Pipe:
        Path(agent.spool.folder).mkdir(parents=True, exist_ok=True)
        pipe = Pipe((COMMAND,), agent.environ, agent.home)
        started.append(pipe)
        pipe.handshake()
        return pipe

    yield start
    for pipe in started:
        pipe.kill()


def test_the_server_brings_in_the_turns_without_another_process(agent: Agent, server: Start) -> None:
    pipe = server()
    until(lambda: agent.drainer() == pipe.process.pid)
    agent.write(line("u1", None, "Why is CI red?"))
    assert agent.hook(agent.payload("Stop")).returncode == 0
    until(lambda: agent.said() == ["Why is CI red?"])
    agent.write(line("a1", "u1", "Because.", role="assistant"))
    agent.hook(agent.payload("Stop"))
    until(lambda: agent.said() == ["Why is CI red?", "Because."])
    assert agent.drainer() == pipe.process.pid
    assert not Path(agent.spool.folder, "drainer.log").exists()


def test_what_waits_when_the_server_ends_is_brought_in_all_the_same(agent: Agent, server: Start) -> None:
    pipe = server()
    until(lambda: agent.drainer() == pipe.process.pid)
    with Path(agent.environ["CERVER_HOME"], "import.lock").open("w") as other:
        # Another import keeps the server from finishing what it began.
        fcntl.flock(other, fcntl.LOCK_EX)
        agent.write(line("u1", None, "Why is CI red?"))
        agent.hook(agent.payload("Stop"))
        until(lambda: agent.spool.taken() != [])
        pipe.close_stdin()
        until(lambda: pipe.process.poll() is not None)
        until(lambda: agent.drainer() not in {None, pipe.process.pid})
    until(lambda: agent.said() == ["Why is CI red?"])


def test_a_second_server_takes_over_from_the_first(agent: Agent, server: Start) -> None:
    first, second = server(), server()
    pids = {first.process.pid, second.process.pid}
    until(lambda: agent.drainer() in pids)
    drains = agent.drainer()
    (one, other) = (first, second) if drains == first.process.pid else (second, first)
    os.kill(one.process.pid, 9)
    until(lambda: agent.drainer() == other.process.pid)
