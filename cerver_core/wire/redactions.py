"""Redactions on the wire: what is to be taken out of stored transcripts, and what was touched."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue, model_validator

from cerver_core.wire.model import Name, Reply, Request

__all__ = ["MIN_GIVEN_CHARS", "RedactReport", "RedactTranscripts", "RedactedSession"]

MIN_GIVEN_CHARS = 8
"""A shorter text would be found everywhere."""


_SOMETHING_TO_TAKE_OUT: list[JsonValue] = [
    {"required": ["texts"], "properties": {"texts": {"minItems": 1}}},
    {"required": ["detected"], "properties": {"detected": {"const": True}}},
]


class RedactTranscripts(Request):
    """What to take out of what is stored: of one session, or (`session_id` left out) of all there are.

    `texts` are taken out as they are and in the forms in which programs write them (base64, hex, escaped for URLs,
    JSON, shells, …); `detected` adds every credential that is recognised by its looks. With `dry_run` nothing changes.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": _SOMETHING_TO_TAKE_OUT})

    session_id: Annotated[Name, Field(max_length=200)] | None = None
    texts: Annotated[
        tuple[Annotated[str, Field(min_length=MIN_GIVEN_CHARS, max_length=65_536)], ...], Field(max_length=100)
    ] = ()
    detected: bool = False
    dry_run: bool = False

    @model_validator(mode="after")
    def _has_something(self) -> "RedactTranscripts":
        if not self.texts and not self.detected:
            raise ValueError("say what to take out: texts, detected, or both")
        return self


class RedactedSession(Reply):
    """A session in which something was found: which entries, which of its own texts (`name`, `task`, `metadata`).

    `kinds` counts what was found: `text` for what was given, else the kind of credential.
    """

    session_id: str
    seqs: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()
    kinds: Mapping[str, int] = {}


class RedactReport(Reply):
    """What was found and, unless `dry_run`, replaced; never the text itself."""

    dry_run: bool
    sessions: tuple[RedactedSession, ...] = ()
    sessions_read: int
    entries_read: int
    entries_changed: int = 0
    kinds: Mapping[str, int] = {}
