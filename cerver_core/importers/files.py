"""Files where other programs keep their histories: found, described and glanced at; nothing here reads a format."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cerver_core.errors import FileMissing
from cerver_core.importers.base import Document
from cerver_core.importers.values import Record, as_record, parsed

__all__ = ["file_document", "files_under", "first_record"]

_GLANCE_BYTES = 1024 * 1024


def files_under(folder: Path, *patterns: str) -> Sequence[Path]:
    """List the files at any depth whose names fit; empty for a folder that is not there. Links are not followed."""
    return sorted(path for path in _walk(folder) if any(path.match(pattern) for pattern in patterns))


def _walk(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where) / name
            if path.is_file():
                yield path


def file_document(source: str, path: Path, identity: str, parent_id: str | None = None) -> Document:
    """Describe a file that holds one conversation.

    Raises:
        FileMissing: it is not there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise FileMissing(f"there is no file {path}") from error
    return Document(
        source=source,
        path=path,
        id=identity,
        size_bytes=found.st_size,
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
        stamp=f"{found.st_size}:{found.st_mtime_ns}",
        parent_id=parent_id,
    )


def first_record(path: Path) -> Record:
    """Read the object on a file's first line; empty when there is none."""
    try:
        with path.open("rb") as stream:
            return as_record(parsed(stream.readline(_GLANCE_BYTES)))
    except (OSError, ValueError):
        return {}
