"""Hands calls from the event loop to a store's threads, and their outcomes back; bounded, and cheap when idle."""

# asyncio by name, though the rest of Cerver uses anyio: a bare future woken by call_soon_threadsafe costs a fifth of
# anyio's way into a thread, and an append is made of little else. Cancel scopes of anyio end the wait all the same.
import asyncio
from collections.abc import Callable, Sequence
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import anyio

from cerver_core.errors import StoreUnavailable

__all__ = ["Call", "Handover", "Outcome"]

T = TypeVar("T")
C = TypeVar("C")


class Call(Generic[C, T]):
    """One piece of work for a thread, and the future of whoever waits for it."""

    __slots__ = ("future", "size", "work")

    def __init__(self, work: Callable[[C], T], size: int, future: "asyncio.Future[T]") -> None:
        self.work = work
        self.size = size
        self.future = future

    @property
    def is_abandoned(self) -> bool:
        """Tell whether its caller no longer waits: cancelled, or out of time."""
        return self.future.done()


Outcome = tuple[Call[Any, Any], Any, BaseException | None]
"""A call with its result, or with the error to raise."""


class Handover(Generic[C]):
    """A bounded queue of calls between one event loop and some threads, which do them with a `C`.

    At most `most_calls` calls of `most_bytes` together are waiting or under way; further callers wait for room. No
    caller waits longer than `limit_s`.
    """

    def __init__(self, *, most_calls: int, most_bytes: int, limit_s: float, late: Callable[[float], Exception]) -> None:
        self._most_calls = most_calls
        self._most_bytes = most_bytes
        self._limit_s = limit_s
        self._late = late
        self._queue: SimpleQueue[Call[C, Any] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._deadlines: dict[Call[C, Any], float] = {}
        self._bytes = 0
        self._is_closed = False
        self._room = anyio.Event()
        # One timer for all calls, which run out of time in the order they came: a timer each costs more than the rest.
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, work: Callable[[C], T], size: int = 0, *, limit_s: float | None = None) -> T:
        """Have a thread do the work and give its result; `size` is about how many bytes the call keeps in memory.

        `limit_s` is for work that may take longer than all other: it alone has that limit then. Cancelling the caller
        ends the wait alone: work that has begun is done to its end.

        Raises:
            StoreUnavailable: no answer within the limit, or the store is closed.
        """
        if self._is_full_for(size):
            await self._wait_for_room(size)
        if self._is_closed:
            raise StoreUnavailable("the store is closed; open it again before using it")
        call = Call(work, size, self._loop.create_future())
        self._bytes += size
        if limit_s is not None:
            self._deadlines[call] = inf
            self._queue.put(call)
            return await self._patiently(call, limit_s)
        self._deadlines[call] = deadline = self._loop.time() + self._limit_s
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._expire)
        self._queue.put(call)
        return await call.future

    async def _patiently(self, call: Call[C, T], limit_s: float) -> T:
        with anyio.move_on_after(limit_s):
            return await call.future
        raise self._late(limit_s)

    def close(self, threads: int) -> None:
        """Take no more calls and tell this many threads to end once the calls that wait are done."""
        self._is_closed = True
        if self._timer is not None and not self._deadlines:
            self._timer.cancel()
        for _ in range(threads):
            self._queue.put(None)

    def take(
        self, most_calls: int = 1, most_bytes: int = 0, *, wait_s: float | None = None
    ) -> Sequence[Call[C, Any]] | None:
        """Wait, on a thread, for a call, and give it with those that queued behind it; nothing means to end.

        Null means that none came within `wait_s`.
        """
        try:
            first = self._queue.get(timeout=wait_s)
        except Empty:
            return None
        if first is None:
            return ()
        calls = [first]
        size = first.size
        while len(calls) < most_calls and size < most_bytes:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                self._queue.put(None)
                break
            calls.append(following)
            size += following.size
        return calls

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Bring outcomes, from a thread, to those who wait for them."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, outcomes)
        except RuntimeError:
            return  # the loop has ended, and with it everyone who waited

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        for call, result, error in outcomes:
            del self._deadlines[call]
            self._bytes -= call.size
            if call.future.done():
                continue
            if error is None:
                call.future.set_result(result)
            else:
                call.future.set_exception(error)
        if self._room.statistics().tasks_waiting:
            self._room.set()
            self._room = anyio.Event()

    def _is_full_for(self, size: int) -> bool:
        waiting = len(self._deadlines)
        return waiting >= self._most_calls or (waiting > 0 and self._bytes + size > self._most_bytes)

    async def _wait_for_room(self, size: int) -> None:
        with anyio.move_on_after(self._limit_s):
            while self._is_full_for(size):
                await self._room.wait()
            return
        raise self._late(self._limit_s)

    def _expire(self) -> None:
        now = self._loop.time()
        self._timer = None
        for call, deadline in self._deadlines.items():
            if deadline == inf:
                continue
            if deadline > now:
                self._timer = self._loop.call_at(deadline, self._expire)
                break
            if not call.future.done():
                call.future.set_exception(self._late(self._limit_s))
