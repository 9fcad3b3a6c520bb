"""Files and folders of a remote workspace, by scripts in the sandbox and the vendor's own way of moving bytes."""

import base64
import binascii
import tempfile
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

import anyio
import anyio.to_thread

from cerver_core.errors import (
    CerverError,
    FileMissing,
    InvalidInput,
    NotFound,
    PathEscapesWorkspace,
    ProviderFailed,
    StoreUnavailable,
    TooLarge,
)
from cerver_core.providers.base import SandboxRef
from cerver_core.providers.shell import scripts
from cerver_core.providers.shell.link import Link
from cerver_core.providers.shell.requests import checked
from cerver_core.wire.computes import FileEntry, FileList, FolderReport

__all__ = ["MOST_ENTRIES", "Ask", "Files"]

MOST_ENTRIES = 10_000
_DEEPEST = 100
_INLINE_BYTES = 48 * 1024
"""A file of this size still goes within a script's arguments or answer, which saves a call."""

_MOST_LISTING_BYTES = 64 * 1024 * 1024
_MOST_FOLDER_BYTES = 4 * 1024 * 1024 * 1024
"""The largest folder that is taken out of a sandbox, packed or unpacked. Our choice."""

_FOLDER_LIMIT_S = 900.0

T = TypeVar("T")


class Ask(Protocol):
    """Runs a script to its end and gives its standard output."""

    async def __call__(
        self, ref: SandboxRef, script: str, *arguments: str, timeout_s: float = 60.0, most: int = 1024 * 1024
    ) -> bytes:
        """Run it; `ProviderFailed` when it ends with another code than 0, `TooLarge` when it says more than `most`."""
        ...


class Files:
    """The file methods of a provider, over its link."""

    def __init__(self, link: Link, ask: Ask, root_of: Callable[[SandboxRef], str]) -> None:
        self._link = link
        self._ask = ask
        self._root_of = root_of

    async def write(self, ref: SandboxRef, path: str, content: bytes) -> None:
        """Write one file whole: elsewhere first, then moved to its place."""
        root, asked = self._root_of(ref), checked(path)
        partial_path = f"{root}/run/partial-{uuid4().hex}"
        inline = base64.b64encode(content).decode() if len(content) <= _INLINE_BYTES else ""
        if not inline and content:
            await self.put(ref, partial_path, content)
        _expect(await self._ask(ref, scripts.COMMIT, root, asked, "make", partial_path, inline), path, "done")

    async def read(self, ref: SandboxRef, path: str, *, max_bytes: int) -> bytes:
        """Read one file."""
        answer = await self._ask(ref, scripts.READ, self._root_of(ref), checked(path), "", str(_INLINE_BYTES))
        word, _, rest = answer.partition(b"\n")
        if word == b"here":
            content = _decoded(rest)
        else:
            size, _, place = _expect(answer, path, "there ").partition(b"\n")
            if size.isdigit() and int(size) > max_bytes:
                raise TooLarge(f"{path!r} has more than {max_bytes} bytes", max_bytes=max_bytes)
            content = await self._got(ref, place.decode(errors="surrogateescape"), path, max_bytes)
        if len(content) > max_bytes:
            raise TooLarge(f"{path!r} has more than {max_bytes} bytes", max_bytes=max_bytes)
        return content

    async def list(self, ref: SandboxRef, path: str, *, recursive: bool) -> FileList:
        """List a folder."""
        prefix = checked(path)
        depth = str(_DEEPEST + 1 if recursive else 1)
        answer = await self._ask(
            ref, scripts.LIST, self._root_of(ref), prefix, "", depth, str(MOST_ENTRIES + 1), most=_MOST_LISTING_BYTES
        )
        records = _decoded(_expect(answer, path, "here\n")).split(b"\0")[:-1]
        entries = [_entry(f"{prefix}/" if prefix else "", record) for record in records[:MOST_ENTRIES]]
        return FileList(
            path=prefix or ".",
            entries=tuple(sorted(entries, key=lambda entry: entry.path)),
            truncated=len(records) > MOST_ENTRIES,
        )

    async def upload(self, ref: SandboxRef, source: Path, path: str) -> FolderReport:
        """Copy a folder of this machine into the workspace."""
        from cerver_core.providers.shell import archives  # noqa: PLC0415 - loads with the first folder that is moved

        root, asked = self._root_of(ref), checked(path)
        remote = f"{root}/run/in-{uuid4().hex}"
        with tempfile.TemporaryDirectory(prefix="cerver-") as folder:
            archive = Path(folder, "archive")
            report = await _in_thread(archives.pack, source, archive)
            await self.put(ref, remote, archive)
        answer = await self._ask(ref, scripts.UNPACK, root, asked, "make", remote, timeout_s=_FOLDER_LIMIT_S)
        _expect(answer, path, "done")
        return report

    async def download(self, ref: SandboxRef, path: str, target: Path) -> FolderReport:
        """Copy a folder of the workspace to this machine."""
        from cerver_core.providers.shell import archives  # noqa: PLC0415 - loads with the first folder that is moved

        root, asked = self._root_of(ref), checked(path)
        remote = f"{root}/run/out-{uuid4().hex}"
        try:
            answer = await self._ask(ref, scripts.PACK, root, asked, "", remote, timeout_s=_FOLDER_LIMIT_S)
            _expect(answer, path, "done")
            with tempfile.TemporaryDirectory(prefix="cerver-") as folder:
                archive = Path(folder, "archive")
                await self._save(ref, remote, archive)
                return await _in_thread(archives.unpack, archive, target, _MOST_FOLDER_BYTES)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(10):
                await self._forget(ref, remote)

    async def put(self, ref: SandboxRef, path: str, content: bytes | Path) -> None:
        """Write a file at an absolute path, in parts where the vendor takes no more at once."""
        most = self._link.most_bytes_at_once
        size = await _in_thread(_size, content)
        if most is None or size <= most:
            await self._link.put(ref, path, content)
            return
        for number, begin in enumerate(range(0, size, most)):
            await self._link.put(ref, f"{path}.part{number:06}", await _in_thread(_part, content, begin, most))
        await self._ask(ref, scripts.HANDS, path, timeout_s=_FOLDER_LIMIT_S)

    async def _got(self, ref: SandboxRef, place: str, path: str, max_bytes: int) -> bytes:
        content = bytearray()
        async with self._link.get(ref, place) as pieces:
            async for piece in pieces:
                content += piece
                if len(content) > max_bytes:
                    raise TooLarge(f"{path!r} has more than {max_bytes} bytes", max_bytes=max_bytes)
        return bytes(content)

    async def _save(self, ref: SandboxRef, remote: str, archive: Path) -> None:
        size = 0
        async with self._link.get(ref, remote) as pieces, await anyio.open_file(archive, "wb") as file, aclosing(file):
            async for piece in pieces:
                size += len(piece)
                if size > _MOST_FOLDER_BYTES:
                    raise TooLarge("the folder is larger than can be taken", max_bytes=_MOST_FOLDER_BYTES)
                await file.write(piece)

    async def _forget(self, ref: SandboxRef, remote: str) -> None:
        try:
            await self._ask(ref, 'rm -f -- "$1"', remote)
        except CerverError:
            return


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _part(content: bytes | Path, begin: int, size: int) -> bytes:
    if isinstance(content, bytes):
        return content[begin : begin + size]
    with content.open("rb") as file:
        file.seek(begin)
        return file.read(size)


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProviderFailed("the sandbox's shell answered with half an answer") from error


def _entry(prefix: str, record: bytes) -> FileEntry:
    path, _, told = record.rpartition(b"/")
    kind, size = told[:1].decode(errors="replace"), told[1:]
    shown = f"{prefix}{path.decode(errors='replace')}"
    if kind == "f":
        return FileEntry(path=shown, kind="file", size_bytes=int(size) if size.isdigit() else 0)
    return FileEntry(path=shown, kind="folder" if kind == "d" else "symlink" if kind == "l" else "other")


def _expect(answer: bytes, path: str, word: str) -> bytes:
    """Give what follows the word that the script says when all is well; else raise what it said instead."""
    if answer.startswith(word.encode()):
        return answer[len(word) :]
    told = answer.partition(b"\n")[0].decode(errors="replace")
    kinds: dict[str, tuple[type[CerverError], str]] = {
        "gone": (NotFound, "the workspace of this sandbox is gone: it was destroyed, or removed by hand"),
        "missing": (FileMissing, f"{path!r} does not exist in the workspace"),
        "escapes": (PathEscapesWorkspace, f"{path!r} leaves the workspace, by a link or by `..`"),
        "not-a-file": (InvalidInput, f"{path!r} is not a plain file"),
        "not-a-folder": (InvalidInput, f"{path!r} goes through, or is, something that is not a folder"),
        "links": (InvalidInput, f"{path!r} goes through more than 40 links"),
        "denied": (InvalidInput, f"{path!r} cannot be reached, or not read"),
        "failed": (StoreUnavailable, f"{path!r} could not be copied or written in the sandbox: is its disk full?"),
    }
    kind, message = kinds.get(told, (ProviderFailed, f"the sandbox's shell answered {told[:100]!r} about {path!r}"))
    raise kind(message)


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    return await anyio.to_thread.run_sync(partial(work, *arguments))
