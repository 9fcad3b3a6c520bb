import subprocess
import sys
from collections import Counter

import pytest

from cerver_core.api import (
    Account,
    Admin,
    Computes,
    Files,
    Projects,
    RoutingAdvice,
    Sessions,
    Transcripts,
    Vaults,
)
from cerver_core.testing.gateway_answers import ANSWERS
from cerver_core.wire.operations import EVENTS, OPERATIONS

ELSEWHERE = {
    "sessions.resolve": "sessions.list",
    "transcripts.read": "sessions.get",
    "transcripts.import_jsonl": "transcripts.import",
}
"""Methods of the contract that are asked through an operation of another name."""


@pytest.mark.parametrize(
    ("resource", "protocol"),
    [
        ("sessions", Sessions),
        ("transcripts", Transcripts),
        ("computes", Computes),
        ("files", Files),
        ("routing", RoutingAdvice),
        ("account", Account),
        ("admin", Admin),
        ("projects", Projects),
        ("vaults", Vaults),
    ],
)
def test_every_method_of_the_contract_has_its_operation(resource: str, protocol: type) -> None:
    methods = {f"{resource}.{name}" for name in vars(protocol) if not name.startswith("_")}
    assert {name for name in methods if ELSEWHERE.get(name, name) not in OPERATIONS} == set()


def test_no_two_operations_answer_the_same_request() -> None:
    requests = Counter(
        (operation.method, path) for operation in OPERATIONS.values() for path in (operation.path, *operation.aliases)
    )
    assert {request for request, count in requests.items() if count > 1} == set()


def test_the_map_is_consistent_in_itself() -> None:
    for name, operation in OPERATIONS.items():
        assert operation.name == name
        assert operation.body is None or operation.body_media == "application/json", name
        assert operation.method not in {"GET", "DELETE"} or operation.body_media is None, name
        assert len(operation.reply) <= 1 or operation.reply_media == EVENTS, name
        assert (operation.status == 204) == (operation.reply_media is None), name


def test_the_stand_in_answers_no_operation_that_is_not_there() -> None:
    assert set(ANSWERS) - set(OPERATIONS) == set()


def test_importing_the_client_does_not_load_the_http_library() -> None:
    code = "import sys, cerver_core.client; print('httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
