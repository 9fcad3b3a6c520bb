"""Brings in what agents' hooks noted, in the server that runs anyway: no other process has to start for each turn."""

import contextlib
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from cerver_core.config import Settings
from cerver_core.errors import CerverError
from cerver_core.remembering.spool import Spool
from cerver_mcp.opener import Opener

__all__ = ["keep_draining"]

logger = logging.getLogger(__name__)

_FIRST_LOOK_S = 2.0
"""The client's first calls go before."""

_LOOK_S = 1.0
_BECOME_S = 5.0
"""How often a server that is not the drainer looks whether it can become it."""

_AFTER_FAILURE_S = 30.0


async def keep_draining(opener: Opener, settings: Settings) -> None:
    """Be the one drainer of this user's notes, whenever no other process is, until cancelled.

    Cerver is opened when there is a note for the first time. Whoever ends with notes waiting starts a drainer that
    outlives it, as a hook would have.
    """
    spool = Spool(settings.environ)
    await anyio.sleep(_FIRST_LOOK_S)
    while True:
        async with _drainer(spool) as is_drainer:
            while is_drainer:
                if spool.waiting() or spool.taken():
                    await _drain(opener, spool, settings)
                await anyio.sleep(_LOOK_S)
        await anyio.sleep(_BECOME_S)


@asynccontextmanager
async def _drainer(spool: Spool) -> AsyncGenerator[bool]:
    """Hold the lock of the drainer, if it is free and hooks are used here at all."""
    try:
        lock = spool.lock()
    except OSError as error:
        logger.debug("there is no spool to drain: %s", error)
        lock = None
    if lock is None:
        yield False
        return
    spool.sign(lock)
    try:
        yield True
    finally:
        os.close(lock)
        if spool.waiting() or spool.taken():
            with contextlib.suppress(OSError):
                spool.start_drainer()


async def _drain(opener: Opener, spool: Spool, settings: Settings) -> None:
    # Loaded when there is something to bring in: it takes longer than the handshake may.
    from cerver_core.remembering.drainer import Drainer  # noqa: PLC0415

    try:
        await Drainer(await opener.cerver(), spool, settings).follow()
    except CerverError as error:
        logger.warning("what hooks noted cannot be brought in now: %s", error)
        await anyio.sleep(_AFTER_FAILURE_S)
