"""The lines of a Codex rollout, one after the other, in each of the forms that its versions wrote."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from cerver_core.importers.base import Conversation, Document, Tally
from cerver_core.importers.lines import Gathered, Line, Recent
from cerver_core.importers.values import Record, as_record, entry, items, parsed, record, string, text_of, time_of
from cerver_core.wire.transcripts import Role

__all__ = ["CodexLines", "parent_of"]

_INJECTED = re.compile(
    r"\s*(?:<(?:environment_context|user_instructions|permissions|skill|INSTRUCTIONS)\b|# AGENTS\.md)"
)
"""How text begins that Codex put before the model in the user's name."""

_EXIT_CODE = re.compile(r"^(?:Exit code|Process exited with code):? (-?\d+)", re.MULTILINE)
_HEAD = 400
_ASIDE = frozenset({"ghost_snapshot", "additional_tools", "compaction", "other"})
_USAGE = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_tokens",
    "output_tokens": "output_tokens",
    "reasoning_output_tokens": "reasoning_tokens",
}


class CodexLines:
    """Takes the lines of one rollout in, in order; entries wait in `gathered`.

    The same words stand in a rollout as `response_item` and again as `event_msg`: the first are taken, and of the
    second only what nothing else tells (token counts, rollbacks, aborted turns, errors).
    """

    def __init__(self, document: Document, tally: Tally) -> None:
        self.gathered = Gathered()
        self._tally = tally
        self._main = Conversation(document.id, parent_id=document.parent_id)
        self._at = document.modified_at
        self._has_meta = False
        self._tools: Recent[str, str] = Recent(5_000)

    def take_in(self, line: Line) -> None:
        """Take one line in, wrapped in `payload` as newer versions write it, or bare."""
        value = line.value
        self._at = time_of(value.get("timestamp")) or self._at
        payload = as_record(value.get("payload"))
        kind = string(value, "type")
        if payload and kind:
            self._wrapped(line, kind, payload)
        elif kind is not None and (kind in _ITEMS or kind.endswith(("_call", "_output"))):
            self._tally.known += 1
            self._item(line, value)
        elif kind is None and string(value, "id") and "timestamp" in value:
            self._tally.known += 1
            self._meta(line, value)
        elif value.get("record_type") != "state":
            self._tally.unknown[(kind or "none")[:40]] += 1

    def _wrapped(self, line: Line, kind: str, payload: Record) -> None:
        self._tally.known += 1
        if kind == "response_item":
            self._item(line, payload)
        elif kind == "event_msg":
            self._event(line, payload)
        elif kind == "session_meta":
            self._meta(line, payload)
        elif kind == "turn_context":
            self._turn(payload)
        elif kind == "compacted":
            told = string(payload, "message") or "The conversation was compacted."
            self._add(line, "system", told, kind="summary" if "message" in payload else "compaction")
        elif kind == "token_usage_record":
            self._usage(record(payload, "thread_token_usage"))
        elif kind != "world_state":
            self._tally.known -= 1
            self._tally.unknown[kind[:40]] += 1

    def _meta(self, line: Line, meta: Record) -> None:
        """Read what the first line says; a second one of another id begins what was copied from there."""
        identity = string(meta, "id")
        if self._has_meta:
            if identity and identity != self._main.id:
                self._fork(line, identity)
            return
        self._has_meta = True
        self._main.working_dir = string(meta, "cwd") or self._main.working_dir
        self._main.version = string(meta, "cli_version") or self._main.version
        self._main.branch = string(record(meta, "git"), "branch") or self._main.branch
        self._main.title = string(meta, "agent_nickname") or self._main.title
        if fork := string(meta, "forked_from_id"):
            self._fork(line, fork)

    def _fork(self, line: Line, origin: str) -> None:
        if origin in self._main.forked_from:
            return
        self._main.forked_from.append(origin)
        self._add(line, "system", f"Forked from session {origin}: its beginning is a copy.", kind="fork")

    def _turn(self, payload: Record) -> None:
        self._main.working_dir = string(payload, "cwd") or self._main.working_dir
        model = string(payload, "model")
        if model and model not in self._main.models[-1:]:
            self._main.models = [*(known for known in self._main.models if known != model), model][-20:]

    def _item(self, line: Line, item: Record) -> None:
        kind = string(item, "type") or "none"
        if kind == "message":
            self._message(line, item)
        elif kind == "reasoning":
            parts = [text_of(part) for key in ("summary", "content") for part in items(item, key)]
            self._add(line, "assistant", "\n\n".join(filter(None, parts)), kind="thinking")
        elif kind == "agent_message":
            self._add(line, "assistant", text_of(item.get("content") or item.get("message")))
        elif kind.endswith("_output"):
            self._result(line, item)
        elif kind.endswith("_call"):
            self._call(line, item, kind)
        elif kind not in _ASIDE:
            self._tally.unknown[f"response_item {kind[:40]}"] += 1

    def _message(self, line: Line, item: Record) -> None:
        role, text = string(item, "role"), text_of(item.get("content"))
        if role == "assistant":
            self._add(line, "assistant", text)
        elif role == "user" and not _INJECTED.match(text):
            self._add(line, "user", text)

    def _call(self, line: Line, item: Record, kind: str) -> None:
        tool_id = string(item, "call_id") or string(item, "id")
        name = string(item, "name") or kind.removesuffix("_call")
        if namespace := string(item, "namespace"):
            name = f"{namespace}.{name}"
        if tool_id:
            self._tools.keep(tool_id, name)
        asked = next((item[key] for key in ("arguments", "input", "action", "result") if key in item), None)
        shown = text_of({"type": kind, "result": asked}) if kind == "image_generation_call" else _unpacked(asked)
        self._add(line, "assistant", "", kind="tool_use", tool_id=tool_id, tool_name=name, tool_input=shown)

    def _result(self, line: Line, item: Record) -> None:
        tool_id = string(item, "call_id")
        text, is_error = _outcome(item.get("output") if "output" in item else item.get("tools"))
        tool_name = self._tools.get(tool_id or "")
        self._add(line, "tool", text, kind="tool_result", tool_id=tool_id, tool_name=tool_name, is_error=is_error)

    def _event(self, line: Line, payload: Record) -> None:
        kind = string(payload, "type")
        if kind == "token_count":
            self._usage(record(record(payload, "info"), "total_token_usage"))
        elif kind == "thread_rolled_back":
            self._main.rewinds += 1
            turns = payload.get("num_turns")
            told = f"The last {turns} turns" if isinstance(turns, int) else "The last turns"
            self._add(line, "system", f"{told} before this were rolled back.", kind="rewind")
        elif kind == "turn_aborted":
            self._add(line, "system", f"Turn aborted: {string(payload, 'reason') or 'no reason told'}", kind="event")
        elif kind in {"error", "stream_error"}:
            self._add(line, "system", text_of(payload.get("message")), kind="event", is_error=True)
        elif kind == "thread_name_updated":
            self._main.title = string(payload, "thread_name") or self._main.title

    def _usage(self, total: Record) -> None:
        """Take the running total of the thread; it only grows."""
        for theirs, ours in _USAGE.items():
            tokens = total.get(theirs)
            if isinstance(tokens, int) and tokens > self._main.usage.get(ours, 0):
                self._main.usage[ours] = tokens

    def _add(
        self,
        line: Line,
        role: Role,
        text: str,
        *,
        kind: str = "text",
        tool_id: str | None = None,
        tool_name: str | None = None,
        tool_input: JsonValue = None,
        is_error: bool | None = None,
    ) -> None:
        # Lines carry no ids, and are never rewritten: where one stands is its name.
        made = entry(
            role,
            text,
            key=f"byte-{line.begin}:{kind}",
            at=self._at,
            kind=kind,
            tool_id=tool_id,
            tool_name=tool_name,
            tool_input=tool_input,
            is_error=is_error,
        )
        self.gathered.add(self._main, made)


def parent_of(meta: Record) -> str | None:
    """Tell which conversation started this one as a sub-agent; null for one that a person started."""
    spawn = record(record(record(meta, "source"), "subagent"), "thread_spawn")
    return string(spawn, "parent_thread_id") or string(meta, "parent_thread_id")


def _unpacked(asked: JsonValue) -> JsonValue:
    """Read arguments that stand as JSON text; other text stays text."""
    if not isinstance(asked, str) or not asked.lstrip().startswith(("{", "[")):
        return asked
    try:
        return parsed(asked)
    except ValueError:
        return asked


def _outcome(output: JsonValue) -> tuple[str, bool]:
    """Read what a tool gave back, and whether it failed: versions told it in four ways."""
    if isinstance(output, str) and output.startswith('{"output"'):
        output = _unpacked(output)
    about: Mapping[str, JsonValue] = as_record(output)
    text = text_of(output)
    told = as_record(about.get("metadata")).get("exit_code")
    if isinstance(told, int):
        return text, told != 0
    if about.get("success") is False:
        return text, True
    head = text[:_HEAD]
    found = _EXIT_CODE.search(head) if " code" in head else None
    return text, found is not None and found.group(1) != "0"


_ITEMS = frozenset({"message", "reasoning"})
