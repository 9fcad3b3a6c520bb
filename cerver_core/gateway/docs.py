"""The documentation page: the OpenAPI document as something to read, rendered on the server, with no script."""

import inspect
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cerver_core.gateway.examples import EXAMPLES, Example
from cerver_core.gateway.openapi import document, problem_codes
from cerver_core.wire.operations import OPERATIONS, Operation

__all__ = ["page"]

_TYPE_WORDS = 60


def page(url: str = "/") -> str:
    """Render the page."""
    environment = Environment(
        loader=PackageLoader("cerver_core.gateway"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    told = document(url)
    groups = [
        {"name": name, "operations": [_shown(operation, told) for operation in operations]}
        for name, operations in groupby(OPERATIONS.values(), key=lambda operation: operation.name.split(".")[0])
    ]
    return environment.get_template("docs.html").render(document=told, groups=groups)


def _shown(operation: Operation, told: Mapping[str, Any]) -> dict[str, Any]:
    example = EXAMPLES.get(operation.name, Example())
    return {
        "id": operation.name,
        "summary": operation.summary,
        "method": operation.method,
        "path": operation.path,
        "aliases": operation.aliases,
        "about": _about(operation),
        "fields": list(_fields(operation, told)),
        "request": _pretty(example.request),
        "reply": _pretty(example.reply),
        "status": operation.status,
        "problems": [(status, ", ".join(codes)) for status, codes in problem_codes(operation)],
    }


def _about(operation: Operation) -> str:
    models = [model for model in (operation.query, operation.body) if model is not None]
    return " ".join(inspect.cleandoc(model.__doc__ or "").replace("`", "") for model in models)


def _fields(operation: Operation, told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    spoken = told["paths"][operation.path][operation.method.lower()]
    for parameter in spoken["parameters"]:
        yield {
            "name": parameter["name"],
            "where": parameter["in"],
            "required": parameter["required"],
            "type": _type(parameter["schema"]),
        }
    for media in spoken.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        schema = told["components"]["schemas"].get(name, {})
        for field, value in schema.get("properties", {}).items():
            required = field in schema.get("required", ())
            yield {"name": field, "where": "body", "required": required, "type": _type(value)}


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [
        f"{sign} {schema[name]}"
        for name, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("maxLength", "length ≤"))
        if name in schema
    ]
    return f"{kind} {', '.join(bounds)}".strip()[:_TYPE_WORDS]


def _pretty(example: object) -> str:
    return "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
