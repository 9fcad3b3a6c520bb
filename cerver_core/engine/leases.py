"""Leases: work that only one process at a time may do on an account, wherever the others run; kept as records."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from cerver_core.engine.context import Context
from cerver_core.engine.holders import is_gone
from cerver_core.errors import Conflict
from cerver_core.stores.records import Record

__all__ = ["Lease", "lease"]

_KIND = "lease"
_LASTS_S = 60.0
"""How long a lease lasts after it was last renewed: the longest wait for one whose holder died on another machine."""

_RENEW_S = 15.0
_ASK_S = 0.25
_GIVE_UP_LENGTH_S = 5.0


class Lease:
    """What the holder renews while it works."""

    def __init__(self, context: Context, name: str, record: Record) -> None:
        self._context = context
        self._name = name
        self._record = record
        self._renewed_s = context.clock.monotonic()

    async def renew(self) -> None:
        """Keep it for longer; call this before each step, none of which may take half a minute.

        Raises:
            Conflict: this process was held up so long that another took the lease; do nothing more under it.
        """
        if self._context.clock.monotonic() - self._renewed_s < _RENEW_S:
            return
        record = await _put(self._context, self._name, self._record.version)
        if record is None:
            raise Conflict(f"this process was held up, and another took over the {self._name}; run it again")
        self._record = record
        self._renewed_s = self._context.clock.monotonic()

    async def give_up(self) -> None:
        """Let the next one have it."""
        rows = self._context.rows.records
        await rows.delete(_KIND, self._name, expected_version=self._record.version)


@asynccontextmanager
async def lease(context: Context, name: str, *, patience_s: float) -> AsyncGenerator[Lease]:
    """Hold a lease while the block lasts, after waiting for whoever holds it.

    Raises:
        Conflict: another process holds it for longer than `patience_s`.
    """
    held: Lease | None = None
    with anyio.move_on_after(patience_s):
        while held is None:
            held = await _taken(context, name)
            if held is None:
                await anyio.sleep(_ASK_S)
    if held is None:
        raise Conflict(f"another process is at a {name} already; wait for it to end, then run this again")
    try:
        yield held
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_GIVE_UP_LENGTH_S):
            await held.give_up()


async def _taken(context: Context, name: str) -> Lease | None:
    """Take the lease if nobody has it, or if its holder is gone."""
    record = await _put(context, name, 0)
    if record is None:
        other = await context.rows.records.get(_KIND, name, now_us=context.now_us())
        if other is not None and is_gone(str(other.data.get("holder"))):
            record = await _put(context, name, other.version)
    return None if record is None else Lease(context, name, record)


async def _put(context: Context, name: str, expected_version: int) -> Record | None:
    now_us = context.now_us()
    return await context.rows.records.put(
        _KIND,
        name,
        {"holder": context.holder},
        now_us=now_us,
        expected_version=expected_version,
        expires_at_us=now_us + int(_LASTS_S * 1_000_000),
    )
