"""The operations of a session's workspace."""

from cerver_core.errors import FileMissing, PathEscapesWorkspace, ProviderRefused, TooLarge
from cerver_core.wire import computes, http
from cerver_core.wire.operations.operation import BINARY, SESSION, STATE, TAR, Operation

__all__ = ["FILES"]

_FILES = (*STATE, PathEscapesWorkspace, FileMissing, ProviderRefused)

FILES = (
    Operation(
        "files.list",
        "GET",
        f"{SESSION}/files",
        "List a folder of the workspace.",
        query=http.ListFolder,
        reply=(computes.FileList,),
        errors=_FILES,
    ),
    Operation(
        "files.read",
        "GET",
        f"{SESSION}/files/content",
        "Read one file.",
        query=http.ReadFile,
        reply_media=BINARY,
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.write",
        "PUT",
        f"{SESSION}/files/content",
        "Write one file whole, making parents.",
        query=http.FilePath,
        body_media=BINARY,
        reply_media=None,
        status=204,
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.upload",
        "PUT",
        f"{SESSION}/files/folder",
        "Copy a folder into the workspace.",
        query=http.FolderPath,
        body_media=TAR,
        reply=(computes.FolderReport,),
        errors=(*_FILES, TooLarge),
    ),
    Operation(
        "files.download",
        "GET",
        f"{SESSION}/files/folder",
        "Copy a folder out of the workspace.",
        query=http.FolderPath,
        reply_media=TAR,
        errors=_FILES,
    ),
)
