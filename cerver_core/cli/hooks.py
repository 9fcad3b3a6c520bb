"""The command `hook` beside the hooks themselves, which `hook` answers: brings in what they noted."""

import os
from argparse import SUPPRESS, ArgumentParser, Namespace

import anyio

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import connected, perform
from cerver_core.cli.hook import HOOKS, hook
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import CerverError
from cerver_core.remembering.drainer import Drainer
from cerver_core.remembering.spool import Spool

__all__ = ["COMMANDS"]

_THROTTLE_S = 4.0
"""A drainer that fails stays so much longer, so that each hook does not start another to fail."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=(*HOOKS, "drain"), help="whose hook it is; or drain, to bring in now what hooks noted"
    )
    parser.add_argument("event", nargs="?", help="what the hook tells, as JSON (default: standard input)")
    parser.add_argument("--follow", type=int, metavar="LOCK", help=SUPPRESS)


def _run(args: Namespace, terminal: Terminal) -> int:
    if args.what != "drain":
        return hook([args.what, *([args.event] if args.event is not None else [])])
    if args.follow is not None:
        return _follow(args.follow)
    return connected(_drain, sees_to_notes=False)(args, terminal)


async def _drain(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    del args
    settings = Settings.from_environ()
    drained = await Drainer(cerver, Spool(settings.environ), settings).drain()
    terminal.line(f"{drained.added:,} new entries from {drained.transcripts:,} transcripts")
    for reason in drained.refused:
        terminal.note(f"refused: {reason}")
    return exits.FAILED if drained.refused else exits.OK


def _follow(lock: int) -> int:
    """Be the drainer that a hook started: it holds the lock, and nobody waits for it."""
    settings = Settings.from_environ()
    spool = Spool(settings.environ)
    os.set_inheritable(lock, False)
    os.chdir("/")

    async def follow() -> int:
        held: int | None = lock
        while held is not None:
            spool.sign(held)
            try:
                await _follow_once(settings, spool)
            except CerverError:
                await anyio.sleep(_THROTTLE_S)
                raise
            os.close(held)
            # A hook that came after the last look, and before the lock was free, started nobody.
            held = spool.lock() if spool.waiting() else None
        return exits.OK

    return perform(follow)


async def _follow_once(settings: Settings, spool: Spool) -> None:
    refusal: CerverError | None = None
    async with connect(settings) as cerver:
        try:
            await Drainer(cerver, spool, settings).follow()
        except CerverError as error:  # the task groups around would wrap it
            refusal = error
    if refusal is not None:
        raise refusal


COMMANDS: Commands = {"hook": Command(_arguments, _run)}
