"""The records of a Gemini chat, one after the other: messages, told again when they grow, and what changes them."""

from collections.abc import Mapping
from hashlib import blake2b

from pydantic import JsonValue

from cerver_core.importers.base import Conversation, Document, Tally
from cerver_core.importers.lines import Gathered, Recent
from cerver_core.importers.values import Record, as_record, entry, items, record, string, text_of, time_of
from cerver_core.wire.transcripts import NewEntry

__all__ = ["GeminiRecords"]

_REMEMBERED = 50_000
_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cached": "cache_read_tokens",
    "thoughts": "reasoning_tokens",
}


class GeminiRecords:
    """Takes records in, in order; entries wait in `gathered`.

    A message is written again whenever it grows: what of it was taken in is not taken again, and what became another
    text is taken in beside the first, so that nothing is lost. A rewind is a mark; what it drops stays.
    """

    def __init__(self, document: Document, tally: Tally, working_dir: str | None = None) -> None:
        self.gathered = Gathered()
        self._tally = tally
        self._main = Conversation(document.id, parent_id=document.parent_id, working_dir=working_dir)
        self._at = document.modified_at
        self._told: Recent[str, int] = Recent(_REMEMBERED)
        self._counted: Recent[str, Mapping[str, int]] = Recent(1_000)

    def take_in(self, value: Record, number: int) -> None:
        """Take one record in: a message, what is known of the chat, or a change of either."""
        kind = string(value, "type")
        if kind in {"user", "gemini", "model", "info", "warning", "error"} and (
            "content" in value or "toolCalls" in value
        ):
            self._tally.known += 1
            self._message(value, kind, string(value, "id") or f"record-{number}")
        elif string(value, "sessionId"):
            self._tally.known += 1
            self._about(value)
        elif "$set" in value:
            self._tally.known += 1
            self._set(record(value, "$set"), number)
        elif target := string(value, "$rewindTo"):
            self._tally.known += 1
            self._main.rewinds += 1
            told = f"Rewound to before message {target}: what stands from there on was left behind."
            self._add(
                f"rewind-{number}",
                "rewind",
                entry("system", told, key=f"rewind:{target}:{number}", at=self._at, kind="rewind"),
            )
        else:
            self._tally.unknown[(kind or "none")[:40]] += 1

    def _about(self, value: Record) -> None:
        self._at = time_of(value.get("startTime")) or self._at
        self._main.title = string(value, "summary") or self._main.title

    def _set(self, value: Record, number: int) -> None:
        self._main.title = string(value, "summary") or self._main.title
        for position, message in enumerate(items(value, "messages")):
            held = as_record(message)
            if kind := string(held, "type"):
                self._message(held, kind, string(held, "id") or f"record-{number}-{position}")

    def _message(self, value: Record, kind: str, identity: str) -> None:
        self._at = time_of(value.get("timestamp")) or self._at
        if kind in {"info", "warning", "error"}:
            is_error = True if kind == "error" else None
            text = text_of(value.get("content"))
            self._part(identity, "event", "system", text, kind="event", is_error=is_error)
            return
        if kind == "user":
            self._part(identity, "text", "user", text_of(value.get("content")))
            return
        if (model := string(value, "model")) and model not in self._main.models[-1:]:
            self._main.models = [*(known for known in self._main.models if known != model), model][-20:]
        for position, thought in enumerate(items(value, "thoughts")):
            told = as_record(thought)
            parts = (string(told, "subject"), string(told, "description") or string(told, "text"))
            self._part(identity, f"thought-{position}", "assistant", "\n".join(filter(None, parts)), kind="thinking")
        self._part(identity, "text", "assistant", text_of(value.get("content")))
        for position, call in enumerate(items(value, "toolCalls")):
            self._call(identity, as_record(call), position)
        self._count(identity, record(value, "tokens"))

    def _call(self, identity: str, call: Record, position: int) -> None:
        tool_id = string(call, "id") or f"{identity}-{position}"
        tool_name = string(call, "name")
        at = time_of(call.get("timestamp")) or self._at
        asked = entry(
            *("assistant", ""),
            key=f"{identity}:{tool_id}:use",
            at=at,
            kind="tool_use",
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=call.get("args"),
        )
        self._add(f"{identity}:{tool_id}:use", repr(call.get("args")), asked)
        status = string(call, "status")
        if status not in {"success", "error", "cancelled"} and call.get("result") is None:
            return
        text = _answer(call.get("result")) or text_of(call.get("resultDisplay"))
        answered = entry(
            *("tool", text),
            key=f"{identity}:{tool_id}:result",
            at=at,
            kind="tool_result",
            tool_id=tool_id,
            tool_name=tool_name,
            is_error=status in {"error", "cancelled"},
        )
        self._add(f"{identity}:{tool_id}:result", text, answered)

    def _part(
        self, identity: str, part: str, role: str, text: str, *, kind: str = "text", is_error: bool | None = None
    ) -> None:
        key = f"{identity}:{part}"
        speaker = "user" if role == "user" else "system" if role == "system" else "assistant"
        self._add(key, text, entry(speaker, text, key=key, at=self._at, kind=kind, is_error=is_error))

    def _add(self, key: str, content: str, new: NewEntry | None) -> None:
        """Take an entry in unless the same was; another text under the same name goes by a name of its own."""
        if new is None:
            return
        seen, before = hash(content), self._told.get(key)
        if before is not None and before != seen:
            digest = blake2b(content.encode(), digest_size=8).hexdigest()
            key, new = f"{key}~{digest}", new.model_copy(update={"id": f"{new.id}~{digest}"[-200:]})
            before = self._told.get(key)
        if before is None:
            self._told.keep(key, seen)
            self.gathered.add(self._main, new)

    def _count(self, identity: str, tokens: Record) -> None:
        now = {ours: n for theirs, ours in _TOKENS.items() if isinstance(n := tokens.get(theirs), int) and n > 0}
        before = self._counted.get(identity, {})
        for name, count in now.items():
            self._main.usage[name] = self._main.usage.get(name, 0) + count - before.get(name, 0)
        self._counted.keep(identity, {**before, **now})


def _answer(result: JsonValue) -> str:
    """Read what a tool gave back: parts that wrap an answer, or text."""
    if isinstance(result, list):
        return "\n".join(text for part in result if (text := _answer(part)))
    response = record(as_record(result), "functionResponse").get("response")
    if response is None:
        return text_of(result)
    told = as_record(response)
    return text_of(told.get("output") or told.get("error") or response)
