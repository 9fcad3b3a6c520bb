"""The files of a stand-in toolbox of Daytona: upload, download, information, over one machine."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import anyio
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from cerver_core.testing.clouds.machine import Machine

__all__ = ["bulk_download", "download", "file_info", "folder", "upload"]

_BLOCK_BYTES = 1024 * 1024
_MISSING = {"statusCode": 404, "code": "FILE_NOT_FOUND", "source": "DAYTONA_DAEMON"}


async def upload(machine: Machine, request: Request) -> Response:
    """Take files, each a part that says where and a part that holds it."""
    async with request.form() as form:
        for number in range(len(form) // 2):
            path, file = form[f"files[{number}].path"], form[f"files[{number}].file"]
            if not isinstance(path, str) or not isinstance(file, UploadFile):
                raise HTTPException(400, "the parts of an upload are a path and a file")
            place = _place(machine, path)
            await anyio.Path(place.parent).mkdir(parents=True, exist_ok=True)
            async with await anyio.open_file(place, "wb") as target:
                while block := await file.read(_BLOCK_BYTES):
                    await target.write(block)
    return Response(status_code=200)


async def download(machine: Machine, request: Request) -> Response:
    """Give one file as it is."""
    place = _place(machine, request.query_params["path"])
    if not place.is_file():
        raise HTTPException(404, f"stat {place.name}: no such file or directory")
    return FileResponse(place, media_type="application/octet-stream")


async def bulk_download(machine: Machine, request: Request) -> Response:
    """Give several files in parts; one that is missing is a part named `error`."""
    asked, mark = await request.json(), uuid4().hex
    body = b""
    for path in asked["paths"]:
        place = anyio.Path(_place(machine, path))
        is_there = await place.is_file()
        name = "file" if is_there else "error"
        kind = "application/octet-stream" if is_there else "application/json"
        content = await place.read_bytes() if is_there else json.dumps({**_MISSING, "message": path}).encode()
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{path}"\r\n'
        body += f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"
    return Response(body + f"--{mark}--\r\n".encode(), media_type=f"multipart/form-data; boundary={mark}")


async def file_info(machine: Machine, request: Request) -> Response:
    """Tell of one file or folder."""
    place = _place(machine, request.query_params["path"])
    if not place.exists():
        raise HTTPException(404, f"stat {place.name}: no such file or directory")
    return JSONResponse(_information(place))


async def folder(machine: Machine, request: Request) -> Response:
    """List a folder."""
    place = _place(machine, request.query_params.get("path") or ".")
    if not place.is_dir():
        raise HTTPException(404, f"open {place.name}: no such file or directory")
    return JSONResponse([_information(child) for child in sorted(place.iterdir())])


def _place(machine: Machine, path: str) -> Path:
    try:
        return machine.outside(path)
    except FileNotFoundError:
        raise HTTPException(404, f"stat {path}: no such file or directory") from None


def _information(place: Path) -> dict[str, object]:
    status = place.stat()
    changed = datetime.fromtimestamp(status.st_mtime, UTC).isoformat()
    return {
        "name": place.name,
        "isDir": place.is_dir(),
        "size": status.st_size,
        "mode": oct(status.st_mode & 0o777),
        "permissions": f"{status.st_mode & 0o777:o}",
        "modTime": changed,
        "modifiedAt": changed,
        "owner": str(os.getuid()),
        "group": str(os.getgid()),
    }
