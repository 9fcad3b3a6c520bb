"""Shapes that exist only on HTTP: queries, and replies that older clients read in another arrangement."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue, model_validator

from cerver_core.wire.computes import ExecResult
from cerver_core.wire.model import MAX_SEQ, Name, Reply, Request
from cerver_core.wire.sessions import ListSessions, SessionRecord
from cerver_core.wire.transcripts import Entry

__all__ = [
    "FilePath",
    "FindSessions",
    "FolderPath",
    "FollowTranscript",
    "ImportTranscript",
    "ListFolder",
    "ReadFile",
    "RunOutput",
    "RunReply",
    "SessionRead",
    "TerminateSession",
]

WorkspacePath = Annotated[str, Field(min_length=1, max_length=4_096)]


class FindSessions(ListSessions):
    """The query of a list. `reference` keeps the sessions with this id, this exact name or this prefix of the id."""

    reference: Annotated[Name, Field(min_length=1, max_length=200)] | None = None


class TerminateSession(Request):
    """The query of a termination. `delete_workspace` removes the workspace now, whatever `persistence_level` says."""

    delete_workspace: bool = False


class SessionRead(SessionRecord):
    """One session, with a part of its transcript when the query asked for one by any parameter.

    `transcript_total` counts the whole transcript, always. `transcript_first_seq` and `transcript_last_seq` tell from
    where to where it was read, where the entries themselves may not: only some kinds were asked for.
    """

    transcript: tuple[Entry, ...] | None = None
    transcript_first_seq: int | None = None
    transcript_last_seq: int | None = None


class ImportTranscript(Request):
    """Make a session from a JSON-lines export."""

    document: str
    session_name: Annotated[Name, Field(max_length=200)] | None = None


class FollowTranscript(Request):
    """The query of a live transcript: entries after seq `since`, as they are appended."""

    since: Annotated[int, Field(ge=0, le=MAX_SEQ)] = 0


class FilePath(Request):
    """The query that names a file of the workspace."""

    path: WorkspacePath


class ReadFile(Request):
    """The query of a file's content; a larger file is refused."""

    path: WorkspacePath
    max_bytes: Annotated[int, Field(ge=0)] = 32 * 1024 * 1024


class FolderPath(Request):
    """The query that names a folder of the workspace."""

    path: WorkspacePath = "."


class ListFolder(Request):
    """The query of a folder's list."""

    path: WorkspacePath = "."
    recursive: bool = False


class RunOutput(Reply):
    """What an execution printed and how it ended, in the arrangement of wire contract §2.1."""

    stdout: str
    stderr: str
    exit_code: int


class RunReply(ExecResult):
    """The answer to a run: an `ExecResult` whose output also stands under `result`, where older clients read it."""

    result: RunOutput

    @model_validator(mode="before")
    @classmethod
    def _both_arrangements(cls, value: JsonValue) -> JsonValue:
        if not isinstance(value, Mapping):
            return value
        nested = value.get("result")
        if isinstance(nested, Mapping):
            return {**nested, **value}
        return {**value, "result": {key: value[key] for key in RunOutput.model_fields if key in value}}
