"""The OpenAPI 3.1 document of a gateway, read from the one HTTP map; the models give the schemas."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from cerver_core import __version__
from cerver_core.errors import CerverError, InvalidInput, RateLimited, TooLarge, Unauthorized, Unavailable
from cerver_core.gateway.examples import EXAMPLES, Example
from cerver_core.gateway.idempotency import LONGEST_KEY
from cerver_core.wire.operations import JSON, OPERATIONS, Operation
from cerver_core.wire.problems import status_of

__all__ = ["document", "problem_codes"]

_REF = "#/components/schemas/{model}"
_ALWAYS: tuple[type[CerverError], ...] = (Unauthorized, RateLimited, InvalidInput, Unavailable)
_PARAMETER = re.compile(r"{(\w+)}")

_ABOUT = """Sessions that outlive models and machines: an append-only transcript, a harness, a compute.

Send `Authorization: Bearer <key>`. Errors are JSON: `{"error": text, "code": code, …}`; the code is stable.
Paths that begin with `/gateway/` and `/v2/apps` are older spellings of the same operations, kept for old clients.

A POST may carry an `Idempotency-Key`: repeated under it within a day, it is answered as the first time, with
`Idempotency-Replayed: true`, and done once. Answers of 401, 429 and 5xx free the key.

This document has an `ETag`: with `If-None-Match` it is 304 for as long as nothing changed.

`GET /v2/sessions/{session_id}/stream/ws` is a WebSocket: the transcript as it grows. The key comes as `Authorization`,
in the query's `token`, or in the first message, `{"type":"auth","token":"ck_…"}`; `since` in the query says after which
seq to begin. The gateway sends `{"type":"connected","session_id":…,"last_seq":…}`, `{"type":"entry","entry":…}` for
each entry and `{"type":"end"}`, and answers `{"type":"ping"}` with `{"type":"pong"}`. The handshake is always
accepted; close codes: 1000 the session is over, 1012 the gateway stops, 4400 a bad message or query, 4401 a bad key,
4403 not for this page, 4404 no such session, 4429 asked too often."""

_IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeated under the same key within a day, the call is done once and answered as the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
}

_REPLAYED: Mapping[str, Any] = {
    "Idempotency-Replayed": {
        "description": "`true` when the call was done before under its Idempotency-Key.",
        "schema": {"type": "string"},
    }
}

_OF_A_RUN: Mapping[str, Any] = {
    "X-Cerver-Session-Id": {"description": "The session it runs in.", "schema": {"type": "string"}},
    "X-Cerver-Provider": {"description": "The provider it runs on.", "schema": {"type": "string"}},
    "X-Cerver-Stream-Latency-Ms": {
        "description": "Milliseconds from the call to the command's start.",
        "schema": {"type": "number"},
    },
}

_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "What went wrong: a text for a person, a stable code for a program, and facts about it.",
    "required": ["error", "code"],
    "properties": {"error": {"type": "string", "minLength": 1}, "code": {"type": "string"}},
    "additionalProperties": True,
}


def document(url: str = "/") -> dict[str, Any]:
    """Make the document; `url` is where the gateway is reached."""
    schemas = _Schemas(OPERATIONS.values())
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in OPERATIONS.values():
        told = _told(operation, schemas)
        paths[operation.path][operation.method.lower()] = told
        for number, alias in enumerate(operation.aliases, start=1):
            old = {**told, "operationId": f"{operation.name}.{number}", "deprecated": True}
            paths[alias][operation.method.lower()] = {**old, "parameters": _parameters(operation, alias, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cerver", "version": __version__, "description": _ABOUT},
        "servers": [{"url": url}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(name.split(".")[0] for name in OPERATIONS)],
        "paths": dict(paths),
        "components": {
            "schemas": {**schemas.definitions, "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of the account: `ck_…` or `pk_…`."}
            },
        },
    }


class _Schemas:
    """The JSON schemas of all models of the map: requests as they are read, replies as they are written."""

    def __init__(self, operations: Any) -> None:  # noqa: ANN401 - any iterable of operations
        models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
        for operation in operations:
            for request in (operation.query, operation.body):
                if request is not None:
                    models[request, "validation"] = None
            models.update(dict.fromkeys((reply, "serialization") for reply in operation.reply))
        self._refs, found = models_json_schema(list(models), ref_template=_REF, by_alias=True)
        self.definitions: dict[str, Any] = found.get("$defs", {})

    def request(self, model: type[BaseModel]) -> dict[str, Any]:
        """Give the reference to the schema of a request."""
        return self._refs[model, "validation"]

    def reply(self, model: type[BaseModel]) -> dict[str, Any]:
        """Give the reference to the schema of a reply."""
        return self._refs[model, "serialization"]

    def chooses(self, model: type[BaseModel]) -> bool:
        """Tell whether a request must say one of several things."""
        return "anyOf" in self.definitions[self.request(model)["$ref"].rpartition("/")[2]]

    def fields(self, model: type[BaseModel]) -> tuple[Mapping[str, Any], Sequence[str]]:
        """Give the properties of a request, and the names of those that are required."""
        schema = self.definitions[self.request(model)["$ref"].rpartition("/")[2]]
        return schema.get("properties", {}), schema.get("required", ())


def _told(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    example = EXAMPLES.get(operation.name, Example())
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.name.split(".", 1)[0]],
        "summary": operation.summary,
        "parameters": _parameters(operation, operation.path, schemas),
        "responses": {str(operation.status): _success(operation, schemas, example), **_failures(operation)},
    }
    if operation.is_open:
        told["security"] = []
    elif operation.needs_no_key:
        told["security"] = [{}, {"key": []}]
    if operation.body_media is not None:
        told["requestBody"] = _request_body(operation, schemas, example)
    return told


def _parameters(operation: Operation, path: str, schemas: _Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(path)
    ]
    if operation.query is not None:
        fields, required = schemas.fields(operation.query)
        for name, schema in fields.items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    if _heeds_a_key(operation):
        found.append(dict(_IDEMPOTENCY_KEY))
    return found


def _heeds_a_key(operation: Operation) -> bool:
    return operation.method == "POST" and not (operation.is_open or operation.needs_no_key)


def _request_body(operation: Operation, schemas: _Schemas, example: Example) -> dict[str, Any]:
    media = str(operation.body_media)
    if operation.body is None:
        return {"required": True, "content": {media: {"schema": {"type": "string", "format": "binary"}}}}
    content: dict[str, Any] = {"schema": schemas.request(operation.body)}
    if example.request is not None:
        content["example"] = example.request
    is_required = schemas.chooses(operation.body) or not _takes_nothing(operation.body)
    return {"required": is_required, "content": {media: content}}


def _takes_nothing(model: type[BaseModel]) -> bool:
    try:
        model.model_validate({})
    except ValidationError:
        return False
    return True


def _success(operation: Operation, schemas: _Schemas, example: Example) -> dict[str, Any]:
    told: dict[str, Any] = {"description": operation.summary}
    if _heeds_a_key(operation):
        told["headers"] = dict(_OF_A_RUN if operation.streams else _REPLAYED)
    media = operation.reply_media
    if media is None:
        return told
    if not operation.reply:
        told["content"] = {media: {"schema": {"type": "string", "format": "binary"}}}
        return told
    if operation.streams:
        events = " | ".join(reply.__name__ for reply in operation.reply)
        told["description"] = f"{operation.summary} Server-sent events; the `data` of each is JSON: {events}."
        told["content"] = {media: {"schema": {"type": "string"}}}
        return told
    content: dict[str, Any] = {"schema": schemas.reply(operation.reply[0])}
    if example.reply is not None:
        content["example"] = example.reply
    told["content"] = {media: content}
    return told


def _failures(operation: Operation) -> dict[str, Any]:
    return {
        str(status): {
            "description": f"A problem with the code {' or '.join(f'`{name}`' for name in names)}.",
            "content": {JSON: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
        for status, names in problem_codes(operation)
    }


def problem_codes(operation: Operation) -> list[tuple[int, list[str]]]:
    """List the statuses of an operation's problems, each with its codes."""
    always = _ALWAYS if operation.body_media is None else (*_ALWAYS, TooLarge)
    codes: dict[int, list[str]] = defaultdict(list)
    for kind in dict.fromkeys((*operation.errors, *always)):
        found = codes[status_of(kind(""))]
        if kind.code not in found:
            found.append(kind.code)
    return sorted(codes.items())
