"""The first line of a JSON-lines export: what the document is and which session it came from."""

from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from cerver_core.wire.model import Request, UtcTime
from cerver_core.wire.sessions import SessionType

__all__ = ["EXPORT_VERSION", "ExportHeader", "ExportedSession"]

EXPORT_VERSION = 1
"""The version of the JSON-lines form. It changes when an older reader could misread a newer document."""


class ExportedSession(Request):
    """What an export tells of its session. `session_id` is where it came from; an import gives a new one."""

    session_id: str
    session_name: str | None = None
    created_at: UtcTime
    session_type: SessionType = "general"
    workload: str = "general"
    task: str = ""
    harness: str | None = None
    project_slug: str | None = None
    metadata: Mapping[str, JsonValue] = {}


class ExportHeader(Request):
    """The first line of a JSON-lines export; each line after it is one entry, whole, in the order of `seq`."""

    cerver: Literal["transcript"] = "transcript"
    version: Literal[1] = EXPORT_VERSION
    session: ExportedSession
