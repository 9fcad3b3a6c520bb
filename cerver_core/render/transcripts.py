"""Transcripts as documents: text, markdown and lossless JSON lines, in pieces that only have to be put together.

A document is `header(session, format)` followed by the pieces of its pages; a piece of two pages equals the pieces of
each. Text and markdown show hidden characters escaped; JSON lines mean exactly what was stored.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cerver_core.render.claude_code import claude_code_header
from cerver_core.render.escape import json_visible, visible, visible_line
from cerver_core.wire.exports import ExportedSession, ExportHeader
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import Entry, ExportFormat

__all__ = ["as_jsonl", "as_markdown", "as_text", "continued", "entry_label", "header", "stamp", "tool_input_text"]

_FORGED = re.compile(r"^(?=#{1,6} ?#?\d+ (?:user|assistant|system|tool)\b)", re.MULTILINE)
_FENCE = re.compile(r"`{3,}")


def header(session: SessionRecord, form: ExportFormat) -> str:
    """Write what stands before the first entry of a document."""
    if form == "jsonl":
        return json_visible(_export_header(session).model_dump_json()) + "\n"
    if form == "claude-code":
        return claude_code_header(session)
    title = visible_line(session.session_name or session.task or session.title or session.session_id, 120)
    facts = [f"session {session.session_id}", f"created {stamp(session.created_at)}"]
    facts += [f"harness {visible_line(session.harness, 64)}"] if session.harness else []
    mark = "# " if form == "markdown" else ""
    return f"{mark}{title}\n\n{' · '.join(facts)}\n\n"


def as_text(entries: Iterable[Entry]) -> str:
    """Write entries as plain text: a line `#12 assistant 2026-11-22 10:02:03Z` and the content, then a blank line.

    A line of content that looks like such a line is set off by a space, so that no entry can pose as another.
    """
    return "".join(_block(entry_label(entry), _set_off(_text_body(entry))) for entry in entries)


def as_markdown(entries: Iterable[Entry]) -> str:
    """Write entries as markdown: a heading each; what tools took and gave in fences, speech as it was written."""
    return "".join(_block(f"## {entry_label(entry)}\n", _markdown_body(entry)) for entry in entries)


def as_jsonl(raw_json_lines: Iterable[str]) -> str:
    """Write entries as JSON lines, from the JSON texts they are stored as; nothing is parsed and nothing lost."""
    return "".join(f"{json_visible(line)}\n" for line in raw_json_lines)


def continued(piece: str) -> str:
    """Set off a piece that begins within an entry, should its first line look like the line of an entry."""
    return f" {piece}" if _FORGED.match(piece) else piece


def entry_label(entry: Entry) -> str:
    """Name an entry in one line: seq, role, kind unless it is text, tool, outcome, time."""
    words = [f"#{entry.seq}", entry.role, *_kind_words(entry), stamp(entry.at)]
    if entry.content_bytes is not None:
        words.append(f"({entry.content_bytes:,} bytes in all)")
    return " ".join(words)


def stamp(moment: datetime) -> str:
    """Write a moment to the second, in UTC: `2026-11-22 10:02:03Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def tool_input_text(entry: Entry) -> str:
    """Write the input of a tool: text as it is, anything else as JSON; empty when there is none.

    What an adapter keeps for itself, under a name that begins with `$`, is no input.
    """
    given = entry.tool_input
    if isinstance(given, dict) and any(name.startswith("$") for name in given):
        given = {name: value for name, value in given.items() if not name.startswith("$")} or None
    if given is None:
        return ""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _block(label: str, body: str) -> str:
    return f"{label}\n{body}\n\n" if body else f"{label}\n\n"


def _export_header(session: SessionRecord) -> ExportHeader:
    return ExportHeader(
        session=ExportedSession(
            session_id=session.session_id,
            session_name=session.session_name,
            created_at=session.created_at,
            session_type=session.session_type,
            workload=session.workload,
            task=session.task,
            harness=session.harness,
            project_slug=session.project_slug,
            metadata=session.metadata,
        )
    )


def _kind_words(entry: Entry) -> Sequence[str]:
    words = [] if entry.kind == "text" else [visible_line(entry.kind, 64)]
    if entry.tool_name:
        words.append(visible_line(entry.tool_name, 64))
    if entry.kind == "tool_result":
        words.append("error" if entry.is_error else "ok")
    return words


def _text_body(entry: Entry) -> str:
    return visible("\n".join(part for part in (entry.content, tool_input_text(entry)) if part))


def _markdown_body(entry: Entry) -> str:
    if entry.kind == "text" and not entry.tool_name:
        return _set_off(visible(entry.content))
    given = tool_input_text(entry)
    kind = "json" if not isinstance(entry.tool_input, str) else ""
    parts = [_fenced(given, kind)] if given else []
    if entry.content:
        parts.insert(0, _fenced(entry.content, ""))
    return "\n\n".join(parts)


def _set_off(text: str) -> str:
    return _FORGED.sub(" ", text)


def _fenced(text: str, language: str) -> str:
    shown = visible(text)
    longest = max((len(run.group()) for run in _FENCE.finditer(shown)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"
