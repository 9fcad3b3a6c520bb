"""Files of a session's workspace, by the provider that holds it. A paused session's files can be reached too."""

from pathlib import Path

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.reachable import Reachable
from cerver_core.errors import SessionStateConflict
from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.wire.computes import FileList, FolderReport, WriteFile

__all__ = ["EngineFiles"]


class EngineFiles:
    """See `cerver_core.api.files.Files`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reachable = Reachable(context)

    async def _workspace(self, session_id: str) -> tuple[Provider, SandboxRef]:
        session = await self._context.rows.sessions.get(session_id)
        if session.sandbox is None or session.provider is None:
            raise SessionStateConflict(
                f"session {session_id} has no workspace: it is memory alone, or its workspace was deleted",
                state=session.state,
            )
        return await self._reachable.named(session.provider, session), sandbox_from_json(session)

    async def write(self, session_id: str, request: WriteFile) -> None:
        """Write one file whole."""
        provider, sandbox = await self._workspace(session_id)
        await provider.write_file(sandbox, request.path, request.content)

    async def read(self, session_id: str, path: str, *, max_bytes: int = 32 * 1024 * 1024) -> bytes:
        """Read one file."""
        provider, sandbox = await self._workspace(session_id)
        return await provider.read_file(sandbox, path, max_bytes=max_bytes)

    async def list(self, session_id: str, path: str = ".", *, recursive: bool = False) -> FileList:
        """List a folder."""
        provider, sandbox = await self._workspace(session_id)
        return await provider.list_files(sandbox, path, recursive=recursive)

    async def upload(self, session_id: str, source: Path, path: str = ".") -> FolderReport:
        """Copy a local folder into the workspace."""
        provider, sandbox = await self._workspace(session_id)
        return await provider.upload(sandbox, source, path)

    async def download(self, session_id: str, path: str, target: Path) -> FolderReport:
        """Copy a folder of the workspace to a local one."""
        provider, sandbox = await self._workspace(session_id)
        return await provider.download(sandbox, path, target)
