"""The gateway against its own document: what the schema allows is taken, what it forbids is refused."""

from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error  # pyright: ignore[reportUnknownVariableType]
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance  # pyright: ignore[reportUnknownVariableType]

from cerver_core.gateway.openapi import document
from cerver_core.wire.operations import OPERATIONS, TAR
from tests.gateway.roads import Running, gateway, guarded_host

_EXAMPLES = 6

_SAY_MORE_THAN_A_SCHEMA = {
    "account.billing": "a bill is for a year at most",
    "account.create_key": "origins are for publishable keys",
    "projects.create": "some names make no slug",
    "sandboxes.write_file": "content said to be base64 has to be",
    "sessions.get": "a read has one beginning, and is whole or bounded",
    "sessions.list": "a cursor is one that a list answered",
    "transcripts.digest": "times may be words, and some words are none",
    "transcripts.import": "a document is an export",
    "transcripts.search": "times may be words, and some words are none",
    "vaults.set_credentials": "names of secrets hold no character that cannot be seen",
    "vaults.create": "each kind of vault has credentials of its own",
}
"""Operations of which a valid request can be refused all the same, and why no schema could say so."""

_SUPPORT_SOME = {"vaults.set_credentials"}
"""Operations that answer 501 to some of what the schema allows: to a provider that nobody can bring."""

_RESOURCES = sorted({name.split(".")[0] for name in OPERATIONS})


@pytest.mark.parametrize("resource", _RESOURCES)
async def test_every_operation_keeps_to_its_schema(resource: str, tmp_path: Path) -> None:
    async with gateway(partial(guarded_host, tmp_path)) as running:
        await anyio.to_thread.run_sync(_try_all, resource, running)


def _try_all(resource: str, running: Running) -> None:
    schema: Any = schemathesis.openapi.from_dict(document(running.url))
    schema.config.update(base_url=running.url)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        told: dict[str, Any] = operation.definition.raw
        name: str = told["operationId"]
        if told.get("deprecated") or name.split(".", maxsplit=1)[0] != resource or OPERATIONS[name].body_media == TAR:
            continue  # archives are made by no schema
        excluded: list[Any] = [positive_data_acceptance] if name in _SAY_MORE_THAN_A_SCHEMA else []
        excluded += [not_a_server_error] if name in _SUPPORT_SOME else []
        _try(operation, running, excluded)
        tried += 1
    assert tried


def _try(operation: Any, running: Running, excluded: list[Any]) -> None:
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        phases=[Phase.generate],
    )
    @given(case=cases)
    def one(case: Any) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {running.token}"},
            excluded_checks=excluded,
            timeout=30,
        )

    one()
