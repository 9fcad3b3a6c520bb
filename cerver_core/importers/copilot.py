"""Copilot CLI's event logs: found on disk and read line by line."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import JsonValue

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Batch, Conversation, Document, Tally
from cerver_core.importers.files import file_document, files_under, first_record
from cerver_core.importers.lines import Gathered, Line, Recent, opened, read_lines
from cerver_core.importers.values import Record, as_record, entry, items, record, string, text_of, time_of
from cerver_core.wire.transcripts import Role

__all__ = ["CopilotImporter"]

_GROUPS = ("session.", "user.", "assistant.", "tool.", "subagent.", "system.", "hook.", "skill.", "permission.")
_TITLE = re.compile(r"^(?:name|summary): *(.+)$", re.MULTILINE)
_MODEL_USAGE = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadTokens": "cache_read_tokens",
    "cacheWriteTokens": "cache_write_tokens",
}


class CopilotImporter:
    """Reads `${COPILOT_HOME:-~/.copilot}/session-state/<session>/events.jsonl`.

    What a sub-agent did stands among its session's events, under the call that started it: a conversation of its own.
    """

    name = "copilot"

    def find(self, home: Path, environ: Mapping[str, str]) -> Sequence[Document]:
        """List the sessions."""
        root = Path(environ.get("COPILOT_HOME") or home / ".copilot") / "session-state"
        return self._documents(files_under(root, "events.jsonl"))

    def find_in(self, path: Path) -> Sequence[Document]:
        """List what is at a path: one log of events, or a folder of sessions."""
        if path.is_dir():
            return self._documents(files_under(path, "events.jsonl"))
        if path.suffix != ".jsonl":
            raise InvalidInput(f"{path} cannot be a session of Copilot: those end in .jsonl")
        return self._documents([path])

    def read(self, document: Document, tally: Tally) -> Iterator[Batch]:
        """Read one log."""
        with opened(document.path) as stream:
            yield from self.parse(stream, document, tally, _title(document.path))

    @staticmethod
    def parse(stream: BinaryIO, document: Document, tally: Tally, title: str | None = None) -> Iterator[Batch]:
        """Read a stream of events."""
        lines = _Events(document, tally, title)
        yield from read_lines(stream, tally, lines.gathered, lines.take_in, "Copilot")

    def expires_at(self, document: Document, home: Path, environ: Mapping[str, str]) -> datetime | None:
        """Answer null: Copilot keeps its sessions."""
        del document, home, environ

    def _documents(self, paths: Sequence[Path]) -> Sequence[Document]:
        return [file_document(self.name, path, _identity(path)) for path in paths]


class _Events:
    """Takes events in, in order. A call is told by the reply that asks for it and again when it starts: once here."""

    def __init__(self, document: Document, tally: Tally, title: str | None) -> None:
        self.gathered = Gathered()
        self._tally = tally
        self._main = Conversation(document.id, title=title)
        self._children: dict[str, Conversation] = {}
        self._at = document.modified_at
        self._tools: Recent[str, str] = Recent(5_000)
        self._thought: Recent[str, str] = Recent(100)
        self._handlers: Mapping[str, Callable[[Line, Record, Conversation], None]] = {
            "session.start": self._start,
            "session.resume": self._start,
            "session.model_change": self._model,
            "session.title_changed": self._retitle,
            "session.shutdown": self._shutdown,
            "session.compaction_complete": self._compaction,
            "session.snapshot_rewind": self._rewind,
            "session.error": self._error,
            "abort": self._abort,
            "user.message": self._user,
            "assistant.message": self._assistant,
            "assistant.reasoning": self._reasoning,
            "tool.execution_start": self._call,
            "tool.execution_complete": self._result,
            "subagent.started": self._child,
        }

    def take_in(self, line: Line) -> None:
        """Take one event in."""
        kind, data = string(line.value, "type") or "none", line.value.get("data")
        if not isinstance(data, dict) or not (kind == "abort" or kind.startswith(_GROUPS)):
            self._tally.unknown[kind[:40]] += 1
            return
        self._tally.known += 1
        self._at = time_of(line.value.get("timestamp")) or self._at
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(line, data, self._whose(data))

    def _whose(self, data: Record) -> Conversation:
        parent_call = string(data, "parentToolCallId")
        return self._main if parent_call is None else self._child_of(parent_call)

    def _child_of(self, call: str) -> Conversation:
        if call not in self._children:
            self._children[call] = Conversation(f"{self._main.id}/{call}", parent_id=self._main.id)
        return self._children[call]

    def _start(self, line: Line, data: Record, conversation: Conversation) -> None:
        del line
        context = record(data, "context")
        conversation.working_dir = string(context, "cwd") or conversation.working_dir
        conversation.branch = string(context, "branch") or conversation.branch
        conversation.version = string(data, "copilotVersion") or conversation.version
        self._use_model(conversation, string(data, "selectedModel"))

    def _model(self, line: Line, data: Record, conversation: Conversation) -> None:
        del line
        self._use_model(conversation, string(data, "newModel"))

    @staticmethod
    def _use_model(conversation: Conversation, model: str | None) -> None:
        if model and model not in conversation.models[-1:]:
            conversation.models = [*(known for known in conversation.models if known != model), model][-20:]

    def _retitle(self, line: Line, data: Record, conversation: Conversation) -> None:
        del line
        conversation.title = string(data, "title") or conversation.title

    def _shutdown(self, line: Line, data: Record, conversation: Conversation) -> None:
        """Add up what the models report at the end of each time that the session was open."""
        del line
        for about in record(data, "modelMetrics").values():
            usage = record(as_record(about), "usage")
            for theirs, ours in _MODEL_USAGE.items():
                if isinstance(tokens := usage.get(theirs), int) and tokens > 0:
                    conversation.usage[ours] = conversation.usage.get(ours, 0) + tokens

    def _compaction(self, line: Line, data: Record, conversation: Conversation) -> None:
        told = string(data, "summaryContent")
        kind = "summary" if told else "compaction"
        self._add(line, conversation, "system", told or "The conversation was compacted.", kind=kind)

    def _rewind(self, line: Line, data: Record, conversation: Conversation) -> None:
        conversation.rewinds += 1
        target = string(data, "upToEventId") or "an earlier event"
        self._add(
            line, conversation, "system", f"Rewound to {target}: what stood after it was left behind.", kind="rewind"
        )

    def _error(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._add(line, conversation, "system", text_of(data.get("message")), kind="event", is_error=True)

    def _abort(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._add(line, conversation, "system", f"Aborted: {string(data, 'reason') or 'no reason told'}", kind="event")

    def _user(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._add(line, conversation, "user", text_of(data.get("content")))

    def _assistant(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._think(line, conversation, string(data, "reasoningText"))
        self._add(line, conversation, "assistant", text_of(data.get("content")))
        for position, asked in enumerate(items(data, "toolRequests")):
            self._ask(line, conversation, as_record(asked), "name", position)

    def _reasoning(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._think(line, conversation, string(data, "content"))

    def _think(self, line: Line, conversation: Conversation, text: str | None) -> None:
        """Say a thought once: it comes as an event of its own and again with the reply."""
        if text and self._thought.get(conversation.id) != text:
            self._thought.keep(conversation.id, text)
            self._add(line, conversation, "assistant", text, kind="thinking")

    def _call(self, line: Line, data: Record, conversation: Conversation) -> None:
        self._ask(line, conversation, data, "toolName", 0)

    def _ask(self, line: Line, conversation: Conversation, data: Record, name_key: str, position: int) -> None:
        tool_id, name = string(data, "toolCallId"), string(data, name_key) or string(data, "toolName") or "tool"
        if tool_id is None or tool_id in self._tools:
            return
        self._tools.keep(tool_id, name)
        asked = data.get("arguments")
        self._add(
            line,
            conversation,
            "assistant",
            "",
            kind=f"tool_use:{position}",
            tool_id=tool_id,
            tool_name=name,
            asked=asked,
        )

    def _result(self, line: Line, data: Record, conversation: Conversation) -> None:
        tool_id = string(data, "toolCallId") or ""
        error = data.get("error")
        result = record(data, "result")
        text = text_of(error) if error else text_of(result.get("content") or result.get("detailedContent"))
        is_error = data.get("success") is False or bool(error)
        name = self._tools.get(tool_id) or string(data, "toolName")
        self._add(
            line, conversation, "tool", text, kind="tool_result", tool_id=tool_id, tool_name=name, is_error=is_error
        )

    def _child(self, line: Line, data: Record, conversation: Conversation) -> None:
        del line, conversation
        if call := string(data, "toolCallId"):
            self._child_of(call).title = string(data, "agentDisplayName") or string(data, "agentName")

    def _add(
        self,
        line: Line,
        conversation: Conversation,
        role: Role,
        text: str,
        *,
        kind: str = "text",
        tool_id: str | None = None,
        tool_name: str | None = None,
        asked: JsonValue = None,
        is_error: bool | None = None,
    ) -> None:
        made = entry(
            role,
            text,
            key=f"{string(line.value, 'id') or f'byte-{line.begin}'}:{kind}",
            at=self._at,
            kind=kind.partition(":")[0],
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=asked,
            is_error=is_error,
        )
        self.gathered.add(conversation, made)


def _identity(path: Path) -> str:
    told = string(record(first_record(path), "data"), "sessionId")
    return told or (path.parent.name if path.name == "events.jsonl" else path.stem)


def _title(path: Path) -> str | None:
    try:
        found = _TITLE.search(path.with_name("workspace.yaml").read_text("utf-8", "replace"))
    except OSError:
        return None
    return found.group(1).strip("'\" ") or None if found else None
