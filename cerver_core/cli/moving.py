"""The commands `push` and `pull`: this machine's own sessions to a gateway, and a gateway's to this machine."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import perform
from cerver_core.cli.moments import moment_since
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import ConfigurationError
from cerver_core.moving import Moved, Moving

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--since", metavar="WHEN", help="only sessions active since: 2026-05-01, or 12h, 30d, 8w ago")
    parser.add_argument("--project", help="only sessions of this project")
    parser.add_argument("--json", action="store_true", help="print JSON")


@asynccontextmanager
async def _both() -> AsyncGenerator[tuple[Cerver, Cerver]]:
    """Open this machine's own Cerver, and the gateway's.

    Raises:
        ConfigurationError: there is no key for a gateway.
    """
    settings = Settings.from_environ()
    if settings.api_token is None:
        raise ConfigurationError(
            "to push or pull, say which gateway: set CERVER_API_TOKEN to your key, and CERVER_GATEWAY_URL to its "
            "address if it is not the public one"
        )
    async with connect(replace(settings, api_token=None)) as here, connect(settings) as there:
        yield here, there


def _push(args: Namespace, terminal: Terminal) -> int:
    async def work() -> int:
        async with _both() as (here, there):
            return await _move(Moving(here, there), args, terminal)

    return perform(work)


def _pull(args: Namespace, terminal: Terminal) -> int:
    async def work() -> int:
        async with _both() as (here, there):
            return await _move(Moving(there, here), args, terminal)

    return perform(work)


async def _move(moving: Moving, args: Namespace, terminal: Terminal) -> int:
    records = await moving.look(since=moment_since(args.since), project=args.project)
    done: list[Moved] = []
    with _progress(terminal, len(records)) as advance:
        for record in records:
            done.append(await moving.copy(record))
            advance()
    counts = Counter(moved.outcome for moved in done)
    if args.json:
        terminal.json(
            {
                "sessions": len(done),
                **{outcome: counts[outcome] for outcome in ("new", "grown", "same", "differs")},
                "entries_added": sum(moved.added for moved in done),
                "differing": [moved.session_id for moved in done if moved.outcome == "differs"],
            }
        )
    else:
        _show(terminal, done, counts)
    return exits.CONFLICT if counts["differs"] else exits.OK


@contextmanager
def _progress(terminal: Terminal, total: int) -> Generator[Callable[[], None]]:
    """Show a bar to a person who watches; gives what to call after each session."""
    if not terminal.err.isatty():
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - rich loads only where a person looks
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(file=terminal.err), transient=True) as bar:
        task = bar.add_task("sessions", total=total)
        yield lambda: bar.advance(task)


def _show(terminal: Terminal, done: list[Moved], counts: Counter[str]) -> None:
    entries = sum(moved.added for moved in done)
    terminal.line(
        f"{counts['new']:,} sessions new, {counts['grown']:,} grown, {counts['same']:,} unchanged; {entries:,} entries"
    )
    for moved in done:
        if moved.outcome == "differs":
            terminal.note(
                f"{moved.session_id} went on in both places and was left as it is: export one and import it anew"
            )


COMMANDS: Commands = {
    "push": Command(_arguments, _push),
    "pull": Command(_arguments, _pull),
}
