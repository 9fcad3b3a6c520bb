"""Follow one execution in a remote sandbox: what it writes as it comes, then how it ended.

Whoever iterates reads the vendor's stream, so nothing grows. The deadline is kept inside, by the script around the
command; a backstop here covers a sandbox that died. Leaving early ends the command's whole tree, by a second call.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Literal, Self

import anyio

from cerver_core.errors import (
    CerverError,
    FileMissing,
    InvalidInput,
    NotFound,
    PathEscapesWorkspace,
    PaymentRequired,
    ProviderFailed,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    RuntimeMissing,
)
from cerver_core.providers.base import Exited, Output
from cerver_core.providers.shell.link import Ended, ProgramStream
from cerver_core.providers.shell.marks import Marks

__all__ = ["Execution", "Start", "told_error"]

_REFUSALS = (ProviderRefused, PaymentRequired, RateLimited, NotFound, InvalidInput)
"""After these, nothing was begun."""

_MOVED = "the folder where the session stood is gone; this ran in the workspace's root"
_DRAIN_S = 0.5
"""How long the vendor's own end is awaited after both streams have come to theirs."""

_BACKSTOP_S = 10.0
_END_LIMIT_S = 15.0
_PIECE_BYTES = 512 * 1024
_KILLED = 137


class Start:
    """What an execution needs to begin: its stream, how to end its tree, and what it is called in messages."""

    __slots__ = ("end", "exec_id", "stream", "timeout_s", "what")

    def __init__(
        self, exec_id: str, stream: ProgramStream, end: Callable[[], Awaitable[None]], *, timeout_s: float, what: str
    ) -> None:
        self.exec_id = exec_id
        self.stream = stream
        self.end = end
        self.timeout_s = timeout_s
        self.what = what


class Execution:
    """A `CommandStream` over a vendor's stream."""

    def __init__(self, prepare: Callable[[], Awaitable[Start]]) -> None:
        self._prepare = prepare
        self._ready: deque[Output] = deque()
        self._stack = AsyncExitStack()
        self._vendor_code: int | None = None
        self._vendor_ended = False
        self._is_over = False
        self._needs_end = False
        self._notes: list[str] = []

    async def __aenter__(self) -> Self:
        self._start = await self._prepare()
        self._marks = Marks(self._start.exec_id)
        self._began = time.monotonic()
        try:
            # From here on it may have been started, whatever becomes of the call.
            self._needs_end = True
            self._events: AsyncIterator[Output | Ended] = await self._stack.enter_async_context(self._start.stream)
            await self._await_word()
        except BaseException as error:
            self._needs_end = self._needs_end and not isinstance(error, _REFUSALS)
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Output | Exited:
        if self._is_over:
            raise StopAsyncIteration
        while not self._ready:
            if self._vendor_ended or self._marks.is_over:
                return await self._finish()
            if not await self._take_one(self._left_s()):
                return await self._give_up()
        return self._ready.popleft()

    async def _await_word(self) -> None:
        while self._marks.word is None and not self._vendor_ended:
            if not await self._take_one(self._left_s()):
                raise ProviderUnavailable(f"{self._start.what} was not begun by the sandbox within its time")
        word = self._marks.word
        if word == "moved":
            self._notes.append(_MOVED)
        elif word != "started":
            self._needs_end = False
            raise told_error(word or "nothing", self._start.what)

    def _left_s(self) -> float:
        return max(0.0, self._began + self._start.timeout_s + _BACKSTOP_S - time.monotonic())

    async def _take_one(self, limit_s: float) -> bool:
        """Take the vendor's next event; false when none came within the limit."""
        with anyio.move_on_after(limit_s):
            event = await anext(self._events, None)
            if isinstance(event, Output):
                self._keep(event.stream, self._marks.take(event.stream, event.data))
            else:
                self._vendor_ended = True
                self._vendor_code = None if event is None else event.exit_code
                self._keep("stdout", self._marks.rest("stdout"))
                self._keep("stderr", self._marks.rest("stderr"))
            return True
        return False

    def _keep(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        for begin in range(0, len(data), _PIECE_BYTES):
            self._ready.append(Output(stream, data[begin : begin + _PIECE_BYTES]))

    async def _finish(self) -> Exited:
        if not self._vendor_ended:
            with anyio.move_on_after(_DRAIN_S):
                while not self._vendor_ended:
                    await self._take_one(_DRAIN_S)
        told = self._marks.ended.get("stderr", [])
        if len(told) == 2 and told[0].isdigit():
            return self._exited(int(told[0]), timed_out=told[1] == "1")
        self._notes.append("the command was ended from outside, or its sandbox was")
        return self._exited(_KILLED if self._vendor_code in (None, 0) else int(self._vendor_code or _KILLED))

    async def _give_up(self) -> Exited:
        await self._end_tree()
        self._notes.append("the sandbox did not answer at the deadline; the command was ended from here")
        return self._exited(124, timed_out=True)

    def _exited(self, code: int, *, timed_out: bool = False) -> Exited:
        self._is_over = True
        self._needs_end = False
        return Exited(
            exit_code=124 if timed_out else code,
            duration_ms=(time.monotonic() - self._began) * 1000,
            timed_out=timed_out,
            orphan_held_output=not self._vendor_ended,
            notes=tuple(self._notes),
        )

    async def _leave(self) -> None:
        if self._needs_end:
            with anyio.CancelScope(shield=True):
                await self._end_tree()
        # Outside of the shield and without the error: a stream may hold a task group, which is left as it was entered
        # and would wrap what goes through it.
        await self._stack.aclose()

    async def _end_tree(self) -> None:
        self._needs_end = False
        with anyio.move_on_after(_END_LIMIT_S):
            try:
                await self._start.end()
            except NotFound:
                return
            except CerverError as error:
                self._notes.append(f"the command could not be ended: {error.message}")


def told_error(word: str, what: str) -> CerverError:
    """Make the error for what a script told."""
    kinds: dict[str, tuple[type[CerverError], str]] = {
        "gone": (NotFound, "the workspace of this sandbox is gone: it was destroyed, or removed by hand"),
        "no-folder": (FileMissing, f"{what}: the folder does not exist in the workspace"),
        "escapes": (PathEscapesWorkspace, f"{what}: the path leads out of the workspace"),
        "no-runtime": (RuntimeMissing, f"{what}: the sandbox has no such program; choose an image that has it"),
    }
    kind, message = kinds.get(word, (ProviderFailed, f"{what}: the sandbox's shell answered {word!r}"))
    return kind(message)
