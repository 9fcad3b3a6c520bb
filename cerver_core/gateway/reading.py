"""Reads what a request brings, within its limits, and says in full what is wrong with it."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import TypeVar, get_args
from urllib.parse import parse_qsl

import anyio
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from cerver_core.errors import DeadlineExceeded, InvalidInput, TooLarge
from cerver_core.wire.model import Request

__all__ = ["BodyTooSlow", "body_bytes", "body_model", "body_pieces", "header", "invalid", "query_model"]

Model = TypeVar("Model", bound=Request)
_SHOWN = 5
_UNKNOWN = "extra_forbidden"


class BodyTooSlow(DeadlineExceeded):
    """The caller did not send the body in time: HTTP's own 408, where `DeadlineExceeded` is 504."""


def header(scope: Scope, name: bytes) -> str | None:
    """Give a header of a request; null when it is not there. Names are lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


async def body_bytes(scope: Scope, receive: Receive, *, most: int, pause_s: float, whole_s: float) -> bytes:
    """Read a body whole.

    Raises:
        TooLarge: it is over `most` bytes, or says that it will be.
        BodyTooSlow: it stood still for `pause_s`, or took longer than `whole_s`.
    """
    message: Mapping[str, object] = await _next(receive, pause_s) if _has_come(scope) else {}
    first = message.get("body", b"")
    if message and not message.get("more_body") and isinstance(first, bytes):
        _check(len(first), most)
        return first
    collected = bytearray()
    with anyio.move_on_after(whole_s):
        async for piece in body_pieces(scope, receive, most=most, pause_s=pause_s, begun=message):
            collected += piece
        return bytes(collected)
    raise BodyTooSlow(f"the body did not come whole within {whole_s:g} s")


async def body_pieces(
    scope: Scope, receive: Receive, *, most: int, pause_s: float, begun: Mapping[str, object] | None = None
) -> AsyncGenerator[bytes]:
    """Read a body piece by piece; raises as `body_bytes` does."""
    told = header(scope, b"content-length")
    if told is not None and told.isdigit():
        _check(int(told), most)
    size = 0
    message = begun or await _next(receive, pause_s)
    while True:
        piece = message.get("body", b"")
        if isinstance(piece, bytes) and piece:
            size += len(piece)
            _check(size, most)
            yield piece
        if not message.get("more_body"):
            return
        message = await _next(receive, pause_s)


def _has_come(scope: Scope) -> bool:
    told = header(scope, b"content-length")
    return told is not None and told.isdigit() and int(told) < 64 * 1024


async def _next(receive: Receive, pause_s: float) -> Mapping[str, object]:
    with anyio.move_on_after(pause_s):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message
    raise BodyTooSlow(f"the body stood still for {pause_s:g} s")


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"the body is larger than {most:,} bytes", limit_bytes=most)


def body_model(model: type[Model], content: bytes) -> Model:
    """Read a JSON body as the model; an empty body is an empty object.

    Raises:
        InvalidInput: it is not JSON, or does not fit; the fields are named, their values are not.
    """
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        raise invalid(error, model) from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None


def query_model(model: type[Model], scope: Scope) -> Model:
    """Read the query as the model; a parameter that is empty counts as left out unless it must be there.

    Raises:
        InvalidInput: a parameter is unknown or does not fit.
    """
    text = scope["query_string"]
    pairs: Iterable[tuple[str, str]] = parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ()
    fields = model.model_fields
    given = {name: value for name, value in pairs if value or (name in fields and fields[name].is_required())}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error, model) from None


def invalid(error: ValidationError, model: type[BaseModel]) -> InvalidInput:
    """Say which fields are wrong and what is allowed."""
    found = _innermost(error.errors(include_url=False, include_input=False))
    first = found[0]
    where = ".".join(map(str, first["loc"]))
    answer = InvalidInput("; ".join(_reason(one, model) for one in found[:_SHOWN]))
    if where:
        answer.detail["field"] = where
    if first["type"] == _UNKNOWN:
        answer.detail["allowed"] = _allowed(model, first["loc"][:-1])
    elif "expected" in first.get("ctx", {}):
        answer.detail["allowed"] = str(first["ctx"]["expected"])  # type: ignore[typeddict-item]
    return answer


def _innermost(found: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what is said of a list only because something in it is wrong, as that it is too short without it."""
    around = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    return [one for one in found if one["loc"] not in around]


def _reason(found: ErrorDetails, model: type[BaseModel]) -> str:
    parts = found["loc"]
    where = ".".join(map(str, parts)) or "the request"
    if found["type"] == _UNKNOWN:
        return f"{where}: there is no such field; there are: {', '.join(_allowed(model, parts[:-1])) or 'none'}"
    if found["type"] == "json_invalid":
        return f"the body is not JSON ({found['msg'].removeprefix('Invalid JSON: ')})"
    return f"{where}: {found['msg'].removeprefix('Value error, ')}"


def _allowed(model: type[BaseModel], parts: tuple[int | str, ...]) -> list[str]:
    """List the fields there are at a place within a model."""
    at: type[BaseModel] | None = model
    for part in parts:
        if at is None or not isinstance(part, str):
            continue
        info = at.model_fields.get(part)
        at = next(_models(info.annotation), None) if info is not None else None
    return [] if at is None else list(at.model_fields)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
