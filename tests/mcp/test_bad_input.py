"""What is wrong is told with what is allowed, repeats no value, changes nothing, and the server stays up."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import StoreUnavailable
from cerver_mcp.server import build

SECRET = "sk-live-THIS-MUST-NOT-BE-REPEATED"
ABSENT = "00000000-0000-4000-8000-000000000000"
Open = Callable[..., Any]


async def failure(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """Call a tool that must fail, and give the text the model sees."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error is True
    assert result.structured_content is None
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("cerver_session_peek", {"session_id": "one", "lastn": 5}, ["unknown argument 'lastn'", "did you mean 'last_n'?"]),
    ("cerver_session_peek", {"session_id": "one", "last_n": "7"}, ["last_n: input should be a valid integer"]),
    ("cerver_session_peek", {"session_id": "one", "last_n": 0}, ["last_n", "greater than or equal to 1"]),
    ("cerver_session_peek", {}, ["session_id is missing", "around, kinds, last_n, max_tokens, session_id, since"]),
    ("cerver_session_peek", {"session_id": "one", "since": 1, "around": 1}, ["since or around, not both"]),
    ("cerver_session_peek", {"session_id": "absent"}, ["session_not_found: ", "there are. Call cerver_session_list."]),
    ("cerver_session_peek", {"session_id": ABSENT}, ["session_not_found: "]),
    ("cerver_session_search", {"query": "*"}, ["invalid_input: ", "holds no word to look for", "give a word"]),
    ("cerver_session_search", {"query": "x", "project": "zzz"}, ["invalid_input: ", "no session has the project"]),
    ("cerver_session_export", {"session_id": ABSENT}, ["session_not_found: "]),
    ("cerver_session_metrics", {"session_id": ABSENT}, ["session_not_found: "]),
    ("cerver_session_end", {"session_id": ABSENT, "action": "pause"}, ["session_not_found: "]),
    ("cerver_spawn", {"parent_session_id": ABSENT, "task": "t"}, ["session_not_found: "]),
    ("cerver_run", {"session_id": ABSENT, "code": "true"}, ["session_not_found: "]),
    (
        "cerver_session_append",
        {"session_id": ABSENT, "entries": [{"role": "user", "content": "x"}]},
        ["session_not_found: "],
    ),
    ("cerver_session_peek", {"session_id": "on\0e"}, ["session_not_found: "]),
    ("cerver_session_peek", {"session_id": 5}, ["session_id: input should be a valid string"]),
    (
        "cerver_session_peek",
        {"session_id": "twin"},
        ["ambiguous_reference: ", "(active ", " 0 entries", "with the id of the one"],
    ),
    ("cerver_session_export", {"session_id": "one", "format": "pdf"}, ["'text', 'markdown' or 'jsonl'"]),
    ("cerver_session_export", {"session_id": "one", "cursor": "x"}, ["not one that cerver_session_export gave"]),
    ("cerver_session_list", {"status": "sleeping"}, ["invalid_input: ", "running", "idle", "ended"]),
    ("cerver_session_list", {"cursor": "bogus"}, ["invalid_input: ", "cursor"]),
    ("cerver_session_list", {"limit": 1000}, ["less than or equal to 100"]),
    ("cerver_session_create", {"session_type": "party"}, ["session_type", "'coding', 'chat', 'transcript'"]),
    ("cerver_session_create", {"session_name": "x" * 201}, ["session_name: "]),
    ("cerver_session_create", {"requirements": {"cpu": 2}}, ["unknown argument 'requirements.cpu'"]),
    ("cerver_session_create", {"compute": "comp_0000"}, ["compute_not_found: ", "Leave compute out"]),
    ("cerver_session_append", {"session_id": "one", "entries": []}, ["entries", "at least 1 item"]),
    ("cerver_session_append", {"session_id": "one", "entries": [{"role": "boss", "content": "x"}]}, ["entries.0.role"]),
    ("cerver_session_append", {"session_id": "one", "entries": [{"role": "user"}]}, ["entries.0: content is empty"]),
    (
        "cerver_session_append",
        {"session_id": "one", "entries": [{"role": "user", "content": "x"}], "expected_seq": 7},
        ["sequence_conflict: ", "ends at seq 1", "cerver_session_peek"],
    ),
    ("cerver_run", {"code": "true", "timeout_s": -5}, ["timeout_s: input should be greater than 0"]),
    ("cerver_run", {"code": "true", "timeout_s": 10**9}, ["invalid_input: ", "timeout"]),
    ("cerver_run", {"code": "true", "runtime": "perl"}, ["'shell', 'python' or 'node'"]),
    ("cerver_run", {"code": ""}, ["code", "at least 1 character"]),
    ("cerver_run", {"code": "true", "cwd": "../../etc"}, ["path_escapes_workspace: "]),
    ("cerver_run", {"code": "true", "secrets": ["ABSENT_NAME"]}, ["secret_not_found: ", "ABSENT_NAME"]),
    ("cerver_run", {"code": "true", "session_id": "one"}, ["session_state: ", "leave the session out (session_id"]),
    (
        "cerver_spawn",
        {"parent_session_id": "one", "task": "x", "target_compute_id": "none"},
        ["compute_not_found: ", "GET /v2/computes lists", "(target_compute_id in cerver_spawn)"],
    ),
    ("cerver_spawn", {"parent_session_id": "one", "task": ""}, ["task", "at least 1 character"]),
    ("cerver_session_end", {"session_id": "one", "action": "destroy"}, ["'pause', 'resume' or 'terminate'"]),
    ("secret_fetch", {"name": "CERVER_API_TOKEN"}, ["secret_reserved: "]),
    ("secret_fetch", {"name": ""}, ["secret_name_invalid: "]),
    ("secret_fetch", {"name": "absent_name"}, ["secret_not_found: ", "match exactly"]),
    ("cerver_dance", {}, ["there is no tool 'cerver_dance'", "cerver_run"]),
]


async def test_every_mistake_is_told_and_changes_nothing(client: Open) -> None:
    async with client() as opened:
        await opened.call_tool("cerver_session_create", {"session_name": "one", "task": "t", "compute": "none"})
        for _ in range(2):
            await opened.call_tool("cerver_session_create", {"session_name": "twin", "compute": "none"})
        before = await opened.call_tool("cerver_session_list", {})
        for tool, arguments, expected in CASES:
            text = await failure(opened, tool, arguments)
            for words in expected:
                assert words in text, (tool, arguments, text)
            assert "pydantic" not in text
            assert "Traceback" not in text
        after = await opened.call_tool("cerver_session_list", {"status": "idle"})
        assert [_without_age(block.text) for block in after.content] == [
            _without_age(block.text) for block in before.content
        ]


def _without_age(text: str) -> list[str]:
    return [" ".join(word for word in line.split() if not word.endswith("s")) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("cerver_session_peek", {"session_id": "one", "last_n": SECRET}),
        ("cerver_session_peek", {"session_id": "one", "value": SECRET}),
        ("cerver_session_list", {"limit": SECRET}),
        ("cerver_session_create", {"session_type": SECRET}),
        ("cerver_session_create", {"requirements": {"runtime": SECRET, "memory_mb": SECRET}}),
        ("cerver_session_create", {"policy": {"mode": SECRET}}),
        ("cerver_session_create", {"metadata": SECRET}),
        ("cerver_session_append", {"session_id": "one", "entries": SECRET}),
        ("cerver_session_append", {"session_id": "one", "entries": [{"role": SECRET, "content": "x"}]}),
        ("cerver_session_append", {"session_id": "one", "entries": [{"role": "user", "content": "x", "at": SECRET}]}),
        ("cerver_run", {"code": "true", "runtime": SECRET}),
        ("cerver_run", {"code": "true", "timeout_s": SECRET}),
        ("cerver_session_end", {"session_id": "one", "action": SECRET}),
    ],
)
async def test_a_value_in_the_wrong_place_is_not_repeated(
    client: Open, tool: str, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with client() as opened:
        assert SECRET not in await failure(opened, tool, arguments)
    assert SECRET not in caplog.text


async def test_a_gateway_that_does_not_answer_is_named_with_what_to_do(environ: dict[str, str]) -> None:
    remote = {**environ, "CERVER_API_TOKEN": SECRET, "CERVER_GATEWAY_URL": "http://127.0.0.1:9"}
    async with Client(build(partial(connect, Settings.from_environ(remote)))) as opened:
        text = await failure(opened, "cerver_session_list", {})
    assert text.startswith("gateway_unreachable: ")
    assert "Check CERVER_GATEWAY_URL and the network" in text
    assert SECRET not in text


async def test_ten_megabytes_are_kept_whole_and_shown_in_part(client: Open) -> None:
    content = "0123456789" * 1_000_000
    async with client() as opened:
        await opened.call_tool("cerver_session_create", {"session_name": "big", "compute": "none"})
        entry = {"role": "user", "content": content}
        added = await opened.call_tool("cerver_session_append", {"session_id": "big", "entries": [entry]})
        assert added.structured_content["last_seq"] == 1
        peek = (await opened.call_tool("cerver_session_peek", {"session_id": "big"})).content[0].text
        assert len(peek) <= 8_000
        assert "10,000,000" in peek
        assert "characters left out" in peek


async def test_a_crash_is_logged_and_not_told_and_the_next_call_is_served(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    troubles: list[Exception] = [StoreUnavailable("the disk is full"), RuntimeError("what only the log may hold")]

    @asynccontextmanager
    async def open_at_last() -> AsyncGenerator[Cerver]:
        if troubles:
            raise troubles.pop()
        async with connect(Settings.from_environ(environ)) as cerver:
            yield cerver

    async with Client(build(open_at_last)) as opened:
        crash = await failure(opened, "cerver_session_list", {})
        assert crash.startswith("internal_error: cerver_session_list failed")
        assert "only the log" not in crash
        assert "RuntimeError: what only the log may hold" in caplog.text
        full = await failure(opened, "cerver_session_list", {})
        assert full == "store_unavailable: the disk is full. Ask the user to run `cerver doctor`."
        assert (await opened.call_tool("cerver_session_list", {})).is_error is False
