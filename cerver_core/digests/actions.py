"""Reads what a call of a tool did from its name and its input: which files it wrote, which command it ran."""

import json
import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from cerver_core.wire.transcripts import Entry

__all__ = ["Change", "changes_of", "command_of", "failed", "outcome_of", "still_open"]

Change = tuple[str, str]
"""A path and how it was written: `created`, `changed` or `deleted`."""

_PATHS = ("file_path", "path", "filePath", "absolute_path", "notebook_path", "target_file", "filename")
_CREATES = frozenset({"write", "write_file", "create", "create_file", "createfile", "save_file"})
_CHANGES = frozenset(
    {"edit", "multiedit", "notebookedit", "replace", "edit_file", "search_replace", "str_replace", "insert", "patch"}
)
_EDITORS = frozenset({"str_replace_based_edit_tool", "str_replace_editor", "text_editor"})
_EDITS: Mapping[str, str] = {"create": "created", "str_replace": "changed", "insert": "changed"}
_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$", re.MULTILINE)
_PATCHES: Mapping[str, str] = {"Add": "created", "Update": "changed", "Delete": "deleted"}

_COMMANDS = ("command", "cmd", "code", "script")
_TODO_TOOLS = frozenset({"todowrite", "update_plan", "todo_write", "write_todos"})

_EXIT = re.compile(r"\A(?:exit (\d+)|timed out) after ")
_TELLING = re.compile(
    r"\b(?:error|fail(?:ed|ure|s)?|exception|traceback|denied|not found|no such|refused|panic|fatal|cannot|unable)\b",
    re.IGNORECASE,
)
_MOST_LINES = 400


def changes_of(entry: Entry) -> Sequence[Change]:
    """List the files that a call writes if it goes well."""
    given = entry.tool_input
    patch = given if isinstance(given, str) else _patch(given)
    if "*** Begin Patch" in patch:
        return [(path.strip(), _PATCHES[how]) for how, path in _PATCHED.findall(patch)]
    if not isinstance(given, dict):
        return []
    how = _how(_plain(entry.tool_name), given)
    path = next((value for name in _PATHS if isinstance(value := given.get(name), str) and value), None)
    return [(path, how)] if how and path else []


def command_of(entry: Entry) -> str:
    """Write what a call asked for in one text: its command, else its input."""
    given = entry.tool_input
    if isinstance(given, dict):
        asked = next((given[name] for name in (*_COMMANDS, *_PATHS) if given.get(name)), None)
        given = {name: value for name, value in given.items() if name[:1] != "$"} if asked is None else asked
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        return " ".join(map(str, given))
    return given if isinstance(given, str) else "" if given is None else json.dumps(given, ensure_ascii=False)


def failed(entry: Entry) -> bool:
    """Tell whether a result is one of failure: it says so, or its exit code does."""
    if entry.is_error is not None:
        return entry.is_error
    ended = _EXIT.match(entry.content)
    return ended is not None and ended[1] != "0"


def outcome_of(content: str) -> str:
    """Choose the line that tells most of a failed result: that it timed out, the last of an error, else the last."""
    ended = _EXIT.match(content)
    if ended is not None and ended[1] is None:
        return content.partition("\n")[0].strip()
    lines = [line.strip() for line in content.splitlines()[-_MOST_LINES:] if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or [""])[-1]


def still_open(entry: Entry) -> Sequence[str] | None:
    """List what is still to do by a call that writes down a plan; null for any other call."""
    if _plain(entry.tool_name) not in _TODO_TOOLS or not isinstance(entry.tool_input, dict):
        return None
    items = entry.tool_input.get("todos") or entry.tool_input.get("plan")
    if not isinstance(items, list):
        return None
    return [
        text
        for item in items
        if isinstance(item, dict) and item.get("status") not in {"completed", "done", "cancelled"}
        if isinstance(text := item.get("content") or item.get("step") or item.get("description"), str)
    ]


def _patch(given: JsonValue) -> str:
    if not isinstance(given, dict):
        return ""
    parts = [given.get(name) for name in ("input", "patch", *_COMMANDS)]
    words = [part if isinstance(part, list) else [part] for part in parts]
    return "\n".join(word for group in words for word in group if isinstance(word, str))


def _how(tool: str, given: Mapping[str, JsonValue]) -> str:
    if tool in _CREATES:
        return "created"
    if tool in _CHANGES:
        return "changed"
    command = given.get("command")
    return _EDITS.get(command, "") if tool in _EDITORS and isinstance(command, str) else ""


def _plain(tool_name: str | None) -> str:
    """Write a tool's name without the server that it belongs to."""
    return (tool_name or "").rpartition("__")[2].lower()
