"""Transcripts as session files of Claude Code, which it can resume; pieces that only have to be put together.

Every entry becomes a line (a summary, two) in one chain, so that a page needs to know nothing of the pages before. What
the model can be given again is given: text, calls and results. All else is a note that Claude Code shows to a person
only; the note says in `cerverKind` what it was.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC
from uuid import UUID, uuid5

from pydantic import JsonValue

from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import Entry

__all__ = ["as_claude_code", "claude_code_header", "claude_code_project"]

_SPACE = UUID("5c1f6f0e-6f0b-4c43-9a52-3a1d0d7c0f11")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_VERSION = "2.0.0"
"""The version of Claude Code whose lines these are like."""

_MAX_PROJECT = 200
_NOTE_CHARACTERS = 2_000

Line = dict[str, JsonValue]


def claude_code_header(session: SessionRecord) -> str:
    """Write what stands before the first entry: the session's name, if it has one."""
    if not session.session_name:
        return ""
    return _line({"type": "custom-title", "customTitle": session.session_name, "sessionId": _session_id(session)})


def claude_code_project(working_dir: str) -> str:
    """Name the folder below `projects` where Claude Code keeps the sessions of a working directory (not too long)."""
    return re.sub(r"[^A-Za-z0-9]", "-", working_dir)[:_MAX_PROJECT]


def as_claude_code(entries: Iterable[Entry], session: SessionRecord) -> str:
    """Write entries as lines. They must be whole: a view of a large one would be taken for all of it."""
    return "".join(_line(line) for entry in entries for line in _lines(entry, session))


def _lines(entry: Entry, session: SessionRecord) -> Sequence[Line]:
    if entry.kind == "summary":
        return _summary(entry, session)
    return [{**_place(entry, session), **_told(entry, session)}]


def _told(entry: Entry, session: SessionRecord) -> Line:
    if entry.kind == "tool_use" and entry.tool_id:
        name = _UNFIT.sub("_", entry.tool_name or "tool")[:64]
        asked: JsonValue = entry.tool_input if isinstance(entry.tool_input, dict) else {"input": entry.tool_input}
        return _assistant(
            entry, session, {"type": "tool_use", "id": _tool_id(entry.tool_id), "name": name, "input": asked}
        )
    if entry.kind == "tool_result" and entry.tool_id:
        result: Line = {"type": "tool_result", "tool_use_id": _tool_id(entry.tool_id), "content": entry.content}
        if entry.is_error:
            result["is_error"] = True
        return _user([result])
    if entry.kind == "text" and entry.role == "user":
        return _user(entry.content)
    if entry.kind == "text" and entry.role == "assistant":
        return _assistant(entry, session, {"type": "text", "text": entry.content})
    kind = entry.role if entry.kind == "text" else entry.kind
    text = entry.content if len(entry.content) <= _NOTE_CHARACTERS else f"{entry.content[:_NOTE_CHARACTERS]} […]"
    return {
        "type": "system",
        "subtype": "informational",
        "content": f"{kind}: {text}",
        "isMeta": False,
        "level": "info",
        "cerverKind": kind,
    }


def _user(content: JsonValue) -> Line:
    return {"type": "user", "message": {"role": "user", "content": content}}


def _assistant(entry: Entry, session: SessionRecord, block: Line) -> Line:
    model = session.metadata.get("model")
    message: Line = {
        "id": f"msg_{_uuid(session, entry.seq).hex}",
        "type": "message",
        "role": "assistant",
        "model": model if isinstance(model, str) else "<synthetic>",
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    return {"type": "assistant", "message": message}


def _summary(entry: Entry, session: SessionRecord) -> Sequence[Line]:
    """Write a summary as Claude Code does: behind a boundary, from where on the model is given the conversation."""
    place = _place(entry, session)
    boundary = str(uuid5(_SPACE, f"{session.session_id}:{entry.seq}:boundary"))
    told: Line = {"type": "system", "subtype": "compact_boundary", "content": "Conversation compacted", "level": "info"}
    above: Line = {"uuid": boundary, "parentUuid": None, "logicalParentUuid": place["parentUuid"]}
    return [
        {**place, **above, **told},
        {**place, "parentUuid": boundary, **_user(entry.content), "isCompactSummary": True},
    ]


def _place(entry: Entry, session: SessionRecord) -> Line:
    working_dir, branch = session.metadata.get("working_dir"), session.metadata.get("branch")
    at = entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "uuid": str(_uuid(session, entry.seq)),
        "parentUuid": str(_uuid(session, entry.seq - 1)) if entry.seq > 1 else None,
        "sessionId": _session_id(session),
        "timestamp": at,
        "isSidechain": False,
        "userType": "external",
        "cwd": working_dir if isinstance(working_dir, str) else "/",
        "gitBranch": branch if isinstance(branch, str) else "",
        "version": _VERSION,
    }


def _uuid(session: SessionRecord, seq: int) -> UUID:
    return uuid5(_SPACE, f"{session.session_id}:{seq}")


def _session_id(session: SessionRecord) -> str:
    try:
        return str(UUID(session.session_id))
    except ValueError:
        return str(uuid5(_SPACE, session.session_id))


def _tool_id(text: str) -> str:
    return _UNFIT.sub("_", text)


def _line(value: Line) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"
