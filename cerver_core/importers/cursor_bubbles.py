"""The chats of Cursor's editor: composers and their bubbles, from the key-value table of its database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Batch, Conversation, Document, Tally
from cerver_core.importers.databases import Rows, opened_database
from cerver_core.importers.files import file_document
from cerver_core.importers.lines import Gathered
from cerver_core.importers.values import Record, as_record, entry, items, parsed, record, string, text_of, time_of

__all__ = ["find_composers", "read_composer"]

_WHAT = "Cursor"
_COMPOSER = "composerData:"
_COMPOSERS = """
WITH kept AS MATERIALIZED (
    SELECT substr(key, 14) AS id, CAST(value AS TEXT) AS value FROM cursorDiskKV
    WHERE key > 'composerData:' AND key < 'composerData;' AND json_valid(CAST(value AS TEXT))
), filled AS MATERIALIZED (
    SELECT id, octet_length(value) AS size, json_extract(value, '$.lastUpdatedAt') AS updated,
        json_extract(value, '$.createdAt') AS created,
        json_extract(value, '$.subagentInfo.parentComposerId') AS parent
    FROM kept
    WHERE coalesce(json_array_length(value, '$.fullConversationHeadersOnly'), 0) > 0
        OR coalesce(json_array_length(value, '$.conversation'), 0) > 0
)
SELECT id, updated, created, parent, size + coalesce((
    SELECT sum(octet_length(value)) FROM cursorDiskKV
    WHERE key > 'bubbleId:' || filled.id || ':' AND key < 'bubbleId:' || filled.id || ';'), 0)
FROM filled ORDER BY created, id
"""


def find_composers(source: str, path: Path) -> Sequence[Document]:
    """List the chats of a database that hold anything, parents first."""
    try:
        with opened_database(path, _WHAT) as rows:
            found = [_document(source, path, row) for row in rows.execute(_COMPOSERS)]
    except InvalidInput:
        # Reading it says what is wrong, for this one alone.
        return [file_document(source, path, path.stem)]
    return sorted(found, key=lambda document: document.parent_id is not None)


def read_composer(document: Document, tally: Tally) -> Iterator[Batch]:
    """Read one chat, bubble by bubble."""
    with opened_database(document.path, _WHAT) as rows:
        about = _value(rows, _COMPOSER + document.id)
        if about is None:
            raise FileMissing(f"there is no chat {document.id} in {document.path} any more")
        yield from _Reading(document, tally, about).batches(rows)


class _Reading:
    def __init__(self, document: Document, tally: Tally, about: Record) -> None:
        self._gathered = Gathered()
        self._tally = tally
        self._about = about
        self._at = time_of(about.get("createdAt")) or document.modified_at
        self._main = Conversation(document.id, parent_id=document.parent_id, title=string(about, "name"))
        self._main.branch = string(about, "createdOnBranch")
        self._use_model(string(record(about, "modelConfig"), "modelName"))

    def batches(self, rows: Rows) -> Iterator[Batch]:
        for number, (bubble_id, bubble) in enumerate(self._bubbles(rows), 1):
            if bubble is None:
                self._tally.complain(number, f"message {number} of chat {self._main.id} is missing or not JSON")
                continue
            self._tally.known += 1
            self._bubble(bubble_id, bubble)
            self._gathered.weigh(len(string(bubble, "text") or ""))
            if self._gathered.is_enough:
                yield from self._gathered.take(None)
        yield from self._gathered.take(None)

    def _bubbles(self, rows: Rows) -> Iterator[tuple[str, Record | None]]:
        """Yield the messages in order: in rows of their own, or inside the chat as older versions kept them."""
        for head in items(self._about, "fullConversationHeadersOnly"):
            identity = string(as_record(head), "bubbleId") or ""
            yield identity, _value(rows, f"bubbleId:{self._main.id}:{identity}")
        for position, bubble in enumerate(items(self._about, "conversation")):
            held = as_record(bubble)
            yield string(held, "bubbleId") or f"message-{position}", held or None

    def _bubble(self, identity: str, bubble: Record) -> None:
        timing = record(bubble, "timingInfo")
        told = next((bubble[key] for key in ("createdAt", "timestamp") if key in bubble), timing.get("clientStartTime"))
        self._at = time_of(told) or self._at
        self._main.working_dir = string(bubble, "workspaceProjectDir") or self._main.working_dir
        self._use_model(string(record(bubble, "modelInfo"), "modelName"))
        self._count(record(bubble, "tokenCount"))
        role = "user" if bubble.get("type") == 1 else "assistant"
        thought = string(record(bubble, "thinking"), "text") or ""
        self._gathered.add(
            self._main, entry("assistant", thought, key=f"{identity}:thinking", at=self._at, kind="thinking")
        )
        text = string(bubble, "text") or string(bubble, "rawText") or ""
        self._gathered.add(self._main, entry(role, text, key=f"{identity}:text", at=self._at))
        if called := record(bubble, "toolFormerData"):
            self._tool(identity, called)

    def _tool(self, identity: str, called: Record) -> None:
        tool_id = string(called, "toolCallId") or identity
        tool_name = string(called, "name") or f"tool {called.get('tool')}"
        status = string(called, "status")
        asked = entry(
            *("assistant", ""),
            key=f"{identity}:use",
            at=self._at,
            kind="tool_use",
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=_unpacked(called.get("rawArgs") or called.get("params")),
        )
        self._gathered.add(self._main, asked)
        outcome = called.get("error") or called.get("result")
        if outcome is None and status not in {"completed", "error", "cancelled"}:
            return
        text = _told(_unpacked(outcome))
        answered = entry(
            *("tool", text),
            key=f"{identity}:result",
            at=self._at,
            kind="tool_result",
            tool_id=tool_id,
            tool_name=tool_name,
            is_error=status in {"error", "cancelled"} or bool(called.get("error")),
        )
        self._gathered.add(self._main, answered)

    def _use_model(self, model: str | None) -> None:
        if model and model not in {*self._main.models[-1:], "default"}:
            self._main.models = [*(known for known in self._main.models if known != model), model][-20:]

    def _count(self, tokens: Record) -> None:
        for theirs, ours in (("inputTokens", "input_tokens"), ("outputTokens", "output_tokens")):
            if isinstance(count := tokens.get(theirs), int) and count > 0:
                self._main.usage[ours] = self._main.usage.get(ours, 0) + count


def _document(source: str, path: Path, row: tuple[Any, ...]) -> Document:
    identity, updated, created, parent, size = row
    return Document(
        source=source,
        path=path,
        id=str(identity),
        size_bytes=int(size or 0),
        modified_at=time_of(updated) or time_of(created) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        stamp=f"{updated}:{size}",
        parent_id=parent if isinstance(parent, str) else None,
    )


def _value(rows: Rows, key: str) -> Record | None:
    found = next(rows.execute("SELECT value FROM cursorDiskKV WHERE key = ?", (key,)), None)
    text = found[0] if found else None
    try:
        value = parsed(text) if isinstance(text, str | bytes) else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _unpacked(value: JsonValue) -> JsonValue:
    """Read JSON that stands as text; other text stays text."""
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return parsed(value)
    except ValueError:
        return value


def _told(outcome: JsonValue) -> str:
    told: Mapping[str, JsonValue] = as_record(outcome)
    for key in ("contents", "output", "clientVisibleErrorMessage", "error"):
        if isinstance(text := told.get(key), str):
            return text
    return text_of(outcome)
