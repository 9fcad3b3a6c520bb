"""What of an entry is searched, and in which part of the index it stands; reads the JSON text that a store keeps."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast, get_args

from pydantic_core import from_json

__all__ = ["PARTS", "EntryText", "Part", "read_entry"]

Part = Literal["user", "assistant", "aside", "tool"]
"""Who speaks: the user, the assistant, the side (thinking, the system), or a tool with what it got and gave."""

PARTS: tuple[Part, ...] = get_args(Part)

_TOOL_KINDS = frozenset({"tool_use", "tool_result"})


class EntryText(NamedTuple):
    """An entry as a search sees it."""

    part: Part
    text: str
    role: str
    kind: str
    at: datetime | None = None
    tool_name: str | None = None


def read_entry(body: str) -> EntryText:
    """Read an entry's JSON text; one that is no entry is searched by the text it has."""
    try:
        said = from_json(body)
    except ValueError:
        return EntryText("aside", body, "system", "text")
    if not isinstance(said, dict):
        return EntryText("aside", body, "system", "text")
    entry = cast("Mapping[str, Any]", said)
    role, kind = str(entry.get("role", "")), str(entry.get("kind", "text"))
    tool_name = entry.get("tool_name")
    pieces = [str(entry.get("content") or "")]
    if tool_name:
        pieces.append(str(tool_name))
    pieces += _leaves(entry.get("tool_input"))
    return EntryText(
        part=_part(role, kind),
        text="\n".join(filter(None, pieces)),
        role=role,
        kind=kind,
        at=_moment(entry.get("at")),
        tool_name=str(tool_name) if tool_name else None,
    )


def _part(role: str, kind: str) -> Part:
    if role == "tool" or kind in _TOOL_KINDS:
        return "tool"
    if role == "user":
        return "user"
    return "assistant" if role == "assistant" and kind != "thinking" else "aside"


def _leaves(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            for key, inner in reversed(list(cast("Mapping[str, object]", one).items())):
                if not key.startswith("$"):  # what an adapter keeps for itself
                    pending += [inner, key]
        elif isinstance(one, list):
            pending += reversed(cast("list[object]", one))
        elif one is not None:
            yield str(one)


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
