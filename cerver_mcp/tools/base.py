"""What a tool is: a name, arguments, hints, and a coroutine over the contract; leaves the wire to others."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from mcp.types import Tool as SdkTool
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from cerver_core.api import Cerver
from cerver_core.redaction import KnownSecrets
from cerver_mcp.opener import Opener

__all__ = ["Args", "Call", "Outcome", "Record", "SessionRef", "Tool", "hints", "record_schema"]

Record: TypeAlias = dict[str, JsonValue]
"""What a record tool answers: facts by name."""

Outcome: TypeAlias = Record | str | Sequence[str]
"""What a tool answers: a record, a text, or a few texts that stand one after the other."""

Progress: TypeAlias = Callable[[float, str], Awaitable[None]]


class Args(BaseModel):
    """The arguments of a tool: an unknown one is an error, nothing is coerced, and no error repeats a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True)


SessionRef = Annotated[str, Field(min_length=1, max_length=200)]
"""An id, a unique prefix of one, or a name. The instructions say so, once for all tools: the list is to stay short."""

_FULL_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

A = TypeVar("A", bound=Args)


@dataclass(frozen=True, slots=True)
class Call:
    """What a tool works with: Cerver, opened on first use; the secrets this process has handed out; progress.

    `progress` is null when the client did not ask for any.
    """

    opener: Opener
    known: KnownSecrets
    progress: Progress | None = None

    async def cerver(self) -> Cerver:
        """Give the caller's Cerver."""
        return await self.opener.cerver()

    async def session(self, reference: str) -> str:
        """Give the full id of the session a caller means. A full id is taken as it is: its next use checks it.

        Raises:
            SessionNotFound, AmbiguousReference: none fits, or several do.
        """
        if _FULL_ID.fullmatch(reference):
            return reference
        return await (await self.cerver()).sessions.resolve(reference)


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """One tool. `output` is the schema of its record, listed if it says anything; a tool that answers text has none.

    Clients that show a model the names of tools alone find this one by the words of `search_hint`, or are asked with
    `always_load` to show it whole.
    """

    name: str
    about: str
    args: type[A]
    run: Callable[[Call, A], Awaitable[Outcome]]
    annotations: ToolAnnotations
    output: Mapping[str, Any] | None = None
    search_hint: str = ""
    always_load: bool = False

    def listed(self) -> SdkTool:
        """Give the tool as clients see it."""
        meta: dict[str, Any] = {}
        if self.always_load:
            meta["anthropic/alwaysLoad"] = True
        if self.search_hint:
            meta["anthropic/searchHint"] = self.search_hint
        return SdkTool(
            name=self.name,
            description=self.about,
            input_schema=_input_schema(self.args),
            output_schema=dict(self.output) if self.output and self.output.get("properties") else None,
            annotations=self.annotations,
            _meta=meta or None,
        )


def hints(
    *, reads: bool = False, destroys: bool = False, repeatable: bool = False, open_world: bool = False
) -> ToolAnnotations:
    """Write the annotations. What the protocol's defaults say already is left out, to keep the list short.

    The defaults are: not read-only, destructive, not idempotent, open world; the second and third mean nothing on a
    tool that only reads. Clients look for the first two by name, so those are written wherever they mean something.
    """
    return ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=None if reads else destroys,
        idempotent_hint=True if repeatable and not reads else None,
        open_world_hint=None if open_world else False,
    )


def record_schema(**kinds: str) -> Mapping[str, Any]:
    """Write the schema of a record: the JSON types of what a program would look for. There may be more in it."""
    properties = {name: {"type": kind} for name, kind in kinds.items()}
    return {"type": "object", "properties": properties} if kinds else {"type": "object"}


def _input_schema(args: type[Args]) -> dict[str, Any]:
    schema = args.model_json_schema()
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    plain: dict[str, Any] = {"type": "object", "properties": {name: _flat(one) for name, one in properties.items()}}
    if required := schema.get("required"):
        plain["required"] = required
    return plain


def _flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Write a property without what clients strip or stumble over: titles, null as a type, bounds, null defaults."""
    options: Sequence[Mapping[str, Any]] = schema.get("anyOf", ())
    real = [option for option in options if option.get("type") != "null"]
    merged = {**(real[0] if len(real) == 1 else {}), **schema}
    if len(real) != len(options) or len(real) == 1:
        merged.pop("anyOf", None)
    return {key: value for key, value in merged.items() if key not in _STRIPPED}


_STRIPPED = frozenset(
    {"title", "default", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems"}
)
