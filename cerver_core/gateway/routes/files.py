"""Files of a workspace, over HTTP; folders travel as archives that stay on disk on this side."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cerver_core.errors import InvalidInput
from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.gateway.reading import body_bytes, body_pieces
from cerver_core.wire import folders
from cerver_core.wire.computes import FolderReport, WriteFile
from cerver_core.wire.http import FilePath, FolderPath, ListFolder, ReadFile
from cerver_core.wire.operations import BINARY, TAR

__all__ = ["HANDLERS"]

_PIECE_BYTES = 256 * 1024


async def _list(call: Call) -> Answer:
    query = call.query(ListFolder)
    return await call.cerver.files.list(call.session_id, query.path, recursive=query.recursive)


async def _read(call: Call) -> Answer:
    query = call.query(ReadFile)
    most = min(query.max_bytes, call.serving.limits.file_bytes)
    content = await call.cerver.files.read(call.session_id, query.path, max_bytes=most)
    return Response(content, headers={"X-Content-Type-Options": "nosniff"}, media_type=BINARY)


async def _write(call: Call) -> Answer:
    query = call.query(FilePath)
    limits = call.serving.limits
    content = await body_bytes(
        call.scope,
        call.receive,
        most=limits.body_of(call.operation),
        pause_s=limits.body_pause_s,
        whole_s=limits.move_s,
    )
    await call.cerver.files.write(call.session_id, WriteFile(path=query.path, content=content))
    return Response(status_code=call.operation.status)


async def _upload(call: Call) -> Answer:
    query = call.query(FolderPath)
    limits = call.serving.limits
    pieces = body_pieces(call.scope, call.receive, most=limits.body_of(call.operation), pause_s=limits.body_pause_s)
    with tempfile.TemporaryDirectory(prefix="cerver-upload-") as name, tempfile.TemporaryFile() as archive:
        async for piece in pieces:
            await anyio.to_thread.run_sync(archive.write, piece)
        source = Path(name) / "folder"
        taken = await anyio.to_thread.run_sync(_unpack, archive, source)
        report = await call.cerver.files.upload(call.session_id, source, query.path)
    return report.model_copy(update={"skipped": {**taken.skipped, **report.skipped}})


async def _download(call: Call) -> Answer:
    query = call.query(FolderPath)
    archive = tempfile.TemporaryFile(prefix="cerver-download-")  # noqa: SIM115 - the answer closes it when it was sent
    try:
        with tempfile.TemporaryDirectory(prefix="cerver-download-") as name:
            target = Path(name) / "folder"
            report = await call.cerver.files.download(call.session_id, query.path, target)
            await anyio.to_thread.run_sync(_pack, target, archive, report)
    except BaseException:
        archive.close()
        raise
    return _Archive(archive)


def _unpack(archive: IO[bytes], target: Path) -> FolderReport:
    try:
        return folders.unpack(archive, target)
    except OSError as error:
        raise InvalidInput(f"the folder cannot be taken out: {error.strerror or error}") from error


def _pack(source: Path, archive: IO[bytes], report: FolderReport) -> None:
    try:
        folders.pack(source, archive, report=report)
    except OSError as error:
        raise InvalidInput(f"the folder cannot be copied: {error.strerror or error}") from error


class _Archive(Response):
    """An archive on disk as an answer, piece by piece."""

    def __init__(self, archive: IO[bytes]) -> None:
        self.status_code = 200
        self.background = None
        self._archive = archive
        size = archive.seek(0, 2)
        archive.seek(0)
        self.init_headers({"content-length": str(size), "content-type": TAR})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._archive:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for piece in self._pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await anyio.to_thread.run_sync(self._archive.read, _PIECE_BYTES):
            yield piece


HANDLERS: Mapping[str, Handler] = {
    "files.list": _list,
    "files.read": _read,
    "files.write": _write,
    "files.upload": _upload,
    "files.download": _download,
}
