"""One file as Vercel takes it: a tar archive in gzip; blocking, for a thread."""

import gzip
import io
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

__all__ = ["pack"]


def pack(path: str, content: bytes | Path) -> IO[bytes]:
    """Pack a file under its absolute path; gives a file without a name, at its beginning."""
    with ExitStack() as stack:
        target = stack.enter_context(tempfile.TemporaryFile())
        _write(path, content, target)
        target.seek(0)
        stack.pop_all()
        return target


def _write(path: str, content: bytes | Path, target: IO[bytes]) -> None:
    with (
        gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        member = tarfile.TarInfo(path.lstrip("/"))
        member.mode = 0o644
        if isinstance(content, bytes):
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        else:
            member.size = content.stat().st_size
            with content.open("rb") as file:
                tar.addfile(member, file)
