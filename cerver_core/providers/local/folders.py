"""Copy whole folders into and out of a workspace; blocking, for a worker thread. Neither side is left by a link."""

import contextlib
import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cerver_core.errors import FileMissing, InvalidInput, StoreUnavailable
from cerver_core.providers.local.files import DEEPEST
from cerver_core.providers.local.paths import FOLDER_FLAGS, walk
from cerver_core.wire.computes import FolderReport

__all__ = ["download", "upload"]

_Sides = tuple[int, int]
"""The open folders to copy from and to."""

_BLOCK_BYTES = 1024 * 1024


def upload(root: str, source: Path, path: str) -> FolderReport:
    """Copy a folder of this machine into the workspace; what is there already is overwritten, nothing is removed."""
    origin = _open_local(source)
    try:
        with walk(root, path, make=True) as place:
            if place.name:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(place.name, 0o755, dir_fd=place.folder)
            target = place.open_folder()
            try:
                return _copied(origin, target)
            finally:
                os.close(target)
    finally:
        os.close(origin)


def download(root: str, path: str, target: Path) -> FolderReport:
    """Copy a folder of the workspace to a folder of this machine, which is made if need be."""
    with walk(root, path) as place:
        origin = place.open_folder()
        try:
            try:
                target.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InvalidInput(f"{str(target)!r} cannot be made a folder: {error.strerror}") from error
            destination = _open_local(target)
            try:
                return _copied(origin, destination)
            finally:
                os.close(destination)
        finally:
            os.close(origin)


def _open_local(folder: Path) -> int:
    try:
        return os.open(folder, FOLDER_FLAGS & ~os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise FileMissing(f"the folder {str(folder)!r} does not exist on this machine") from error
    except OSError as error:
        raise InvalidInput(f"{str(folder)!r} is not a folder that can be read: {error.strerror}") from error


def _copied(origin: int, target: int) -> FolderReport:
    tally = _Tally()
    try:
        _copy((origin, target), "", 0, tally)
    except OSError as error:
        raise StoreUnavailable(f"the folder could not be copied whole: {error.strerror}") from error
    return FolderReport(files=tally.files, bytes=tally.size, skipped=tally.skipped)


@dataclass(slots=True)
class _Tally:
    """What a copy has come to so far."""

    files: int = 0
    size: int = 0
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    def skip(self, path: str, reason: str) -> None:
        """Note what was left out."""
        self.skipped[os.fsencode(path).decode(errors="replace")] = reason


def _copy(sides: _Sides, prefix: str, depth: int, tally: _Tally) -> None:
    origin, _ = sides
    with os.scandir(origin) as found:
        names = sorted(item.name for item in found)
    for name in names:
        path = f"{prefix}{name}"
        try:
            mode = os.stat(name, dir_fd=origin, follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                tally.size += _copy_file(sides, name, mode)
                tally.files += 1
            elif stat.S_ISLNK(mode):
                _copy_link(sides, path, depth, tally)
            elif stat.S_ISDIR(mode):
                _copy_folder(sides, path, depth, tally)
            else:
                tally.skip(path, "neither a file nor a folder nor a link")
        except (FileNotFoundError, PermissionError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            tally.skip(path, error.strerror or "it changed while it was copied")


def _copy_folder(sides: _Sides, path: str, depth: int, tally: _Tally) -> None:
    origin, target = sides
    name = path.rpartition("/")[2]
    if depth >= DEEPEST:
        tally.skip(path, f"more than {DEEPEST} folders deep")
        return
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=target)
    below = os.open(name, FOLDER_FLAGS, dir_fd=origin)
    try:
        into = os.open(name, FOLDER_FLAGS, dir_fd=target)
        try:
            _copy((below, into), f"{path}/", depth + 1, tally)
        finally:
            os.close(into)
    finally:
        os.close(below)


def _copy_file(sides: _Sides, name: str, mode: int) -> int:
    origin, target = sides
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=origin)
    with os.fdopen(reading, "rb") as source:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=target)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=target), "wb") as copy:
            shutil.copyfileobj(source, copy, _BLOCK_BYTES)
            os.fchmod(copy.fileno(), stat.S_IMODE(mode) & 0o777)
            return copy.tell()


def _copy_link(sides: _Sides, path: str, depth: int, tally: _Tally) -> None:
    origin, target = sides
    name = path.rpartition("/")[2]
    leads_to = os.readlink(name, dir_fd=origin)
    if not _stays(leads_to, depth):
        tally.skip(path, f"a link that leaves the folder: {os.fsencode(leads_to).decode(errors='replace')}")
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=target)
    os.symlink(leads_to, name, dir_fd=target)


def _stays(leads_to: str, depth: int) -> bool:
    """Tell whether a link `depth` folders down stays inside for certain: it may go up only at its beginning."""
    names = [name for name in leads_to.split("/") if name not in ("", ".")]
    ups = next((index for index, name in enumerate(names) if name != ".."), len(names))
    return not leads_to.startswith("/") and ups <= depth and ".." not in names[ups:]
