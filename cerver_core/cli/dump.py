"""`cerver admin dump` and `restore`: the whole store to a file of JSON lines, and such a file to an empty store."""

import os
from collections.abc import Mapping
from pathlib import Path

from cerver_core import plugins
from cerver_core.cli import exits
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.dumping import dump_lines, restore_lines
from cerver_core.errors import CerverError, Conflict, InvalidInput, NotFound, NotSupported
from cerver_core.stores.dumping import DumpingStore

__all__ = ["move"]


async def move(settings: Settings, action: str, name: str | None, terminal: Terminal) -> int:
    """Dump the store of the settings to the file, or restore it from there."""
    if settings.is_remote:
        raise NotSupported(f"{action} works where the gateway's store is: unset CERVER_API_TOKEN there")
    if name is None:
        raise InvalidInput(f"say which file: cerver admin {action} FILE")
    failure: CerverError | None = None
    async with plugins.store(settings) as store:
        try:  # out of the store's task group, which would wrap it
            if not isinstance(store, DumpingStore):
                raise NotSupported("this store cannot be dumped")
            if action == "dump":
                await _dump(store, Path(name), terminal)
            else:
                await _restore(store, Path(name), terminal)
        except CerverError as error:
            failure = error
    if failure is not None:
        raise failure
    return exits.OK


async def _dump(store: DumpingStore, path: Path, terminal: Terminal) -> None:
    part = path.with_name(path.name + ".part")
    if path.exists():  # noqa: ASYNC240 - nothing else runs
        raise Conflict(f"{path} is there already; name another file")
    try:
        # For this user alone: transcripts, and what is sealed, stand in it.
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"{part} cannot be made ({error.strerror}); name a file in a folder that is writable"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
            async for line in dump_lines(store):
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    terminal.note(f"{path} holds all of it; what is sealed opens with the same CERVER_MASTER_KEY alone")


async def _restore(store: DumpingStore, path: Path, terminal: Terminal) -> None:
    try:
        file = path.open(encoding="ascii", newline="\n")
    except OSError as error:
        raise NotFound(f"{path} cannot be read ({error.strerror})") from error
    with file:
        counts = await restore_lines(store, file)
    terminal.note(_told(counts))


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts.get(word, 0):,} {word}s" for word in ("session", "record")) + (
        f", {counts.get('entry', 0):,} entries"
    )
