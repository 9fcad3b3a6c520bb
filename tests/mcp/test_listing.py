"""What clients are told of the tools: short, honest, and enough to find them."""

import json
from typing import Any

import pytest

from cerver_mcp.server import INSTRUCTIONS
from cerver_mcp.snapshot import SNAPSHOT

# read-only, destructive, idempotent, open world; as they count after the protocol's defaults.
HINTS = {
    "cerver_session_list": (True, False, True, False),
    "cerver_session_peek": (True, False, True, False),
    "cerver_session_export": (True, False, True, False),
    "cerver_session_create": (False, False, False, False),
    "cerver_session_append": (False, False, False, False),
    "cerver_run": (False, True, False, True),
    "cerver_spawn": (False, False, False, False),
    "cerver_session_search": (True, False, True, False),
    "cerver_session_digest": (True, False, True, False),
    "cerver_session_end": (False, True, True, False),
    "cerver_session_metrics": (True, False, True, False),
    "secret_fetch": (True, False, True, False),
}
ARGUMENTS = {
    "cerver_session_list": ["status", "limit", "cursor", "project"],
    "cerver_session_peek": ["session_id*", "last_n", "since", "around", "max_tokens", "kinds"],
    "cerver_session_search": ["query*", "since", "until", "session_id", "project", "limit", "cursor"],
    "cerver_session_digest": ["session_id", "since", "until", "project", "max_tokens"],
    "cerver_session_export": ["session_id*", "format", "cursor"],
    "cerver_session_create": [
        "session_name",
        "task",
        "session_type",
        "harness",
        "compute",
        "requirements",
        "policy",
        "metadata",
    ],
    "cerver_session_append": ["session_id*", "entries*", "expected_seq"],
    "cerver_run": ["code*", "runtime", "session_id", "timeout_s", "secrets", "cwd"],
    "cerver_spawn": ["parent_session_id*", "task*", "session_name", "target_compute_id"],
    "cerver_session_end": ["session_id*", "action*"],
    "cerver_session_metrics": ["session_id*"],
    "secret_fetch": ["name*"],
}
TEXT_TOOLS = {f"cerver_session_{name}" for name in ("list", "search", "peek", "digest", "export")}


@pytest.fixture(name="lists", params=["2025-11-25", "2026-07-28"])
def of_each_era(request: pytest.FixtureRequest) -> dict[str, Any]:
    snapshot = json.loads(SNAPSHOT.read_bytes())
    return {method: snapshot["results"][index] for method, index in snapshot["replies"][request.param].items()}


@pytest.fixture(name="tools")
def by_name(lists: dict[str, Any]) -> dict[str, Any]:
    return {tool["name"]: tool for tool in lists["tools/list"]["tools"]}


def test_the_whole_list_takes_at_most_6_kb(lists: dict[str, Any]) -> None:
    result = {key: value for key, value in lists["tools/list"].items() if key != "_meta"}
    assert len(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()) <= 6 * 1024


def test_the_instructions_name_the_workflow_in_at_most_1_kb() -> None:
    assert len(INSTRUCTIONS.encode()) <= 1024
    for tool in HINTS.keys() - {"cerver_session_metrics"}:
        assert tool in INSTRUCTIONS


def test_every_tool_takes_exactly_its_arguments(tools: dict[str, Any]) -> None:
    assert {
        name: [
            f"{argument}*" if argument in tool["inputSchema"].get("required", []) else argument
            for argument in tool["inputSchema"]["properties"]
        ]
        for name, tool in tools.items()
    } == ARGUMENTS


def test_the_hints_are_honest(tools: dict[str, Any]) -> None:
    effective: dict[str, tuple[bool, bool, bool, bool]] = {}
    for name, tool in tools.items():
        hints = tool["annotations"]
        reads = hints["readOnlyHint"]
        effective[name] = (
            reads,
            not reads and hints.get("destructiveHint", True),
            reads or hints.get("idempotentHint", False),
            hints.get("openWorldHint", True),
        )
    assert effective == HINTS


def test_schemas_are_flat_and_hold_no_noise(tools: dict[str, Any]) -> None:
    for tool in tools.values():
        text = json.dumps(tool["inputSchema"])
        for noise in ('"title"', '"default"', '"anyOf"', '"$ref"', '"$defs"', '"null"', "maxLength"):
            assert noise not in text, tool["name"]
        assert all("type" in schema for schema in tool["inputSchema"]["properties"].values())
        assert len(tool["name"]) <= 40
        assert tool["description"]


def test_an_output_schema_names_fields_or_is_left_out(tools: dict[str, Any]) -> None:
    schemas = {name: tool["outputSchema"] for name, tool in tools.items() if "outputSchema" in tool}
    assert all(schema["properties"] for schema in schemas.values())
    assert {"cerver_run", "secret_fetch"} <= schemas.keys()
    assert not schemas.keys() & TEXT_TOOLS


def test_two_tools_ask_to_be_loaded_always_and_no_more(tools: dict[str, Any]) -> None:
    loaded = {name for name, tool in tools.items() if tool.get("_meta", {}).get("anthropic/alwaysLoad")}
    assert loaded == {"cerver_session_list", "secret_fetch"}
    assert "recall" in tools["cerver_session_peek"]["_meta"]["anthropic/searchHint"]
