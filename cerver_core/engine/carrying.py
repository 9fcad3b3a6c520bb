"""Carries a workspace from one sandbox to another, by way of a folder of this machine."""

import logging
import tempfile
from pathlib import Path

from cerver_core.errors import TooLarge
from cerver_core.providers.base import Pausable, Provider, SandboxRef
from cerver_core.wire.computes import FolderReport

__all__ = ["awake", "carry", "check_size"]

log = logging.getLogger(__name__)


async def check_size(provider: Provider, sandbox: SandboxRef, *, max_bytes: int) -> None:
    """See that a workspace may be carried, before anything is made or moved.

    Raises:
        TooLarge: it holds more than `max_bytes`, or more files than a list tells.
    """
    listed = await provider.list_files(sandbox, ".", recursive=True)
    total = sum(entry.size_bytes for entry in listed.entries)
    if total > max_bytes or listed.truncated:
        more = "more than a list tells" if listed.truncated else f"{total:,} bytes"
        raise TooLarge(
            f"the workspace holds {more}; {max_bytes:,} bytes may be carried: raise max_carry_bytes, delete what is "
            "not needed, or move without carry_workspace",
            size_bytes=total,
            max_bytes=max_bytes,
        )


async def carry(source: Provider, old: SandboxRef, target: Provider, new: SandboxRef) -> FolderReport:
    """Copy all files of one sandbox into another, empty one; tells what was moved and what was left out."""
    with tempfile.TemporaryDirectory(prefix="cerver-carry-") as folder:
        taken = await source.download(old, ".", Path(folder))
        log.info("carrying %d files, %d bytes, from %s to %s", taken.files, taken.bytes, source.name, target.name)
        put = await target.upload(new, Path(folder), ".")
    return put.model_copy(update={"skipped": {**taken.skipped, **put.skipped}})


async def awake(provider: Provider, sandbox: SandboxRef) -> None:
    """Take a paused sandbox up again, where its files cannot be read otherwise."""
    if isinstance(provider, Pausable):
        await provider.resume(sandbox)
