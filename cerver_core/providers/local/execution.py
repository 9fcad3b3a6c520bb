"""Follow one execution: its output as it comes, then how it ended. Leaving early ends its whole tree.

There is no task behind it: whoever iterates reads the pipes, so a slow reader holds the command back and nothing
grows. The deadline is kept by the supervisor inside; a backstop here covers one that was stopped or killed.
"""

import contextlib
import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio

from cerver_core.errors import InvalidInput, ProviderFailed, ProviderUnavailable, RuntimeMissing
from cerver_core.providers.base import Exited, Output
from cerver_core.providers.local.agents import Agent, spooled
from cerver_core.providers.local.inside import wire

__all__ = ["Execution", "Start"]

_READ_BYTES = 64 * 1024
_DRAIN_S = 0.15
"""How long output is awaited after the end of a command whose pipes are still held open."""

_HELD_BYTES = 2 * 64 * 1024
"""What two pipes hold: it may all have been written before the end, and an orphan may go on writing for ever."""

_END_TIMEOUT_S = 5.0
_BACKSTOP_S = 5.0
_REPLY_BYTES = 8 * 1024
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Start:
    """What an execution needs to begin: the agent to ask and the request to hand it.

    `on_cwd` learns where the shell stood at the end; `on_end` is called when all is over. `is_warm` asks
    the warm Python.
    """

    agent: Agent
    request: wire.Request
    timeout_s: float
    notes: tuple[str, ...] = ()
    on_cwd: Callable[[bytes], None] | None = None
    on_end: Callable[[], None] | None = None
    is_warm: bool = False


@dataclass(slots=True)
class _Pipes:
    control: socket.socket
    streams: dict[int, str]
    given: list[int] = field(default_factory=list[int])

    @classmethod
    def make(cls) -> "_Pipes":
        control, theirs = socket.socketpair()
        control.setblocking(False)
        out, their_out = os.pipe()
        err, their_err = os.pipe()
        os.set_blocking(out, False)
        os.set_blocking(err, False)
        return cls(control, {out: "stdout", err: "stderr"}, [theirs.detach(), their_out, their_err])

    def let_go(self) -> None:
        """Close the ends that were given away."""
        while self.given:
            os.close(self.given.pop())

    def close(self) -> None:
        """Close everything."""
        self.let_go()
        self.control.close()
        for stream in self.streams:
            os.close(stream)
        self.streams.clear()


class Execution:
    """A `CommandStream` of this machine."""

    def __init__(self, prepare: Callable[[], Awaitable[Start]]) -> None:
        self._prepare = prepare
        self._ready: deque[int] = deque()
        self._exited: tuple[int, int] | None = None
        self._drain_until = 0.0
        self._held_bytes = _HELD_BYTES
        self._is_over = False
        self._notes: list[str] = []

    @classmethod
    def of(cls, start: Start) -> "Execution":
        """Make an execution of which everything is known already."""

        async def prepare() -> Start:
            return start

        return cls(prepare)

    async def __aenter__(self) -> Self:
        self._start = await self._prepare()
        self._notes.extend(self._start.notes)
        self._pipes = _Pipes.make()
        self._selector = selectors.DefaultSelector()
        try:
            await self._hand_over()
            for stream in self._pipes.streams:
                self._selector.register(stream, selectors.EVENT_READ)
            self._selector.register(self._pipes.control, selectors.EVENT_READ)
        except BaseException:
            self._close()
            raise
        self._began = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._exited is None:
                with anyio.CancelScope(shield=True):
                    await self._end_early()
        finally:
            self._close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Output | Exited:
        if self._is_over:
            raise StopAsyncIteration
        while True:
            if self._is_finished():
                return self._finish()
            output = self._read()
            if output is not None:
                return output
            if not self._is_finished():
                await self._wait()

    async def _hand_over(self) -> None:
        agent, body = self._start.agent, wire.encode(self._start.request)
        with contextlib.ExitStack() as stack:
            descriptors = list(self._pipes.given)
            if len(body) > wire.INLINE_BYTES:
                spool = stack.enter_context(spooled(body))
                descriptors, body = [*descriptors, spool.fileno()], b""
            try:
                await agent.send(body, descriptors, to_python=self._start.is_warm)
            except OSError as error:
                raise ProviderUnavailable("the sandbox's agent ended before the command began; try again") from error
        self._pipes.let_go()

    def _is_finished(self) -> bool:
        if self._exited is None:
            return False
        if not self._pipes.streams:
            return True
        # Whoever reads may be slow, or this process: what is there, or the pipe's end, is taken though it is late.
        is_late = time.monotonic() >= self._drain_until
        return is_late and (self._held_bytes <= 0 or not (self._ready or self._selector.select(0)))

    def _finish(self) -> Exited:
        assert self._exited is not None
        self._is_over = True
        code, flags = self._exited
        if flags & wire.MOVED:
            self._notes.append("the folder where the session stood is gone; this ran in the workspace's root")
        return Exited(
            exit_code=code,
            duration_ms=(time.monotonic() - self._began) * 1000,
            timed_out=bool(flags & wire.TIMED_OUT),
            orphan_held_output=bool(self._pipes.streams),
            notes=tuple(self._notes),
        )

    def _read(self) -> Output | None:
        if not self._ready:
            self._ready.extend(key.fd for key, _ in self._selector.select(0))
        while self._ready:
            source = self._ready.popleft()
            if source == self._pipes.control.fileno():
                self._take_reply()
                continue
            name = self._pipes.streams.get(source)
            data = b"" if name is None else _read_some(source)
            if data and name is not None:
                self._held_bytes -= len(data) if self._exited else 0
                return Output("stdout" if name == "stdout" else "stderr", data)
            if data is not None:
                self._forget(source)
        return None

    def _forget(self, stream: int) -> None:
        if stream in self._pipes.streams:
            self._selector.unregister(stream)
            del self._pipes.streams[stream]
            os.close(stream)

    async def _wait(self) -> None:
        now = time.monotonic()
        until = self._drain_until if self._exited else self._began + self._start.timeout_s + _BACKSTOP_S
        with anyio.move_on_after(max(0.0, until - now)):
            await anyio.wait_readable(self._selector.fileno())  # type: ignore[attr-defined] - kqueue and epoll have it
            return
        if self._exited is None:
            self._start.agent.kill()
            self._notes.append("the command's supervisor did not answer at its deadline; the sandbox was ended")
            self._settle(124, wire.TIMED_OUT)

    def _take_reply(self) -> None:
        try:
            record = self._pipes.control.recv(_REPLY_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            record = b""
        self._selector.unregister(self._pipes.control)
        if not record:
            self._notes.append("the command's supervisor was ended, and the command with it")
            self._settle(_KILLED, 0)
            return
        self._understand(record)

    def _understand(self, record: bytes) -> None:
        if len(record) < wire.ENDED.size:
            raise ProviderFailed("the sandbox sent a reply that cannot be understood")
        kind, code, flags, size = wire.ENDED.unpack_from(record)
        text = record[wire.ENDED.size : wire.ENDED.size + size]
        if kind == 1:
            self._settle(code, flags)
            if text and self._start.on_cwd is not None:
                self._start.on_cwd(text)
            return
        self._settle(126, 0)
        reason = text.decode(errors="replace")
        if code == errno.ENOENT:
            raise RuntimeMissing("the program of this runtime was found earlier and is gone now; try again later")
        if code == errno.E2BIG:
            raise InvalidInput("the command's environment is too large for this machine")
        raise ProviderUnavailable(f"the command could not be started: {reason}")

    def _settle(self, code: int, flags: int) -> None:
        self._exited = (code, flags)
        self._drain_until = time.monotonic() + _DRAIN_S

    async def _end_early(self) -> None:
        """Have the supervisor end the tree, and wait until it has."""
        with contextlib.suppress(OSError):
            self._pipes.control.shutdown(socket.SHUT_WR)
        with anyio.move_on_after(_END_TIMEOUT_S):
            while self._exited is None:
                await anyio.wait_readable(self._pipes.control)
                self._take_reply()
        if self._exited is None:
            self._start.agent.kill()

    def _close(self) -> None:
        self._selector.close()
        self._pipes.close()
        if self._start.on_end is not None:
            self._start.on_end()


def _read_some(stream: int) -> bytes | None:
    try:
        return os.read(stream, _READ_BYTES)
    except BlockingIOError:
        return None
