"""Folders as tar archives: pack one of this machine, and unpack what came out of a sandbox; blocking, for a thread.

What comes from a sandbox may be made to do harm: nothing of it is written through a link, and the copy into the user's
folder is left to the local provider's own rules.
"""

import contextlib
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from cerver_core.errors import ProviderFailed, StoreUnavailable, TooLarge
from cerver_core.providers.local import folders
from cerver_core.wire.computes import FolderReport

__all__ = ["pack", "unpack"]

_MOST_MEMBERS = 1_000_000
_DEEPEST = 100
"""As deep as the local provider copies."""

_BLOCK_BYTES = 1024 * 1024


def pack(source: Path, archive: Path) -> FolderReport:
    """Pack a folder; links that leave it and special files are left out, and named."""
    with tempfile.TemporaryDirectory(prefix="cerver-upload-", dir=archive.parent) as staged:
        report = folders.upload(staged, source, ".")
        try:
            with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
                tar.add(staged, ".", filter=_nobodys)
        except OSError as error:
            raise StoreUnavailable(f"the folder could not be packed: {error.strerror}") from error
    return report


def unpack(archive: Path, target: Path, most_bytes: int) -> FolderReport:
    """Unpack an archive that came from a sandbox into a folder of this machine, which is made if need be."""
    with tempfile.TemporaryDirectory(prefix="cerver-download-", dir=archive.parent) as staged:
        skipped = _stage(archive, Path(staged), most_bytes)
        report = folders.download(staged, ".", target)
    return report.model_copy(update={"skipped": {**report.skipped, **skipped}})


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _stage(archive: Path, staged: Path, most_bytes: int) -> dict[str, str]:
    links: list[tuple[PurePosixPath, str]] = []
    skipped: dict[str, str] = {}
    size = 0
    try:
        with tarfile.open(archive, "r:") as tar:
            for number, member in enumerate(tar):
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or number > _MOST_MEMBERS:
                    raise ProviderFailed("the sandbox sent an archive that no honest tool makes")
                size += member.size
                if size > most_bytes:
                    raise TooLarge(f"the folder has more than {most_bytes} bytes", max_bytes=most_bytes)
                if len(path.parts) > _DEEPEST:
                    skipped["/".join(path.parts[:_DEEPEST])] = f"more than {_DEEPEST} folders deep"
                elif member.issym():
                    links.append((path, member.linkname))
                elif not _staged(tar, member, staged / path):
                    skipped[str(path)] = "neither a file nor a folder nor a link"
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise ProviderFailed("the sandbox sent an archive that cannot be read") from error
    except OSError as error:
        raise StoreUnavailable(f"the folder could not be unpacked: {error.strerror}") from error
    # Links last: while there is none, no path can lead astray.
    for path, leads_to in links:
        with contextlib.suppress(OSError):
            (staged / path).parent.mkdir(parents=True, exist_ok=True)
            (staged / path).symlink_to(leads_to)
    return skipped


def _staged(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bool:
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return True
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with content, path.open("xb") as file:
        while block := content.read(_BLOCK_BYTES):
            file.write(block)
    path.chmod(0o600 | (member.mode & 0o777))
    return True
