"""opencode's sessions, from its database: messages in order, each with its parts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Batch, Conversation, Document, Tally
from cerver_core.importers.databases import Rows, opened_database
from cerver_core.importers.files import file_document
from cerver_core.importers.lines import Gathered
from cerver_core.importers.values import Record, as_record, entry, items, parsed, record, string, text_of, time_of
from cerver_core.wire.transcripts import Role

__all__ = ["OpencodeImporter"]

_WHAT = "opencode"
_ASIDE = frozenset({"step-start", "step-finish", "snapshot", "agent"})
_OPTIONAL = ("parent_id", "title", "directory", "version", "revert")


class OpencodeImporter:
    """Reads `${XDG_DATA_HOME:-~/.local/share}/opencode/opencode.db`; a session's child is a conversation under it."""

    name = "opencode"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the sessions, parents first."""
        path = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode" / "opencode.db"
        return self.find_in(path) if path.is_file() else []

    def find_in(self, path: Path) -> Sequence[Document]:
        """List the sessions of one database."""
        try:
            with opened_database(path, _WHAT) as rows:
                found = [_document(self.name, path, row) for row in rows.execute(_sessions(rows))]
        except InvalidInput:
            # Reading it says what is wrong, for this one alone.
            return [file_document(self.name, path, path.stem)]
        return _parents_first(found)

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one session."""
        with opened_database(document.path, _WHAT) as rows:
            optional = [name for name in _OPTIONAL if name in _columns(rows)]
            statement = f"SELECT id{''.join(f', {name}' for name in optional)} FROM session WHERE id = ?"  # noqa: S608
            about = next(rows.execute(statement, (document.id,)), None)
            if about is None:
                raise FileMissing(f"there is no session {document.id} in {document.path} any more")
            reading = _Reading(document, tally, dict(zip(["id", *optional], about, strict=True)))
            yield from reading.batches(rows)

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Answer null: opencode keeps its sessions."""
        del document, home, environ


class _Reading:
    def __init__(self, document: Document, tally: Tally, about: Mapping[str, Any]) -> None:
        self._gathered = Gathered()
        self._document = document
        self._tally = tally
        self._revert = about.get("revert")
        self._at = document.modified_at
        self._main = Conversation(document.id, parent_id=document.parent_id)
        self._main.title = about.get("title") or None
        self._main.working_dir = about.get("directory") or None
        self._main.version = about.get("version") or None

    def batches(self, rows: Rows) -> Iterator[Batch]:
        messages = "SELECT id, data, time_created FROM message WHERE session_id = ? ORDER BY time_created, id"
        number = 0
        for message_id, data, created_at in rows.execute(messages, (self._document.id,)):
            number += 1
            message = self._object(data, number)
            if message is None:
                continue
            self._tally.known += 1
            self._note(message, created_at)
            for part_id, text in rows.execute(
                "SELECT id, data FROM part WHERE message_id = ? ORDER BY id", (message_id,)
            ):
                self._gathered.weigh(len(text or ""))
                if (part := self._object(text, number)) is not None:
                    self._part(part_id, part, message)
                if self._gathered.is_enough:
                    yield from self._gathered.take(None)
            self._error(message_id, message)
        self._note_revert()
        yield from self._gathered.take(None)

    def _object(self, text: JsonValue, number: int) -> Record | None:
        try:
            value = parsed(text) if isinstance(text, str) else None
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        self._tally.complain(number, f"a record of message {number} of session {self._document.id} is not JSON")
        return None

    def _note(self, message: Record, created_at: JsonValue) -> None:
        self._at = time_of(record(message, "time").get("created")) or time_of(created_at) or self._at
        self._main.working_dir = string(record(message, "path"), "cwd") or self._main.working_dir
        model = string(message, "modelID")
        if model and model not in self._main.models[-1:]:
            self._main.models = [*(known for known in self._main.models if known != model), model][-20:]
        tokens = record(message, "tokens")
        if not tokens:
            return
        cache = record(tokens, "cache")
        told = {
            "input_tokens": tokens.get("input"),
            "output_tokens": tokens.get("output"),
            "reasoning_tokens": tokens.get("reasoning"),
            "cache_read_tokens": cache.get("read"),
            "cache_write_tokens": cache.get("write"),
        }
        for name, count in told.items():
            if isinstance(count, int) and count > 0:
                self._main.usage[name] = self._main.usage.get(name, 0) + count

    def _part(self, part_id: str, part: Record, message: Record) -> None:
        kind = string(part, "type") or "none"
        role: Role = "user" if message.get("role") == "user" else "assistant"
        self._at = time_of(record(part, "time").get("start")) or self._at
        if kind == "text":
            is_summary = message.get("summary") is True and role == "assistant"
            text = string(part, "text") or ""
            key = part_id if _is_finished(part, message) else f"{part_id}~{_digest(text)}"
            self._say("system" if is_summary else role, text, key, "summary" if is_summary else "text")
        elif kind == "reasoning":
            text = string(part, "text") or ""
            self._say(
                "assistant", text, part_id if _is_finished(part, message) else f"{part_id}~{_digest(text)}", "thinking"
            )
        elif kind == "tool":
            self._tool(part_id, part)
        elif kind == "file":
            named = string(part, "filename") or ""
            self._say(role, f"{named} {text_of({**part, 'type': 'file'})}".strip(), part_id, "attachment")
        elif kind == "compaction":
            self._say("system", "The conversation was compacted.", part_id, "compaction")
        elif kind == "subtask":
            self._say("user", string(part, "prompt") or string(part, "description") or "", part_id, "text")
        elif kind == "patch":
            files = [name for name in items(part, "files") if isinstance(name, str)]
            self._say("system", f"files changed: {', '.join(files)}" if files else "", part_id, "event")
        elif kind == "retry":
            self._say("system", f"retry: {text_of(record(part, 'error').get('data'))}", part_id, "event", is_error=True)
        elif kind not in _ASIDE:
            self._tally.unknown[kind[:40]] += 1

    def _tool(self, part_id: str, part: Record) -> None:
        state = record(part, "state")
        status = string(state, "status")
        is_over = status in {"completed", "error"}
        if not is_over and not state.get("input"):
            return
        self._at = time_of(record(state, "time").get("start")) or self._at
        tool_id, tool_name = string(part, "callID") or part_id, string(part, "tool")
        asked = entry(
            *("assistant", ""),
            key=f"{part_id}:use",
            at=self._at,
            kind="tool_use",
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=state.get("input"),
        )
        self._gathered.add(self._main, asked)
        if not is_over:
            return
        answered = entry(
            *("tool", text_of(state.get("error") if status == "error" else state.get("output"))),
            key=f"{part_id}:result",
            at=time_of(record(state, "time").get("end")) or self._at,
            kind="tool_result",
            tool_id=tool_id,
            tool_name=tool_name,
            is_error=status == "error",
        )
        self._gathered.add(self._main, answered)

    def _error(self, message_id: str, message: Record) -> None:
        error = record(message, "error")
        if error:
            told = f"{string(error, 'name') or 'error'}: {text_of(error.get('data'))}"
            self._say("system", told, f"{message_id}:error", "event", is_error=True)

    def _note_revert(self) -> None:
        try:
            target = string(as_record(parsed(self._revert or "{}")), "messageID")
        except ValueError:
            return
        if target:
            self._main.rewinds = 1
            told = f"Reverted to before message {target}: what stands from there on was left behind."
            self._say("system", told, f"revert:{target}", "rewind")

    def _say(self, role: Role, text: str, key: str, kind: str, *, is_error: bool | None = None) -> None:
        self._gathered.add(self._main, entry(role, text, key=key, at=self._at, kind=kind, is_error=is_error))


def _columns(rows: Rows) -> set[str]:
    return {str(name) for (name,) in rows.execute("SELECT name FROM pragma_table_info('session')")}


def _sessions(rows: Rows) -> str:
    parent = "s.parent_id" if "parent_id" in _columns(rows) else "NULL"
    size = (
        "SELECT m.session_id AS session_id, sum(octet_length(p.data)) AS size, count(*) AS parts "
        "FROM message m JOIN part p ON p.message_id = m.id GROUP BY m.session_id"
    )
    return (
        f"SELECT s.id, {parent}, coalesce(s.time_updated, s.time_created), z.size, z.parts "  # noqa: S608 - words of ours
        f"FROM session s JOIN ({size}) z ON z.session_id = s.id ORDER BY s.time_created, s.id"
    )


def _document(source: str, path: Path, row: tuple[Any, ...]) -> Document:
    identity, parent, updated, size, parts = row
    return Document(
        source=source,
        path=path,
        id=str(identity),
        size_bytes=int(size or 0),
        modified_at=time_of(updated) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        stamp=f"{updated}:{size}:{parts}",
        parent_id=str(parent) if parent else None,
    )


def _parents_first(found: Sequence[Document]) -> Sequence[Document]:
    above = {document.id: document.parent_id for document in found}

    def depth(document: Document) -> int:
        parent, steps = document.parent_id, 0
        while parent is not None and steps < len(above):
            parent, steps = above.get(parent), steps + 1
        return steps

    return sorted(found, key=depth)


def _is_finished(part: Record, message: Record) -> bool:
    if message.get("role") == "user" or "end" in record(part, "time") or message.get("error"):
        return True
    return "completed" in record(message, "time")


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
