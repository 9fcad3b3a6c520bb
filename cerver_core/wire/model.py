"""The base classes of wire models: how strict a request is, how lenient a reply.

A model's validator is built when it is first used: a process uses a few of them, and all together take 40 ms.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = ["CamelReply", "Name", "Reply", "Request", "UtcTime"]

UtcTime = AwareDatetime
"""An instant with an offset; written as RFC 3339."""


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


Name = Annotated[str, AfterValidator(_printable), Field(json_schema_extra={"pattern": "^[^\\u0000-\\u001f\\u007f]*$"})]
"""One line of text without control characters: names, ids, sources."""
