"""JSON as other programs wrote it: read leniently, asked safely, made fit for an entry; nothing knows a format here."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from cerver_core.wire.transcripts import NewEntry, Role

__all__ = ["Record", "as_record", "entry", "items", "parsed", "record", "string", "text_of", "time_of"]

Record = dict[str, JsonValue]
"""A JSON object."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MAX_ID = 200
_MAX_CHARACTERS = 5_000_000
"""Longer content is cut in the middle, so that an entry stays within its limit at six bytes a character."""


def parsed(data: bytes | str) -> JsonValue:
    """Parse JSON, also where half a surrogate pair, NaN or a broken UTF-8 sequence stands in it.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError:
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        loose = json.loads(text, parse_constant=lambda _: None)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return from_json(_SURROGATE.sub("\ufffd", json.dumps(loose, ensure_ascii=False)))


def as_record(value: JsonValue) -> Record:
    """Take a value as an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def record(holder: Record, key: str) -> Record:
    """Read an object; anything else is an empty one."""
    return as_record(holder.get(key))


def items(holder: Record, key: str) -> Sequence[JsonValue]:
    """Read a list; anything else is an empty one."""
    value = holder.get(key)
    return value if isinstance(value, list) else ()


def string(holder: Record, key: str) -> str | None:
    """Read text; null for anything else, and for empty text."""
    value = holder.get(key)
    return value if isinstance(value, str) and value else None


def time_of(value: JsonValue) -> datetime | None:
    """Understand a time: RFC 3339, or seconds or milliseconds since 1970; without an offset it is UTC."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not UTC:
                moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1_000 if value > 1e11 else value, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 1970 < moment.year < 9_000 else None


def text_of(content: JsonValue) -> str:
    """Join what can be read of a message's content: text as it is, media as one line that says what was there."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join([text for part in content if (text := text_of(part))])
    if not isinstance(content, dict):
        return "" if content is None else json.dumps(content)
    for key in ("text", "content", "output", "thinking", "message"):
        if (inner := content.get(key)) is not None:
            return text_of(inner)
    return _media(content)


def _media(block: Record) -> str:
    source = record(block, "source") or record(block, "inlineData") or record(block, "inline_data") or block
    kind = string(source, "media_type") or string(source, "mimeType") or string(source, "mime_type")
    data = next((text for key in ("data", "image_url", "url", "result") if (text := string(source, key))), "")
    what = string(block, "type") or "media"
    if not kind and not data:
        return f"[{what}] {json.dumps(block, ensure_ascii=False)}"[:_MAX_CHARACTERS] if block else ""
    if data.startswith(("http://", "https://", "file://")):
        return f"[{what} {data}]"
    kind = kind or data[5:].partition(";")[0][:60] if data.startswith("data:") else kind
    return f"[{what}{f' {kind}' if kind else ''}, {len(data):,} characters of base64 left out]"


def entry(
    role: Role,
    content: str,
    *,
    key: str,
    at: datetime,
    kind: str = "text",
    tool_id: str | None = None,
    tool_name: str | None = None,
    tool_input: JsonValue = None,
    is_error: bool | None = None,
) -> NewEntry | None:
    """Make an entry of what was read, within the limits of entries; null when there is nothing to say.

    `key` names it within its conversation, the same at every reading.
    """
    if not content and kind not in _WITHOUT_CONTENT:
        return None
    said: dict[str, JsonValue | datetime] = {"role": role, "content": _cut(content), "kind": kind, "at": at}
    said["id"] = _identity(key)
    if tool_id:
        said["tool_id"] = _identity(tool_id)
    if tool_name:
        said["tool_name"] = _line(tool_name)
    if tool_input is not None:
        said["tool_input"] = _bounded(tool_input)
    if is_error is not None:
        said["is_error"] = is_error
    # What is right by its making is not validated again, which would take longer than reading the JSON it came from.
    return _BLANK.model_copy(update=said)


def _cut(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def _bounded(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _cut(value)
    data = to_json(value, inf_nan_mode="null")
    if len(data) > _MAX_CHARACTERS:
        return _cut(data.decode())
    return from_json(data) if b"null" in data else value


def _identity(text: str) -> str:
    if len(text) <= _MAX_ID and text.isprintable():
        return text
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _line(text: str) -> str:
    return (text if text.isprintable() else _CONTROL.sub(" ", text))[:_MAX_ID]


_WITHOUT_CONTENT = frozenset({"tool_use", "tool_result"})
_BLANK = NewEntry.model_construct(
    set(),
    **dict.fromkeys(("id", "at", "tool_id", "tool_name", "tool_input", "is_error")),
    role="user",
    content="",
    kind="text",
)
