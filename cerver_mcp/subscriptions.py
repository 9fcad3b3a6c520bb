"""Tells a client when a session it subscribed to has new entries, in both eras of the protocol."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from cerver_core.api import Cerver
from cerver_core.errors import CerverError
from cerver_core.wire.transcripts import Entry
from cerver_mcp.boundary import error_text
from cerver_mcp.opener import Opener
from cerver_mcp.resources import session_of

__all__ = ["Subscriptions"]

logger = logging.getLogger(__name__)

_PAUSE_S = 0.5
"""A session that grows all the time is told of so often."""

_MOST = 64

_Context = ServerRequestContext[Opener, Any]
_Tell = Callable[[], Awaitable[None]]


class Subscriptions:
    """What the one client of a server is subscribed to.

    In the handshake era a client subscribes to one address after the other, until it unsubscribes or leaves; in the
    newer one it listens to a stream that names the addresses it is for.
    """

    def __init__(self) -> None:
        self._watched: dict[str, anyio.CancelScope] = {}
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus, max_subscriptions=_MOST)
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Watch what is subscribed to for as long as the block lasts."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                self._watched.clear()
                tasks.cancel_scope.cancel()

    async def subscribe(self, ctx: _Context, params: SubscribeRequestParams) -> EmptyResult:
        """Begin to tell of a session."""
        uri = str(params.uri)
        reference = session_of(uri)
        if reference is None or self._tasks is None:
            raise _refusal(uri, "not_found: what can be subscribed to is cerver://sessions/ID")
        if len(self._watched) >= _MOST:
            raise _refusal(uri, f"too_large: {_MOST} subscriptions are the most; unsubscribe from others first")
        try:
            cerver = await ctx.lifespan_context.cerver()
            session_id = await cerver.sessions.resolve(reference)
            since = (await cerver.sessions.get(session_id)).transcript_total
        except CerverError as error:
            raise _refusal(uri, error_text(error)) from None
        self._drop(uri)
        scope = self._watched[uri] = anyio.CancelScope()
        tell = partial(ctx.session.send_resource_updated, uri)
        self._tasks.start_soon(self._watch, cerver, session_id, since, tell, scope)
        return EmptyResult()

    async def unsubscribe(self, _ctx: _Context, params: UnsubscribeRequestParams) -> EmptyResult:
        """Stop telling of a session."""
        self._drop(str(params.uri))
        return EmptyResult()

    async def listen(self, ctx: _Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Serve one stream; sessions that it names and that are not there are never told of, as the protocol says."""
        outcome: SubscriptionsListenResult | MCPError | None = None
        async with anyio.create_task_group() as tasks:
            for uri in set(params.notifications.resource_subscriptions or ()):
                tasks.start_soon(self._publish, ctx.lifespan_context, uri)
            try:
                outcome = await self._listen(ctx, params)
            except MCPError as error:
                outcome = error  # raised below, so that it does not leave inside an exception group
            tasks.cancel_scope.cancel()
        if isinstance(outcome, MCPError):
            raise outcome
        assert outcome is not None
        return outcome

    async def _publish(self, opener: Opener, uri: str) -> None:
        reference = session_of(uri)
        if reference is None:
            return
        try:
            cerver = await opener.cerver()
            session_id = await cerver.sessions.resolve(reference)
            since = (await cerver.sessions.get(session_id)).transcript_total
        except CerverError as error:
            logger.debug("cannot watch %s: %s", uri, error)
            return
        tell = partial(self._bus.publish, ResourceUpdated(uri=uri))
        await self._watch(cerver, session_id, since, tell, anyio.CancelScope())

    async def _watch(self, cerver: Cerver, session_id: str, since: int, tell: _Tell, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                async with cerver.transcripts.follow(session_id, since=since) as entries:
                    await _told(entries, tell)
            except CerverError as error:
                logger.warning("a subscription ended: %s", error)

    def _drop(self, uri: str) -> None:
        scope = self._watched.pop(uri, None)
        if scope is not None:
            scope.cancel()


async def _told(entries: AsyncIterator[Entry], tell: _Tell) -> None:
    """Tell of the entries, many that come at once together; and of the end."""
    news = anyio.Event()
    is_over = False

    async def keep_telling() -> None:
        nonlocal news
        while True:
            await news.wait()
            news = anyio.Event()
            await tell()
            if is_over:
                return
            await anyio.sleep(_PAUSE_S)

    outcome: CerverError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_telling)
        try:
            async for _ in entries:
                news.set()
        except CerverError as error:
            outcome = error  # raised below, so that it does not leave inside an exception group
        is_over = True
        news.set()
    if outcome is not None:
        raise outcome


def _refusal(uri: str, text: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=text, data={"uri": uri})
