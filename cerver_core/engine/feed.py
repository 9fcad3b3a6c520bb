"""Wakes the followers of a transcript when there may be something to read: by this process's appends at once, by those
of others where the store can tell, else by looking again in a moment."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import anyio

from cerver_core.stores.base import WatchedStore
from cerver_core.stores.notices import Noticing

__all__ = ["Feed", "News"]

_LOOK_S = 0.5
"""How often a follower looks where nobody tells of other processes' appends."""

_LOOK_ANYWAY_S = 5.0
"""How often it looks where somebody does: an older Cerver that writes beside this one tells nobody."""

_PEACE_S = 0.001
"""How long others' writes wake nobody, for each session that is followed: all of them look, whoever was written to, and
a thousand of them then do so once a second. What this process appends wakes its followers at once all the same."""


class News:
    """What one follower waits for; nothing is queued, so nothing can pile up."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self.look_s = _LOOK_S

    def wake(self) -> None:
        """Say that there may be something to read."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until there may be something that came after the last wait; read it before waiting again."""
        with anyio.move_on_after(self.look_s):
            await self._event.wait()
        self._event = anyio.Event()


class Feed:
    """Knows who follows which session in this process; the store is watched for as long as somebody follows."""

    def __init__(self, store: WatchedStore | Noticing | None = None) -> None:
        self._store = store
        self._following: defaultdict[str, list[News]] = defaultdict(list)
        self._watching = ExitStack()
        self._look_s = _LOOK_S

    def wake(self, session_id: str) -> None:
        """Tell the followers of a session to read on."""
        for news in self._following.get(session_id, ()):
            news.wake()

    @contextmanager
    def following(self, session_id: str) -> Generator[News]:
        """Give what one follower of a session waits for, for as long as the block lasts."""
        news = News()
        if not self._following:
            self._watch()
        news.look_s = self._look_s
        self._following[session_id].append(news)
        try:
            yield news
        finally:
            self._following[session_id].remove(news)
            if not self._following[session_id]:
                del self._following[session_id]
            if not self._following:
                self._watching.close()

    def _watch(self) -> None:
        if isinstance(self._store, Noticing):
            self._watching.enter_context(self._store.watch(self._notice))
            self._look_s = _LOOK_ANYWAY_S
        elif self._store is not None:
            is_told = self._watching.enter_context(self._store.on_write(self._wake_all))
            self._look_s = _LOOK_ANYWAY_S if is_told else _LOOK_S

    def _notice(self, _account_id: str, session_id: str) -> None:
        self.wake(session_id)  # another account's session of the same id costs a look

    def _wake_all(self) -> float:
        for found in self._following.values():
            for news in found:
                news.wake()
        return len(self._following) * _PEACE_S
