"""Live transcripts: one follower per session and process, however many watch; each entry is encoded once for all.

Nobody has a queue of their own: a watcher has a place (a seq) in the few entries that are kept at hand, and one who has
fallen behind them reads on from the store.
"""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup
from pydantic_core import from_json

from cerver_core.api import Cerver
from cerver_core.errors import CerverError, Unavailable
from cerver_core.gateway.unexpected import expected_only
from cerver_core.wire.transcripts import Entry, ReadTranscript

__all__ = ["Live", "Shown", "Tail"]

_AT_HAND = 256
_AT_HAND_BYTES = 4 * 1024 * 1024
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as it is sent: its JSON text, and that as one server-sent event."""

    seq: int
    text: bytes
    event: bytes

    @classmethod
    def of(cls, seq: int, text: bytes) -> "Shown":
        """Encode an entry from its JSON text."""
        return cls(seq, text, b"id: %d\nevent: entry\ndata: %b\n\n" % (seq, text))


@dataclass(slots=True)
class _Topic:
    """What is being followed: the newest entries, and how it ended, if it did."""

    last_seq: int
    watchers: int = 0
    size: int = 0
    at_hand: deque[Shown] = field(default_factory=deque[Shown])
    changed: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    is_over: bool = False
    failure: CerverError | None = None

    @property
    def first_seq(self) -> int:
        """Give the seq from which on all entries are at hand."""
        return self.at_hand[0].seq if self.at_hand else self.last_seq + 1

    def add(self, entry: Entry) -> None:
        """Take a new entry and wake everybody."""
        text = entry.__pydantic_serializer__.to_json(entry, exclude_none=True)
        self.at_hand.append(Shown.of(entry.seq, text))
        self.last_seq = entry.seq
        self.size += len(text)
        while len(self.at_hand) > _AT_HAND or (self.size > _AT_HAND_BYTES and len(self.at_hand) > 1):
            self.size -= len(self.at_hand.popleft().text)
        self.wake()

    def end(self, failure: CerverError | None = None) -> None:
        """Say that nothing more will come."""
        self.is_over = True
        self.failure = failure
        self.wake()

    def wake(self) -> None:
        """Let everybody look again."""
        changed, self.changed = self.changed, anyio.Event()
        changed.set()


class Tail:
    """One watcher's place in a transcript: `seq` is the last entry it was given."""

    def __init__(self, topic: _Topic, cerver: Cerver, session_id: str, seq: int) -> None:
        self._topic = topic
        self._cerver = cerver
        self._session_id = session_id
        self.seq = seq

    async def next(self, wait_s: float) -> tuple[Shown, ...] | None:
        """Give the next entries; none when none came within `wait_s`; null when the session is over.

        Raises:
            CerverError: the transcript can no longer be followed.
        """
        topic = self._topic
        with anyio.move_on_after(wait_s):
            while True:
                changed = topic.changed
                found = await self._behind() if self.seq + 1 < topic.first_seq else self._at_hand()
                if found:
                    self.seq = found[-1].seq
                    return found
                if topic.failure is not None:
                    raise topic.failure
                if topic.is_over:
                    return None
                await changed.wait()
        return ()

    def _at_hand(self) -> tuple[Shown, ...]:
        found: list[Shown] = []
        for shown in reversed(self._topic.at_hand):
            if shown.seq <= self.seq:
                break
            found.append(shown)
        return tuple(reversed(found))

    async def _behind(self) -> tuple[Shown, ...]:
        page = await self._cerver.transcripts.read(self._session_id, ReadTranscript(since=self.seq, limit=_PAGE))
        return tuple(Shown.of(from_json(text)["seq"], text.encode()) for text in page.raw)


class Live:
    """All that is being followed in this process. An async context manager: leaving it ends every follower."""

    def __init__(self) -> None:
        self._topics: dict[tuple[str, str], _Topic] = {}
        self._tasks: TaskGroup | None = None
        self.stopping = anyio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Follow for as long as the block lasts."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self.stop()
                self._tasks = None
                tasks.cancel_scope.cancel()

    def stop(self) -> None:
        """End every stream with a word, because the gateway is about to end."""
        self.stopping.set()
        for topic in self._topics.values():
            topic.end(Unavailable("the gateway is stopping: follow again from the last seq that came"))

    @asynccontextmanager
    async def tail(self, account_id: str, cerver: Cerver, session_id: str, since: int | None) -> AsyncGenerator[Tail]:
        """Watch a transcript from behind seq `since`, or from its present end.

        Raises:
            SessionNotFound: the caller has none by this id.
            Unavailable: the gateway is stopping.
        """
        record = await cerver.sessions.get(session_id)
        key = (account_id, session_id)
        topic = self._topics.get(key)
        if topic is None or topic.is_over:
            if self._tasks is None or self.stopping.is_set():
                raise Unavailable("the gateway is stopping: try again in a moment")
            topic = self._topics[key] = _Topic(record.transcript_total)
            self._tasks.start_soon(self._follow, key, topic, cerver)
        topic.watchers += 1
        try:
            yield Tail(topic, cerver, session_id, record.transcript_total if since is None else since)
        finally:
            topic.watchers -= 1
            if not topic.watchers:
                self._forget(key, topic)
                topic.scope.cancel()

    async def _follow(self, key: tuple[str, str], topic: _Topic, cerver: Cerver) -> None:
        failure: CerverError | None = None
        with topic.scope:
            try:
                with expected_only(f"following session {key[1]}"):
                    async with cerver.transcripts.follow(key[1], since=topic.last_seq) as entries:
                        async for entry in entries:
                            topic.add(entry)
            except CerverError as error:
                failure = error
        self._forget(key, topic)
        if not topic.is_over:
            topic.end(failure)

    def _forget(self, key: tuple[str, str], topic: _Topic) -> None:
        if self._topics.get(key) is topic:
            del self._topics[key]
