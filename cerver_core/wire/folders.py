"""Folders as archives: pack one, unpack one without letting anything out of the target; blocking, for a worker thread.

An archive may be hostile: the sandbox wrote what is in it. Files and folders are made first and links last, so that
nothing is ever written through a link of the archive.
"""

import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import ValidationError

from cerver_core.errors import InvalidInput
from cerver_core.wire.computes import FolderReport

__all__ = ["REPORT_HEADER", "pack", "unpack"]

REPORT_HEADER = "CERVER.report"
"""The pax header of an archive in which the other side tells what it left out."""


def pack(source: Path, archive: IO[bytes], *, report: FolderReport | None = None) -> dict[str, str]:
    """Write a folder as an archive; returns what was left out, by path, with the reason.

    Regular files, folders and links that stay inside are taken. A `report` goes along in the archive's own header.
    """
    root = source.resolve()
    skipped: dict[str, str] = {}
    headers = None if report is None else {REPORT_HEADER: report.model_dump_json()}
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
        for path in _walk(root):
            name = path.relative_to(root).as_posix()
            reason = _unfit(path, root)
            if reason:
                skipped[name] = reason
            else:
                _add(tar, path, name)
    return skipped


def unpack(archive: IO[bytes], target: Path) -> FolderReport:
    """Make the files of an archive under the target, which is made; says what was left out.

    Raises:
        InvalidInput: it is not an archive.
    """
    archive.seek(0)
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            target.mkdir(parents=True, exist_ok=True)
            return _Unpacking(tar, target.resolve()).run()
    except tarfile.TarError as error:
        raise InvalidInput(f"the folder is not an archive: {error}") from error


class _Unpacking:
    def __init__(self, tar: tarfile.TarFile, root: Path) -> None:
        self._tar = tar
        self._root = root
        self._skipped = dict(_told(tar).skipped)
        self._links: list[tuple[Path, tarfile.TarInfo]] = []
        self._files = 0
        self._bytes = 0

    def run(self) -> FolderReport:
        for member in self._tar:
            path = self._place(member)
            if path is not None:
                self._make(path, member)
        for path, member in self._links:
            self._link(path, member)
        for path, member in self._links:
            if path.is_symlink() and not _inside(path, self._root):
                path.unlink()
                self._skipped[member.name] = "the link leaves the folder"
        return FolderReport(files=self._files, bytes=self._bytes, skipped=self._skipped)

    def _place(self, member: tarfile.TarInfo) -> Path | None:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or "\0" in member.name:
            self._skipped[member.name] = "the path leaves the folder"
            return None
        path = self._root.joinpath(*name.parts)
        if not _inside(path.parent, self._root):
            self._skipped[member.name] = "a link on the way leaves the folder"
            return None
        return path

    def _make(self, path: Path, member: tarfile.TarInfo) -> None:
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif member.issym():
            self._links.append((path, member))
        elif member.isreg() and not member.issparse():
            self._file(path, member)
        else:
            self._skipped[member.name] = "not a file, a folder or a symbolic link"

    def _file(self, path: Path, member: tarfile.TarInfo) -> None:
        content = self._tar.extractfile(member)
        if content is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(0o755 if member.mode & 0o100 else 0o644)
        self._files += 1
        self._bytes += member.size

    def _link(self, path: Path, member: tarfile.TarInfo) -> None:
        if not _inside(path.parent, self._root):
            self._skipped[member.name] = "a link on the way leaves the folder"
        elif path.exists() and not path.is_symlink():
            self._skipped[member.name] = "something else is there"
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(member.linkname)


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted([*names, *files]):
            yield Path(folder) / name


def _unfit(path: Path, root: Path) -> str | None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        stays = not path.readlink().is_absolute() and _inside(path, root)
        return None if stays else "the link leaves the folder"
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "not a file, a folder or a symbolic link"
    return None if os.access(path, os.R_OK) else "not readable"


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    member = tar.gettarinfo(path, name)
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.islnk():
        # A second name of a file already packed: packed again, because hard links are not taken out of archives.
        member.type = tarfile.REGTYPE
        member.size = path.stat().st_size
    if not member.isreg():
        tar.addfile(member)
        return
    with path.open("rb") as content:
        tar.addfile(member, content)


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except RuntimeError:  # links in a circle, before Python 3.13
        return False


def _told(tar: tarfile.TarFile) -> FolderReport:
    report = tar.pax_headers.get(REPORT_HEADER)
    if report is None:
        return FolderReport(files=0, bytes=0)
    try:
        return FolderReport.model_validate_json(report)
    except ValidationError as error:
        raise InvalidInput("the folder comes with a report that cannot be read") from error
