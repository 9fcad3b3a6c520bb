"""Read, write and list the files of a workspace; blocking, for a worker thread. Paths are `paths`' matter."""

import contextlib
import heapq
import os
import secrets
import stat
from collections.abc import Iterator

from cerver_core.errors import FileMissing, InvalidInput, StoreUnavailable, TooLarge
from cerver_core.providers.local.paths import FOLDER_FLAGS, Place, walk
from cerver_core.wire.computes import FileEntry, FileList

__all__ = ["DEEPEST", "MOST_ENTRIES", "PARTIAL", "list_folder", "read_file", "write_file"]

MOST_ENTRIES = 10_000
DEEPEST = 100
"""How many folders down a listing and a copy go; each holds one open file on the way."""

PARTIAL = ".cerver-partial-"
"""How the names of files begin that are being written."""

_MODE = 0o644


def write_file(root: str, path: str, content: bytes) -> None:
    """Write a file whole: under another name first, then renamed over the old one, whose mode it keeps."""
    with walk(root, path, make=True) as place:
        mode = place.kind()
        if not place.name or (mode is not None and not stat.S_ISREG(mode)):
            raise InvalidInput(f"{path!r} is not a plain file, so it cannot be written")
        partial = f"{PARTIAL}{secrets.token_hex(8)}"
        try:
            _write_new(place, partial, content, _MODE if mode is None else stat.S_IMODE(mode))
            os.rename(partial, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(partial, dir_fd=place.folder)
            raise StoreUnavailable(f"{path!r} could not be written: {error.strerror}") from error


def read_file(root: str, path: str, *, max_bytes: int) -> bytes:
    """Read a file whole.

    Raises:
        TooLarge: it has more than `max_bytes`.
    """
    with walk(root, path) as place:
        mode = place.kind()
        if mode is None:
            raise FileMissing(f"{path!r} does not exist in the workspace")
        if not stat.S_ISREG(mode):
            raise InvalidInput(f"{path!r} is not a plain file")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(place.name, flags, dir_fd=place.folder), "rb") as file:
                content = file.read(max_bytes + 1)
        except OSError as error:
            raise InvalidInput(f"{path!r} cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise TooLarge(f"{path!r} has more than {max_bytes} bytes", max_bytes=max_bytes)
    return content


def list_folder(root: str, path: str, *, recursive: bool) -> FileList:
    """List a folder, sorted by path; links are named, not followed. Goes `DEEPEST` folders down."""
    with walk(root, path) as place:
        folder = place.open_folder()
        prefix = "/".join(name for name in path.split("/") if name not in ("", "."))
        entries: list[FileEntry] = []
        for entry in _entries(folder, f"{prefix}/" if prefix else "", DEEPEST if recursive else 0):
            entries.append(entry)
            if len(entries) > MOST_ENTRIES:
                break
    is_truncated = len(entries) > MOST_ENTRIES
    return FileList(
        path=prefix or ".",
        entries=tuple(sorted(entries[:MOST_ENTRIES], key=lambda entry: entry.path)),
        truncated=is_truncated,
    )


def _entries(folder: int, prefix: str, depth: int) -> Iterator[FileEntry]:
    """Give the entries below an open folder, so many folders deep, in order, and close it."""
    try:
        with os.scandir(folder) as found:
            names = heapq.nsmallest(MOST_ENTRIES + 1, (item.name for item in found))
        for name in names:
            if name.startswith(PARTIAL):
                continue
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            yield _entry(f"{prefix}{name}", status)
            if depth > 0 and stat.S_ISDIR(status.st_mode):
                with contextlib.suppress(OSError):
                    below = os.open(name, FOLDER_FLAGS, dir_fd=folder)
                    yield from _entries(below, f"{prefix}{name}/", depth - 1)
    finally:
        os.close(folder)


def _entry(path: str, status: os.stat_result) -> FileEntry:
    shown = os.fsencode(path).decode(errors="replace")
    if stat.S_ISDIR(status.st_mode):
        return FileEntry(path=shown, kind="folder")
    if stat.S_ISLNK(status.st_mode):
        return FileEntry(path=shown, kind="symlink")
    if stat.S_ISREG(status.st_mode):
        return FileEntry(path=shown, kind="file", size_bytes=status.st_size)
    return FileEntry(path=shown, kind="other")


def _write_new(place: Place, name: str, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=place.folder), "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
