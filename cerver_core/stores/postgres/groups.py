"""Group commit: appends that come while another group is being written go together in the next one."""

# asyncio by name: a bare future and one timer per call cost a fifth of anyio's way, and an append is made of little
# else. Cancel scopes of anyio end the wait all the same.
import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from cerver_core.errors import CerverError, DeadlineExceeded, StoreUnavailable
from cerver_core.stores.base import EntryDraft
from cerver_core.stores.placing import draft_bytes
from cerver_core.stores.postgres.database import Database

__all__ = ["GROUPED_BYTES", "GROUPED_ENTRIES", "Committer", "Request"]

GROUPED_ENTRIES = 20
"""A request of more entries than this gains nothing from company and is written by itself."""

GROUPED_BYTES = 64 * 1024
"""The same for its bytes; with `_MOST_WAITING` it bounds what the queue keeps in memory to 64 MiB."""

_MOST_REQUESTS = 64
_MOST_WAITING = 1_024
_WRITERS = 2  # a group that waits for somebody's row does not hold up the next
_APPEND = "SELECT append_group_1($1, $2, $3, $4, $5, $6, $7, $8)"

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Request:
    """Entries without client ids, for one session; account and session are given as they are kept."""

    account: str
    session: str
    at_us: int
    drafts: Sequence[EntryDraft]
    answer: "asyncio.Future[int | None]" = field(init=False)

    @property
    def is_small(self) -> bool:
        """Tell whether it gains from company."""
        return len(self.drafts) <= GROUPED_ENTRIES and draft_bytes(self.drafts) <= GROUPED_BYTES


class Committer:
    """Writes requests in groups; `run` must run as long as it is used. `committed` is told of each that was written."""

    def __init__(self, database: Database, committed: Callable[[Sequence[Request]], None]) -> None:
        self._database = database
        self._committed = committed
        self._send, self._receive = anyio.create_memory_object_stream[Request](_MOST_WAITING)

    async def run(self) -> None:
        """Write groups until `close` is called and nothing waits."""
        async with self._receive, anyio.create_task_group() as writers:
            for _ in range(_WRITERS):
                writers.start_soon(self._write_groups)

    def close(self) -> None:
        """Take no more; what waits is written."""
        self._send.close()

    async def append(self, request: Request) -> int | None:
        """Write the entries, durably, and give the seq behind which they stand; null: there is no such session.

        Raises:
            StoreUnavailable: the server cannot be reached, or the connection broke; they may have been written.
            DeadlineExceeded: no answer within the limit; they may have been written.
        """
        if not request.is_small:
            (base,) = await self._write((request,))
            return base
        loop = asyncio.get_running_loop()
        request.answer = loop.create_future()
        timer = loop.call_later(self._database.limit_s, self._expire, request)
        try:
            try:
                self._send.send_nowait(request)
            except anyio.WouldBlock:
                with anyio.move_on_after(self._database.limit_s):
                    await self._send.send(request)
            return await request.answer
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise StoreUnavailable("the store is closed; open it again before using it") from error
        finally:
            timer.cancel()
            request.answer.cancel()

    def _expire(self, request: Request) -> None:
        if not request.answer.done():
            limit_s = self._database.limit_s
            request.answer.set_exception(
                DeadlineExceeded(f"the database did not answer within {limit_s:g} s; the entries may have been written")
            )

    async def _write_groups(self) -> None:
        async for first in self._receive:
            group = [first]
            while len(group) < _MOST_REQUESTS:
                try:
                    group.append(self._receive.receive_nowait())
                except (anyio.WouldBlock, anyio.EndOfStream):
                    break
            # Whoever no longer waits, cancelled or out of time, finds nothing written.
            group = [request for request in group if not request.answer.done()]
            if group:
                await self._settle(group)

    async def _settle(self, group: Sequence[Request]) -> None:
        try:
            bases = await self._write(group)
        except CerverError as error:
            _log.warning("a group of %d appends failed: %s", len(group), error)
            for request in group:
                if not request.answer.done():
                    request.answer.set_exception(_again(error))
            return
        for request, base in zip(group, bases, strict=True):
            if not request.answer.done():
                request.answer.set_result(base)

    async def _write(self, group: Sequence[Request]) -> Sequence[int | None]:
        numbers = [number for number, request in enumerate(group, 1) for _ in request.drafts]
        drafts = [draft for request in group for draft in request.drafts]
        bases: Sequence[int | None] = await self._database.value(
            _APPEND,
            [request.account for request in group],
            [request.session for request in group],
            [request.at_us for request in group],
            [len(request.drafts) for request in group],
            [sum(draft.is_by_user for draft in request.drafts) for request in group],
            numbers,
            [draft.view or draft.body for draft in drafts],
            [draft.body if draft.view else None for draft in drafts],
        )
        self._committed([request for request, base in zip(group, bases, strict=True) if base is not None])
        return bases


def _again(error: CerverError) -> CerverError:
    """Give each waiting caller an error of its own, so that their tracebacks stay apart."""
    own = type(error)(error.message, **error.detail)
    own.__cause__ = error.__cause__
    return own
