"""Keeps the sessions of Claude's agent SDK in Cerver: an adapter for its `SessionStore` that loads nothing of the SDK.

Each transcript of the SDK (a session, or one of its sub-agents) is a session of Cerver, and each of its lines an entry
that reads like any other. What the entry's own fields do not say of the line stands in its `tool_input` under `$line`,
so that the line comes back as it was, but for secrets, which are masked in what is stored.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from cerver_core.api import Cerver
from cerver_core.errors import EntryConflict
from cerver_core.wire.model import UtcTime
from cerver_core.wire.sessions import CreateSession, ListSessions, SessionRecord
from cerver_core.wire.transcripts import AppendEntries, Entry, NewEntry, ReadTranscript, Role

__all__ = ["SOURCE", "ClaudeAgentSessions"]

SOURCE = "claude-agent-sdk"
"""The beginning of `metadata.source` of the sessions that are kept so; a hash of the SDK's key follows."""

Line = dict[str, JsonValue]
Path = Sequence[str | int]

_BATCH = 500
_PAGE = 1_000
_LONGEST_ID = 200
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


class ClaudeAgentSessions:
    """A `SessionStore`: give it to `ClaudeAgentOptions(session_store=…)`.

    `uuid` makes a repeated line harmless. Nothing is ever deleted (the SDK takes that for an archive), so there is no
    `delete`; `list_session_summaries` is left to the SDK, which makes them from `load`.
    """

    def __init__(self, cerver: Cerver) -> None:
        self._cerver = cerver
        self._known: dict[str, str] = {}

    async def append(self, key: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> None:
        """Keep lines of a transcript, in their order; those whose `uuid` is known are passed over."""
        if not entries:
            return
        session_id = await self._opened(_Key.of(key))
        made = [_entry(dict(line)) for line in entries]
        for start in range(0, len(made), _BATCH):
            await self._append(session_id, made[start : start + _BATCH])

    async def load(self, key: Mapping[str, Any]) -> list[Line] | None:
        """Give all lines of a transcript; null for one that was never written."""
        lines = [
            _line(entry)
            for record in await self._records(_Key.of(key))
            for entry in await self._entries(record.session_id)
        ]
        return lines or None

    async def list_sessions(self, project_key: str) -> list[dict[str, Any]]:
        """List a project's sessions, without their sub-agents, each with the time of its last line (ms since 1970)."""
        found: dict[str, int] = {}
        for record in await self._listed(ListSessions(project=_project(project_key), limit=200)):
            told = record.metadata
            if told.get("project_key") != project_key or told.get("subpath") or not record.transcript_total:
                continue
            at_ms = int(record.updated_at.timestamp() * 1_000)
            session_id = str(told.get("source_id"))
            found[session_id] = max(at_ms, found.get(session_id, 0))
        return [{"session_id": session_id, "mtime": at_ms} for session_id, at_ms in found.items()]

    async def list_subkeys(self, key: Mapping[str, Any]) -> list[str]:
        """List the sub-agents' transcripts of a session."""
        main = _Key.of({**key, "subpath": None})
        found: dict[str, None] = {}
        for record in await self._records(main):
            for child in await self._listed(ListSessions(parent=record.session_id, limit=200)):
                if isinstance(subpath := child.metadata.get("subpath"), str) and child.transcript_total:
                    found[subpath] = None
        return list(found)

    async def _opened(self, key: "_Key") -> str:
        """Find the session of a key, or open it. Of several that were opened at once everybody takes the oldest."""
        if key.source not in self._known:
            if not await self._records(key):
                await self._open(key)
            self._known[key.source] = (await self._records(key))[0].session_id
        return self._known[key.source]

    async def _open(self, key: "_Key") -> None:
        parent = await self._opened(key.main) if key.subpath is not None else None
        metadata = {
            "source": key.source,
            "source_id": key.session_id,
            "project_key": key.project,
            **({"subpath": key.subpath} if key.subpath is not None else {}),
        }
        await self._cerver.sessions.create(
            CreateSession(
                session_type="transcript",
                harness="claude",
                project_slug=_project(key.project),
                parent_session_id=parent,
                metadata=metadata,
            )
        )

    async def _records(self, key: "_Key") -> Sequence[SessionRecord]:
        found = await self._listed(ListSessions(source=key.source, limit=200))
        return sorted(found, key=lambda record: (record.created_at, record.session_id))

    async def _listed(self, request: ListSessions) -> Sequence[SessionRecord]:
        found: list[SessionRecord] = []
        while True:
            page = await self._cerver.sessions.list(request)
            found += page.sessions
            if page.next_cursor is None:
                return found
            request = request.model_copy(update={"cursor": page.next_cursor})

    async def _append(self, session_id: str, entries: Sequence[NewEntry]) -> None:
        """Append, without those entries whose id is known with another body: the first stands."""
        left: Sequence[NewEntry] = entries
        while left:
            try:
                await self._cerver.transcripts.append(session_id, AppendEntries(entries=tuple(left)))
            except EntryConflict as error:
                kept: list[NewEntry] = [entry for entry in left if entry.id != error.detail.get("id")]
                if len(kept) == len(left):
                    raise
                left = kept
            else:
                return

    async def _entries(self, session_id: str) -> Sequence[Entry]:
        found: list[Entry] = []
        since = 0
        while True:
            page = await self._cerver.transcripts.read(session_id, ReadTranscript(since=since, limit=_PAGE, whole=True))
            found += page.entries
            if not page.more_after or page.last_seq is None:
                return found
            since = page.last_seq


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of the SDK: a project, a session, and a sub-agent's path or null."""

    project: str
    session_id: str
    subpath: str | None

    @classmethod
    def of(cls, key: Mapping[str, Any]) -> "_Key":
        return cls(str(key["project_key"]), str(key["session_id"]), key.get("subpath") or None)

    @property
    def main(self) -> "_Key":
        return _Key(self.project, self.session_id, None)

    @property
    def source(self) -> str:
        """Name the key in a way by which sessions are found at once."""
        said = json.dumps([self.project, self.session_id, self.subpath])
        return f"{SOURCE}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _project(project_key: str) -> str:
    """Write a project as a slug: as it is where it can be one."""
    if 0 < len(project_key) <= _LONGEST_ID and project_key.isprintable():
        return project_key
    return hashlib.sha256(project_key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _entry(line: Line) -> NewEntry:
    """Write a line as an entry: what it says where readers look for it, and all the rest under `$line`."""
    said = _said(line)
    rest: Line = {"line": line}
    shown: JsonValue = {}
    content: JsonValue = said.content
    if said.content_at is not None:
        content = _at(line, said.content_at)
        rest = {"line": _with(line, said.content_at, None), "content": [*said.content_at]}
    if said.input_at is not None:
        shown = _at(line, said.input_at)
        rest = {"line": _with(line, said.input_at, None), "input": [*said.input_at]}
    return NewEntry(
        role=said.role or _ROLES.get(str(line.get("type")), "system"),
        kind=said.kind,
        content=str(content),
        id=_id(line.get("uuid")),
        at=_moment(line.get("timestamp")),
        tool_id=said.tool_id,
        tool_name=said.tool_name,
        tool_input={**(shown if isinstance(shown, dict) else {}), "$line": rest},
        is_error=said.is_error,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What a line says, and where in it that stands."""

    kind: str
    content: str = ""
    role: Role | None = None
    content_at: Path | None = None
    input_at: Path | None = None
    tool_id: str | None = None
    tool_name: str | None = None
    is_error: bool | None = None


def _said(line: Line) -> _Said:
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str) and content:
        return _Said("text", content_at=("message", "content"))
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        said = _block(content[0], ("message", "content", 0))
        if said is not None:
            return said
    if isinstance(content, list):
        texts = [str(block.get("text")) for block in content if isinstance(block, dict) and block.get("text")]
        if texts:
            return _Said("text", content="\n".join(texts))
    return _Said("event", content=f"{line.get('type') or 'line'}"[:_LONGEST_ID])


def _block(block: Line, place: tuple[str | int, ...]) -> _Said | None:
    kind = block.get("type")
    if isinstance(kind, str) and kind in {"text", "thinking"} and isinstance(block.get(kind), str) and block[kind]:
        return _Said(kind, content_at=(*place, kind))
    given = block.get("input")
    if kind == "tool_use" and isinstance(given, dict) and "$line" not in given:
        return _Said(
            "tool_use", input_at=(*place, "input"), tool_id=_id(block.get("id")), tool_name=_id(block.get("name"))
        )
    if kind == "tool_result" and isinstance(block.get("content"), str):
        return _Said(
            "tool_result",
            role="tool",
            content_at=(*place, "content"),
            tool_id=_id(block.get("tool_use_id")),
            is_error=block.get("is_error") is True,
        )
    return None


def _line(entry: Entry) -> Line:
    """Write an entry as the line that it was made of."""
    given = entry.tool_input if isinstance(entry.tool_input, dict) else {}
    rest = given.get("$line")
    line = rest.get("line") if isinstance(rest, dict) else None
    if not isinstance(rest, dict) or not isinstance(line, dict):
        return {"type": entry.role, "message": {"role": entry.role, "content": entry.content}}
    if "content" in rest:
        return _with(line, _path(rest["content"]), entry.content)
    if "input" in rest:
        return _with(line, _path(rest["input"]), {name: value for name, value in given.items() if name != "$line"})
    return line


def _path(value: JsonValue) -> Path:
    return [step for step in value if isinstance(step, str | int)] if isinstance(value, list) else []


def _at(value: JsonValue, path: Path) -> JsonValue:
    for step in path:
        if isinstance(value, dict):
            value = value[str(step)]
        elif isinstance(value, list):
            value = value[int(step)]
    return value


def _with(line: Line, path: Path, value: JsonValue) -> Line:
    """Copy a line with another value at a place."""
    copy = deepcopy(line)
    *way, last = path
    holder = _at(copy, way)
    if isinstance(holder, dict) and isinstance(last, str):
        holder[last] = value
    return copy


def _id(value: object) -> str | None:
    """Take a name of the SDK's as it is where it can be one of ours; a hash of it where it cannot."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) <= _LONGEST_ID and value.isprintable():
        return value
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _moment(value: object) -> datetime | None:
    try:
        return _TIME.validate_python(value) if isinstance(value, str) else None
    except ValidationError:
        return None


_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)
