"""`cerver admin dump` and `cerver admin restore`: a whole store to a file, and such a file to an empty store."""

import os
import sys
from argparse import Namespace
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cerver_core import plugins
from cerver_core.cli import exits
from cerver_core.cli.terminal import Terminal
from cerver_core.clock import SystemClock
from cerver_core.config import Settings
from cerver_core.dumping import Advanced, Dump, dump, restore
from cerver_core.errors import CerverError, Conflict, FileMissing, InvalidInput, NotSupported
from cerver_core.sealing import held_key_ids
from cerver_core.stores.base import Store

__all__ = ["move"]

_STREAM = "-"


async def move(settings: Settings, args: Namespace, terminal: Terminal) -> int:
    """Dump the store of the settings to the file that is named, or restore it from there."""
    if settings.is_remote:
        raise NotSupported(f"{args.action} works where the gateway's store is: unset CERVER_API_TOKEN there")
    if args.name is None:
        raise InvalidInput(f"say which file: cerver admin {args.action} FILE, or - for a pipe")
    work = _dump if args.action == "dump" else _restore
    moved = await _at_store(settings, lambda store: work(store, args, terminal))
    _say(moved, settings, args, terminal)
    return exits.OK


async def _at_store(settings: Settings, work: Callable[[Store], Awaitable[Dump]]) -> Dump:
    failure: CerverError | BrokenPipeError | None = None
    async with plugins.store(settings) as store:
        try:
            return await work(store)
        except (CerverError, BrokenPipeError) as error:  # out of the store's task groups, which would wrap it
            failure = error
    raise failure


async def _dump(store: Store, args: Namespace, terminal: Terminal) -> Dump:
    made_at = SystemClock().now()
    with _writing(args.name), _progress(terminal, "dumping") as advanced:
        if args.name != _STREAM:
            async with _drafted(Path(args.name)) as file:
                return await dump(store, file, made_at, advanced)
        if terminal.is_watched or args.json:
            raise InvalidInput("the dump itself goes to standard output: lead it into a file or a pipe, without --json")
        return await dump(store, terminal.out.buffer, made_at, advanced)


async def _restore(store: Store, args: Namespace, terminal: Terminal) -> Dump:
    with _opened(args.name) as file, _progress(terminal, "restoring") as advanced:
        return await restore(store, file, advanced)


@asynccontextmanager
async def _drafted(target: Path) -> AsyncGenerator[BinaryIO]:
    """Open a file beside the target, for this user alone, that takes its place when it is whole and on the disk."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    if target.exists():  # noqa: ASYNC240 - nothing else runs
        raise Conflict(f"{target} is there already; name another file, or remove it")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            yield file
            os.fsync(file.fileno())
        draft.rename(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _writing(name: str) -> Generator[None]:
    try:
        yield
    except (CerverError, BrokenPipeError):
        raise
    except OSError as error:
        raise InvalidInput(f"cannot write {name}: {error.strerror or error}") from error


@contextmanager
def _opened(name: str) -> Generator[BinaryIO]:
    if name == _STREAM:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - what is read of it fails otherwise
    except OSError as error:
        raise FileMissing(f"cannot read {name}: {error.strerror or error}") from error
    with file:
        yield file


@contextmanager
def _progress(terminal: Terminal, word: str) -> Generator[Advanced]:
    """Count rows before a person who watches; gives what to call with how many more there are."""
    if not terminal.err.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - rich loads only where a person looks
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,} rows"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=terminal.err), transient=True) as bar:
        task = bar.add_task(word, total=None)
        yield lambda rows: bar.advance(task, rows)


def _say(moved: Dump, settings: Settings, args: Namespace, terminal: Terminal) -> None:
    missing = sorted(set(moved.master_key_ids) - held_key_ids(settings.environ, settings.home))
    if args.json:
        told = {"made_at": moved.made_at.isoformat(), "store": moved.store, "schema": moved.schema}
        keys = {"master_key_ids": list(moved.master_key_ids), "missing_master_key_ids": missing}
        terminal.json({**told, **keys, "rows": dict(moved.rows)})
        return
    rows = moved.rows
    terminal.note(f"{rows['sessions']:,} sessions, {rows['entries']:,} entries, {rows['records']:,} records")
    if moved.master_key_ids:
        terminal.note(
            f"no master key is in it: without {', '.join(moved.master_key_ids)} no key to the gateway works, and what "
            "is sealed does not open"
        )
    if missing and args.action == "restore":
        terminal.note(f"not here is {', '.join(missing)}: set CERVER_MASTER_KEY, or bring the file master.key along")
