"""The document is OpenAPI, holds every operation, and its examples are what the models take and give."""

from typing import Any, cast

import pytest
from openapi_spec_validator import validate

from cerver_core.gateway.docs import page
from cerver_core.gateway.examples import EXAMPLES
from cerver_core.gateway.openapi import document
from cerver_core.gateway.sockets import CLOSE_CODES, STREAM_PATH
from cerver_core.wire.operations import JSON, OPERATIONS


def test_the_document_is_valid_openapi() -> None:
    validate(document("https://gateway.example"))


def test_every_operation_stands_in_it_with_a_summary_and_its_errors() -> None:
    paths = document()["paths"]
    for operation in OPERATIONS.values():
        told: dict[str, Any] = paths[operation.path][operation.method.lower()]
        assert told["operationId"] == operation.name
        assert told["summary"].endswith(".")
        assert {"400", "401", "429", "503", str(operation.status)} <= set(told["responses"])
        for alias in operation.aliases:
            assert paths[alias][operation.method.lower()]["deprecated"] is True


def test_the_error_codes_of_an_operation_are_named() -> None:
    append = document()["paths"]["/v2/sessions/{session_id}/transcript"]["post"]["responses"]
    assert "`session_not_found`" in append["404"]["description"]
    assert "`sequence_conflict`" in append["409"]["description"]


def test_what_is_said_in_headers_and_over_the_socket_is_described() -> None:
    told = document()
    run = told["paths"]["/v2/sessions/{session_id}/run/stream"]["post"]
    assert [one["name"] for one in run["parameters"]] == ["session_id", "Idempotency-Key"]
    streams = ["X-Cerver-Session-Id", "X-Cerver-Provider", "X-Cerver-Stream-Latency-Ms"]
    assert list(run["responses"]["200"]["headers"]) == streams
    made = told["paths"]["/v2/sessions"]
    assert list(made["post"]["responses"]["201"]["headers"]) == ["Idempotency-Replayed"]
    assert "Idempotency-Key" not in [one["name"] for one in made["get"]["parameters"]]
    for words in (STREAM_PATH, "If-None-Match", *(str(code) for code in CLOSE_CODES.values() if code != 1011)):
        assert words in told["info"]["description"]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_has_examples_of_the_shapes_it_takes_and_gives(name: str) -> None:
    operation, example = OPERATIONS[name], EXAMPLES.get(name)
    takes_json = operation.body is not None
    gives_json = bool(operation.reply) and operation.reply_media == JSON
    if not (takes_json or gives_json):
        return
    assert example is not None
    if takes_json and operation.body is not None:
        operation.body.model_validate(example.request)
    if gives_json:
        read = operation.reply[0].model_validate(example.reply)
        written = read.model_dump(mode="json", by_alias=True)
        is_list = not isinstance(cast("object", written), dict)  # the operator's usage is a bare list
        told, shown = cast("Any", example.reply), cast("Any", written)
        assert set(told[0] if is_list else told) <= set(shown[0] if is_list else shown)


def test_the_page_shows_every_operation_and_escapes_what_it_shows() -> None:
    shown = page()
    for operation in OPERATIONS.values():
        assert f'id="{operation.name}"' in shown
    assert "<script" not in shown
    assert "&#34;code&#34;: &#34;echo hello&#34;" in shown
