"""The lines of a Claude Code session, one after the other: what was said, run and answered, by whom, when."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from cerver_core.importers.base import Conversation, Document, Tally
from cerver_core.importers.lines import Gathered, Line, Recent
from cerver_core.importers.values import Record, as_record, entry, record, string, text_of, time_of

__all__ = ["ClaudeCodeLines"]

_REMEMBERED = 20_000
_ASIDE = frozenset(
    {
        *("progress", "queue-operation", "last-prompt", "tag", "mode", "permission-mode", "agent-name", "agent-color"),
        *("agent-setting", "pr-link", "file-history-snapshot", "tools-used", "cost-state", "atis-latch"),
        *("api-request", "api-request-shape", "api-request-blob"),
    }
)
"""Kinds of lines that say nothing of the conversation, or say it again."""

_FILE_ATTACHMENTS = frozenset({"file", "edited_text_file", "directory", "selected_lines_in_ide", "mcp_resource"})
_USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


class ClaudeCodeLines:
    """Takes the lines of one file in, in order; entries wait in `gathered`.

    One reply of the model stands on several lines with the same message id and the same usage: its tokens count once.
    A prompt whose parent was answered before goes back to that place: a mark says so, and nothing is dropped. Lines
    of another session (a resumed or forked one) are kept, behind a mark.
    """

    def __init__(self, document: Document, tally: Tally, *, title: str | None = None) -> None:
        self.gathered = Gathered()
        self._document = document
        self._tally = tally
        self._main = Conversation(document.id, parent_id=document.parent_id, title=title)
        self._rank_of_title = 9 if title else 0
        self._session = document.parent_id or document.id
        self._at = document.modified_at
        self._place: tuple[JsonValue, ...] = ()
        self._has_prompt = False
        self._was_compacted = False
        self._sides: dict[str, Conversation] = {}
        self._side_of: Recent[str, str] = Recent(_REMEMBERED)
        self._tools: Recent[str, str] = Recent(5_000)
        self._counted: Recent[str, Mapping[str, int]] = Recent(1_000)
        self._continued: Recent[str, None] = Recent(_REMEMBERED)
        self._seen: Recent[str, None] = Recent(_REMEMBERED)
        self._summaries: Recent[str, str] = Recent(1_000)
        self._handlers: Mapping[str, Callable[[Line, Conversation], None]] = {
            "user": self._user,
            "assistant": self._assistant,
            "system": self._system,
            "attachment": self._attachment,
        }
        self._titles: Mapping[str, tuple[int, str]] = {
            "summary": (1, "summary"),
            "ai-title": (2, "aiTitle"),
            "custom-title": (3, "customTitle"),
        }

    def take_in(self, line: Line) -> None:
        """Take one line in."""
        kind = str(line.value.get("type"))
        if kind in self._handlers and string(line.value, "sessionId"):
            self._tally.known += 1
            conversation = self._conversation(line)
            self._note_place(line, conversation)
            self._handlers[kind](line, conversation)
            self._note_seen(string(line.value, "uuid"))
        elif kind in self._titles:
            self._tally.known += 1
            self._title(line.value, *self._titles[kind])
        elif kind in _ASIDE:
            self._tally.known += any(name in line.value for name in ("sessionId", "messageId", "uuid"))
        else:
            self._tally.unknown[kind[:40]] += 1

    def _title(self, value: Record, rank: int, key: str) -> None:
        title = string(value, key) or string(value, "title")
        leaf = string(value, "leafUuid")
        if title and leaf and leaf not in self._seen:
            # Summaries of other conversations of the project stand in here too; it is ours if its leaf is.
            self._summaries.keep(leaf, title)
        elif title and rank >= self._rank_of_title:
            self._rank_of_title, self._main.title = rank, title

    def _note_seen(self, uuid: str | None) -> None:
        if uuid is None:
            return
        self._seen.keep(uuid, None)
        if self._rank_of_title <= 1 and (title := self._summaries.get(uuid)):
            self._rank_of_title, self._main.title = 1, title

    def _conversation(self, line: Line) -> Conversation:
        """Find whose line it is: the session's, or a sub-agent's that stands among them."""
        value = line.value
        if value.get("isSidechain") is not True or self._document.parent_id is not None:
            return self._main
        uuid = string(value, "uuid") or f"line-{line.begin}"
        parent = self._side_of.get(string(value, "parentUuid") or "")
        side = string(value, "agentId") or parent or uuid
        self._side_of.keep(uuid, side)
        if side not in self._sides:
            self._sides[side] = Conversation(f"{self._main.id}/{side}", parent_id=self._main.id)
        return self._sides[side]

    def _note_place(self, line: Line, conversation: Conversation) -> None:
        """Read what every line carries: when, where, in which session."""
        value = line.value
        self._at = time_of(value.get("timestamp")) or self._at
        place = (conversation.id, *map(value.get, ("cwd", "gitBranch", "version", "sessionId", "forkedFrom")))
        if place == self._place:
            return
        self._place = place
        conversation.working_dir = string(value, "cwd") or conversation.working_dir
        conversation.branch = string(value, "gitBranch") or conversation.branch
        conversation.version = string(value, "version") or conversation.version
        if fork := string(record(value, "forkedFrom"), "sessionId"):
            self._note_fork(conversation, fork)
        session = string(value, "sessionId") or self._session
        if session == self._session:
            return
        self._session = session
        is_own = session == (self._document.parent_id or self._document.id)
        told = "From here on it is this session again." if is_own else f"What follows was said in session {session}."
        self._add(conversation, line, "session", told, kind="fork")
        if not is_own:
            self._note_fork(conversation, session)

    @staticmethod
    def _note_fork(conversation: Conversation, session: str) -> None:
        if session not in conversation.forked_from and len(conversation.forked_from) < 50:
            conversation.forked_from.append(session)

    def _user(self, line: Line, conversation: Conversation) -> None:
        value = line.value
        content = record(value, "message").get("content")
        blocks = content if isinstance(content, list) else [content]
        if value.get("isCompactSummary") is True:
            self._add(conversation, line, "0", text_of(content), kind="summary")
            return
        if value.get("isMeta") is True:
            self._add(conversation, line, "0", text_of(content), kind="meta")
            return
        if not any(_is_result(block) for block in blocks):
            self._note_rewind(line, conversation)
        for position, block in enumerate(blocks):
            if _is_result(block):
                self._result(line, conversation, position, as_record(block))
            else:
                self._say(line, conversation, position, "user", text_of(block))

    def _note_rewind(self, line: Line, conversation: Conversation) -> None:
        """Mark a prompt that goes back: it hangs where the conversation had gone on before, or at no line at all."""
        parent = string(line.value, "parentUuid")
        is_copy = string(line.value, "uuid") in self._seen
        if conversation is self._main and not is_copy:
            is_back = parent in self._continued if parent else self._has_prompt and not self._was_compacted
            self._has_prompt, self._was_compacted = True, False
            if is_back:
                conversation.rewinds += 1
                told = f"Rewound to {parent}: what" if parent else "Rewound to the beginning: what"
                self._add(conversation, line, "rewind", f"{told} stood after it was left behind.", kind="rewind")
        if parent:
            self._continued.keep(parent, None)

    def _result(self, line: Line, conversation: Conversation, position: int, block: Record) -> None:
        tool_id = string(block, "tool_use_id")
        self.gathered.add(
            conversation,
            entry(
                "tool",
                text_of(block.get("content")),
                key=self._key(line, position),
                at=self._at,
                kind="tool_result",
                tool_id=tool_id,
                tool_name=self._tools.get(tool_id or ""),
                is_error=block.get("is_error") is True,
            ),
        )

    def _assistant(self, line: Line, conversation: Conversation) -> None:
        message = record(line.value, "message")
        model = string(message, "model")
        if model and model != "<synthetic>" and model not in conversation.models[-1:]:
            conversation.models = [*(known for known in conversation.models if known != model), model][-20:]
        self._count(conversation, string(message, "id") or self._key(line, 0), record(message, "usage"))
        if parent := string(line.value, "parentUuid"):
            self._continued.keep(parent, None)
        is_error = True if line.value.get("isApiErrorMessage") is True else None
        content = message.get("content")
        for position, block in enumerate(content if isinstance(content, list) else [content]):
            self._block(line, conversation, position, block, is_error=is_error)

    def _block(
        self, line: Line, conversation: Conversation, position: int, block: JsonValue, *, is_error: bool | None
    ) -> None:
        value = as_record(block)
        kind = string(value, "type") or "text"
        if kind in {"tool_use", "server_tool_use", "mcp_tool_use"}:
            self._call(line, conversation, position, value)
        elif kind.endswith("_tool_result"):
            self._result(line, conversation, position, value)
        elif kind == "thinking":
            self._say(line, conversation, position, "assistant", string(value, "thinking") or "", kind="thinking")
        elif kind == "redacted_thinking":
            self._say(line, conversation, position, "assistant", "[thinking, kept encrypted]", kind="thinking")
        else:
            key = self._key(line, position)
            said = entry("assistant", text_of(block), key=key, at=self._at, is_error=is_error)
            self.gathered.add(conversation, said)

    def _call(self, line: Line, conversation: Conversation, position: int, block: Record) -> None:
        tool_id, tool_name = string(block, "id"), string(block, "name")
        if tool_id and tool_name:
            self._tools.keep(tool_id, tool_name)
        self.gathered.add(
            conversation,
            entry(
                "assistant",
                "",
                key=self._key(line, position),
                at=self._at,
                kind="tool_use",
                tool_id=tool_id,
                tool_name=tool_name,
                tool_input=block.get("input"),
            ),
        )

    def _count(self, conversation: Conversation, message_id: str, usage: Record) -> None:
        """Count the tokens of one reply once; later lines of it may know more than the first."""
        told = {ours: n for theirs, ours in _USAGE.items() if isinstance(n := usage.get(theirs), int) and n > 0}
        before = self._counted.get(message_id, {})
        grown = {name: tokens for name, tokens in told.items() if tokens > before.get(name, 0)}
        for name, tokens in grown.items():
            conversation.usage[name] = conversation.usage.get(name, 0) + tokens - before.get(name, 0)
        if grown:
            self._counted.keep(message_id, {**before, **grown})

    def _system(self, line: Line, conversation: Conversation) -> None:
        value = line.value
        subtype = string(value, "subtype") or "event"
        if subtype == "compact_boundary":
            self._was_compacted = True
            told = string(value, "content") or "Conversation compacted"
            self._add(conversation, line, "0", told, kind="compaction")
            return
        text = text_of(value.get("content"))
        if not text and (error := value.get("error") or value.get("cause")):
            text = text_of(error)
        is_error = True if subtype.endswith("error") or value.get("level") == "error" else None
        if text:
            self._add(conversation, line, "0", f"{subtype}: {text}", kind="event", is_error=is_error)

    def _attachment(self, line: Line, conversation: Conversation) -> None:
        attachment = record(line.value, "attachment")
        kind = string(attachment, "type") or "none"
        if kind == "queued_command":
            self._say(line, conversation, 0, "user", text_of(attachment.get("prompt")))
        elif kind in _FILE_ATTACHMENTS:
            name = next((text for key in ("filename", "path", "uri") if (text := string(attachment, key))), "")
            body = text_of(attachment.get("content") or attachment.get("snippet"))
            self._add(conversation, line, "0", f"{kind} {name}\n{body}".strip(), kind="attachment")

    def _say(
        self, line: Line, conversation: Conversation, position: int, role: str, text: str, *, kind: str = "text"
    ) -> None:
        speaker = "user" if role == "user" else "assistant"
        said = entry(speaker, text, key=self._key(line, position), at=self._at, kind=kind)
        self.gathered.add(conversation, said)

    def _add(
        self, conversation: Conversation, line: Line, part: str, text: str, *, kind: str, is_error: bool | None = None
    ) -> None:
        key = self._key(line, part)
        self.gathered.add(conversation, entry("system", text, key=key, at=self._at, kind=kind, is_error=is_error))

    @staticmethod
    def _key(line: Line, part: int | str) -> str:
        return f"{string(line.value, 'uuid') or f'line-{line.begin}'}:{part}"


def _is_result(block: JsonValue) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"
