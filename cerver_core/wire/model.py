"""The base classes of wire models: how strict a request is, how lenient a reply.

A model's validator is built when it is first used: a process uses a few of them, and all together take 40 ms.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = ["MAX_SEQ", "CamelReply", "Json", "JsonObject", "Name", "Reply", "Request", "ToldTime", "UtcTime"]

T = TypeVar("T")


def _in_utc(value: datetime) -> datetime:
    try:
        value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is before the year 1 or after 9999 in UTC") from error
    return value


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant with an offset; written as RFC 3339."""

_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


def _as_utc(value: object) -> object:
    told = _WITHOUT_OFFSET.fullmatch(value) if isinstance(value, str) else None
    if told is None:
        return value
    return f"{value}Z" if told["time"] else f"{value}T00:00:00Z"


ToldTime = Annotated[UtcTime, BeforeValidator(_as_utc)]
"""An instant as older clients may write it: ISO 8601 without an offset is UTC, a day is its beginning."""


def _finite(value: T) -> T:
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, float) and not math.isfinite(one):
            raise ValueError("NaN and Infinity are no JSON, nor are numbers as large as 1e400")
        if isinstance(one, Mapping):
            waiting.extend(cast("Mapping[str, object]", one).values())
        elif isinstance(one, list):
            waiting.extend(cast("list[object]", one))
    return value


Json = Annotated[JsonValue, AfterValidator(_finite)]
"""Any JSON; its numbers are finite."""

JsonObject = Annotated[Mapping[str, JsonValue], AfterValidator(_finite)]
"""A JSON object; its numbers are finite."""

MAX_SEQ = 10**15
"""The largest seq that anybody may ask for; no transcript comes near it. Our choice."""


class Request(BaseModel):
    """What a caller asks: frozen, and strict about unknown fields, so that a misspelt option is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True, defer_build=True
    )


class Reply(BaseModel):
    """What Cerver answers: frozen; a reader ignores fields that a newer writer adds."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True, defer_build=True
    )


class CamelReply(Reply):
    """A reply whose names are camelCase on the wire: the session record and the list rows."""

    model_config = ConfigDict(alias_generator=to_camel)


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("control characters are not allowed here")
    return value


class _ToldInSchema:
    """Says in the JSON schema what the check refuses, unless a field has a pattern of its own."""

    def __get_pydantic_json_schema__(self, core: "CoreSchema", handler: "GetJsonSchemaHandler") -> "JsonSchemaValue":
        schema = handler(core)
        schema.setdefault("pattern", "^[^\\u0000-\\u001f\\u007f]*$")
        return schema


Name = Annotated[str, AfterValidator(_printable), _ToldInSchema()]
"""One line of text without control characters: names, ids, sources."""
