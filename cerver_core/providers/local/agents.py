"""Start the resident agent of a sandbox and speak to it; what it runs is for `execution` to say."""

import contextlib
import importlib.util
import marshal
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

import anyio

from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.local.inside import tree, wire

if TYPE_CHECKING:
    from importlib.abc import InspectLoader

__all__ = ["Agent", "AgentPlan", "spooled", "start_agent"]

_READY_TIMEOUT_S = 20.0
_COLLECT_TIMEOUT_S = 2.0
_MODULES = ("tree", "wire", "privileges", "landlock", "supervisor", "dispatcher")
_AGENT_MODULES = (*_MODULES, "canary", "commands", "agent")
_WARM_MODULES = (*_MODULES, "warm")

_STUB = """import marshal,os,sys,types
f=os.fdopen(int(sys.argv[1]),'rb');f.seek(0);p=marshal.load(f);f.close()
k=types.ModuleType('cerver_inside');k.__path__=[];sys.modules['cerver_inside']=k
for n,c in p['modules']:
 m=types.ModuleType('cerver_inside.'+n);m.__package__='cerver_inside';sys.modules[m.__name__]=m
 exec(compile(c,n,'exec') if isinstance(c,str) else c,m.__dict__);setattr(k,n,m)
m.main(p['settings'])"""
"""Builds the modules that it is handed, in order, and calls `main` of the last one."""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """All there is to know to start an agent.

    `wrapper` is the command line that isolates it, up to the program; `data` are the contents of the files that the
    wrapper reads, by the word that stands for the descriptor in it. `warm_python` is the interpreter to keep warm,
    `warm_is_same` whether it takes the same compiled code as this process.
    """

    interpreter: str
    settings: Mapping[str, Any]
    env: Mapping[str, str]
    wrapper: tuple[str, ...] = ()
    data: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    warm_python: str | None = None
    warm_is_same: bool = False


class Agent:
    """A running agent, as the host holds it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, python: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._python = python
        self._is_ready = False
        self._waiting = anyio.Lock()

    @property
    def pid(self) -> int:
        """The process to end in order to end everything."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tell whether the agent still runs; collects it when it does not."""
        return self._process.poll() is None

    async def wait_ready(self) -> None:
        """Wait until the agent serves; at once when it is known to.

        Raises:
            ProviderUnavailable: it did not come up; the message holds what it said.
        """
        if not self._is_ready:
            async with self._waiting:
                await self._become_ready()

    async def _become_ready(self) -> None:
        if self._is_ready:
            return
        with anyio.move_on_after(_READY_TIMEOUT_S):
            await anyio.wait_readable(self._channel)
        self._is_ready = self._greeted()
        if not self._is_ready:
            self._end()
            complaint = self._complaint()
            self.close()
            raise ProviderUnavailable(f"the sandbox's agent did not start: {complaint}")
        self._close_errors()

    async def send(self, body: bytes, descriptors: list[int], *, to_python: bool) -> None:
        """Hand over a request, as soon as there is room for it.

        Raises:
            OSError: the agent is gone.
        """
        channel = self._python if to_python else self._channel
        try:
            wire.send(channel, body, descriptors)
        except BlockingIOError:
            async with self._waiting:
                await _send_late(channel, body, descriptors)

    def kill(self) -> None:
        """End the agent and every process below it. Blocks for a few ms."""
        self._end()
        self.close()

    def close(self) -> None:
        """Let go of an agent that has ended."""
        self._channel.close()
        self._python.close()
        self._close_errors()

    def _end(self) -> None:
        if self.is_alive:
            tree.end_tree(self.pid, with_root=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_COLLECT_TIMEOUT_S)

    def _close_errors(self) -> None:
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _greeted(self) -> bool:
        try:
            return self._channel.recv(1) == b"R"
        except OSError:
            return False

    def _complaint(self) -> str:
        errors = self._process.stderr
        if errors is None or errors.closed:
            return "it ended"
        os.set_blocking(errors.fileno(), False)
        said = errors.read(2000) or b""
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"


async def _send_late(channel: socket.socket, body: bytes, descriptors: list[int]) -> None:
    while True:
        await anyio.wait_writable(channel)
        with contextlib.suppress(BlockingIOError):
            wire.send(channel, body, descriptors)
            return


def start_agent(plan: AgentPlan) -> Agent:
    """Start an agent; it may still fail to come up. To be called from the thread that outlives it.

    Linux ties an agent in a sandbox to the thread that started it, and ends it with that thread.

    Raises:
        ProviderUnavailable: the program could not be started.
    """
    with contextlib.ExitStack() as handed:
        channel, theirs = socket.socketpair(socket.AF_UNIX, wire.KIND)
        python, their_python = socket.socketpair(socket.AF_UNIX, wire.KIND)
        handed.enter_context(theirs)
        handed.enter_context(their_python)
        channel.setblocking(False)
        python.setblocking(False)
        numbers = {"channel": theirs.fileno(), "python_channel": their_python.fileno()}
        command, passed = _command(plan, numbers, handed)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, pass_fds=(*numbers.values(), *passed), env={}, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            channel.close()
            python.close()
            raise ProviderUnavailable(f"{command[0]} could not be started: {error.strerror}") from error
    return Agent(process, channel, python)


def _command(plan: AgentPlan, numbers: dict[str, int], handed: contextlib.ExitStack) -> tuple[list[str], list[int]]:
    passed: list[int] = []
    settings: dict[str, Any] = {**plan.settings, **numbers, "env": dict(plan.env)}
    settings |= {"warm_python": None, "warm_payload": None}
    if plan.warm_python is not None:
        payload = handed.enter_context(spooled(_payload(_WARM_MODULES, settings, as_code=plan.warm_is_same))).fileno()
        passed.append(payload)
        settings |= {"warm_python": [plan.warm_python, "-c", _STUB, str(payload)], "warm_payload": payload}
    payload = handed.enter_context(spooled(_payload(_AGENT_MODULES, settings, as_code=True))).fileno()
    passed.append(payload)
    files = {word: handed.enter_context(spooled(content)).fileno() for word, content in plan.data.items()}
    passed += files.values()
    wrapper = [str(files.get(word, word)) for word in plan.wrapper]
    return [*wrapper, plan.interpreter, "-I", "-S", "-E", "-c", _STUB, str(payload)], passed


def _payload(modules: tuple[str, ...], settings: Mapping[str, Any], *, as_code: bool) -> bytes:
    given = [(name, _module(name, as_code=as_code)) for name in modules]
    return marshal.dumps({"modules": given, "settings": dict(settings)}, *(() if as_code else (2,)))


def _module(name: str, *, as_code: bool) -> object:
    full = f"{__package__}.inside.{name}"
    spec = importlib.util.find_spec(full)
    assert spec is not None
    loader = cast("InspectLoader", spec.loader)
    return loader.get_code(full) if as_code else loader.get_source(full)


def spooled(content: bytes) -> IO[bytes]:
    """Make a file without a name that holds this; in memory where the system can, as it may hold secrets."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("cerver"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(content)
    file.flush()
    file.seek(0)
    return file
