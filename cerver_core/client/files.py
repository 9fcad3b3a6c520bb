"""Files of a workspace, moved through a gateway; folders travel as archives that stay on disk on this side."""

import tempfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack

import anyio
import anyio.to_thread
from pydantic import ValidationError

from cerver_core.errors import FileMissing, InvalidInput, ProviderFailed, TooLarge
from cerver_core.wire import folders
from cerver_core.wire.computes import FileList, FolderReport, WriteFile
from cerver_core.wire.http import FilePath, FolderPath, ListFolder, ReadFile
from cerver_core.wire.model import Request

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientFiles"]

Result = TypeVar("Result")
Given = TypeVarTuple("Given")
Query = TypeVar("Query", bound=Request)

MAX_FOLDER_BYTES = 4 * 1024 * 1024 * 1024
"""The largest archive of a folder that is taken. Our choice."""

_PIECE_BYTES = 256 * 1024
_MOVE_S = 3_600.0
"""How long one file or folder may take on its way."""


class ClientFiles:
    """See `cerver_core.api.files.Files`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def write(self, session_id: str, request: WriteFile) -> None:
        """Write one file whole; parents are made."""
        await self._transport.call_bytes(
            "files.write",
            session_id=session_id,
            query=FilePath(path=request.path),
            body=request.content,
            timeout_s=_MOVE_S,
        )

    async def read(self, session_id: str, path: str, *, max_bytes: int = 32 * 1024 * 1024) -> bytes:
        """Read one file."""
        query = _query(ReadFile, path=path, max_bytes=max_bytes)
        return await self._transport.call_bytes(
            "files.read", session_id=session_id, query=query, timeout_s=_MOVE_S, max_bytes=max_bytes
        )

    async def list(self, session_id: str, path: str = ".", *, recursive: bool = False) -> FileList:
        """List a folder, sorted by path."""
        query = _query(ListFolder, path=path, recursive=recursive)
        return await self._transport.call("files.list", FileList, session_id=session_id, query=query)

    async def upload(self, session_id: str, source: Path, path: str = ".") -> FolderReport:
        """Copy a local folder into the workspace."""
        query = _query(FolderPath, path=path)
        if not await anyio.Path(source).is_dir():
            raise FileMissing(f"there is no folder {source} to upload")
        with tempfile.TemporaryFile(prefix="cerver-") as archive:
            left_out = await _in_thread(source, folders.pack, source, archive)
            report = await self._transport.call(
                "files.upload",
                FolderReport,
                session_id=session_id,
                query=query,
                body=_pieces(archive),
                timeout_s=_MOVE_S,
            )
        return report.model_copy(update={"skipped": {**left_out, **report.skipped}})

    async def download(self, session_id: str, path: str, target: Path) -> FolderReport:
        """Copy a folder of the workspace to a local one, which is made."""
        query = _query(FolderPath, path=path)
        with tempfile.TemporaryFile(prefix="cerver-") as archive:
            size = 0
            async with self._transport.chunks("files.download", session_id=session_id, query=query) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    if size > MAX_FOLDER_BYTES:
                        raise TooLarge(f"the folder {path!r} is larger than {MAX_FOLDER_BYTES:,} bytes")
                    await anyio.to_thread.run_sync(archive.write, piece)
            return await _in_thread(target, _unpack, archive, target)


def _unpack(archive: IO[bytes], target: Path) -> FolderReport:
    try:
        return folders.unpack(archive, target)
    except InvalidInput as error:
        raise ProviderFailed(f"the gateway sent a folder that cannot be taken out: {error.message}") from error


async def _in_thread(place: Path, work: Callable[[Unpack[Given]], Result], *given: *Given) -> Result:
    try:
        return await anyio.to_thread.run_sync(work, *given)
    except OSError as error:
        raise InvalidInput(f"cannot copy the folder {place}: {error.strerror or error}") from error


async def _pieces(archive: IO[bytes]) -> AsyncGenerator[bytes]:
    archive.seek(0)
    while piece := await anyio.to_thread.run_sync(archive.read, _PIECE_BYTES):
        yield piece


def _query(model: type[Query], **fields: str | int | bool) -> Query:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(f"{first['loc'][0]}: {first['msg']}") from error
