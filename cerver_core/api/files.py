"""The contract of files: a session's workspace. Paths are relative to it; none may leave it, nor any symlink."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.wire.computes import FileList, FolderReport, WriteFile

__all__ = ["Files"]


class Files(Protocol):
    """Files of a session's workspace.

    Every method raises `PathEscapesWorkspace` for a path that leaves the workspace, directly or through a symlink,
    and `FileMissing` for one that is not there.
    """

    async def write(self, session_id: str, request: WriteFile) -> None:
        """Write one file whole; parents are made. A reader never sees half of it."""
        ...

    async def read(self, session_id: str, path: str, *, max_bytes: int = 32 * 1024 * 1024) -> bytes:
        """Read one file.

        Raises:
            TooLarge: it is larger than `max_bytes`.
        """
        ...

    async def list(self, session_id: str, path: str = ".", *, recursive: bool = False) -> FileList:
        """List a folder, sorted by path, at most 10,000 entries."""
        ...

    async def upload(self, session_id: str, source: Path, path: str = ".") -> FolderReport:
        """Copy a local folder into the workspace."""
        ...

    async def download(self, session_id: str, path: str, target: Path) -> FolderReport:
        """Copy a folder of the workspace to a local one, which is made; symlinks that leave are left out and named."""
        ...
