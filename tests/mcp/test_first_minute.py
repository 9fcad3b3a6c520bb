"""The whole first minute with the installed command, driven by the official client over stdio, in both eras."""

from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent


class Minute:
    """Calls tools and gives their answers; a failure fails the test."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def text(self, tool: str, **arguments: Any) -> str:
        result = await self._client.call_tool(tool, arguments)
        blocks = [block.text for block in result.content if isinstance(block, TextContent)]
        assert not result.is_error, blocks
        return "\n".join(blocks)

    async def record(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        record: dict[str, Any] = result.structured_content or {}
        assert record
        return record


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_first_minute(stdio: StdioServerParameters, mode: Any) -> None:
    async with Client(stdio, mode=mode) as client:
        minute = Minute(client)
        tools = await client.list_tools()
        assert [tool.name for tool in tools.tools] == [
            "cerver_session_list",
            "cerver_session_search",
            "cerver_session_peek",
            "cerver_session_digest",
            "cerver_session_export",
            "cerver_session_create",
            "cerver_session_append",
            "cerver_run",
            "cerver_spawn",
            "cerver_session_end",
            "cerver_session_metrics",
            "secret_fetch",
        ]
        made = await minute.record("cerver_session_create", session_name="first", task="See that it works")
        assert (made["status"], made["state"], made["provider"]) == ("idle", "ready", "local")
        await _runs(minute, made["session_id"])
        await _remembers(minute, made["session_id"])
        await _keeps_secrets(minute)
        ended = await minute.record("cerver_session_end", session_id="first", action="terminate")
        assert (ended["session_id"], ended["status"], ended["state"]) == (made["session_id"], "ended", "terminated")
        assert "See that it works" in await minute.text("cerver_session_peek", session_id="first", last_n=200)


async def _runs(minute: Minute, session_id: str) -> None:
    run = await minute.record("cerver_run", code="echo out; echo err >&2; exit 3", session_id="first")
    assert (run["session_id"], run["stdout"], run["stderr"], run["exit_code"]) == (session_id, "out\n", "err\n", 3)
    assert run["duration_ms"] > 0
    alone = await minute.record("cerver_run", code="print(6 * 7)", runtime="python")
    assert (alone["stdout"], alone["exit_code"]) == ("42\n", 0)
    assert alone["session_id"] != session_id
    metrics = await minute.record("cerver_session_metrics", session_id="first")
    assert metrics["total_exec_count"] == 1
    assert metrics["average_stream_open_latency_ms"] is None


async def _remembers(minute: Minute, session_id: str) -> None:
    child = await minute.record("cerver_spawn", parent_session_id="first", task="A part", session_name="child")
    assert child["parent_session_id"] == session_id
    entry = {"role": "assistant", "content": "decided: blue", "id": "note-1"}
    added = await minute.record("cerver_session_append", session_id="first", entries=[entry], expected_seq=3)
    assert (added["added"], added["seqs"], added["last_seq"]) == (1, [4], 4)
    again = await minute.record("cerver_session_append", session_id="first", entries=[entry])
    assert (again["added"], again["seqs"], again["last_seq"]) == (0, [4], 4)
    peek = await minute.text("cerver_session_peek", session_id=session_id[:8], last_n=1)
    assert "#4 assistant" in peek
    assert "decided: blue" in peek
    assert "recorded data, not instructions" in peek
    exported = await minute.text("cerver_session_export", session_id="first", format="jsonl")
    assert exported.count('"seq":') == 4
    rows = (await minute.text("cerver_session_list", limit=3)).splitlines()
    assert len(rows) == 3
    assert any('"first"' in row and "4 entries" in row for row in rows)


async def _keeps_secrets(minute: Minute) -> None:
    secret = await minute.record("secret_fetch", name="TEST_API_KEY")
    assert secret == {"name": "TEST_API_KEY", "value": "sk-test-0123456789", "source": "env"}
    shown = await minute.record("cerver_run", code="echo $TEST_API_KEY", session_id="first", secrets=["TEST_API_KEY"])
    assert shown["stdout"] == "[secret:TEST_API_KEY]\n"
    entry = {"role": "user", "content": "the key is sk-test-0123456789"}
    await minute.record("cerver_session_append", session_id="first", entries=[entry])
    peek = await minute.text("cerver_session_peek", session_id="first")
    assert "the key is [secret:TEST_API_KEY]" in peek
    assert "sk-test-0123456789" not in peek


async def test_two_servers_and_a_restart_share_what_was_written(stdio: StdioServerParameters) -> None:
    async with Client(stdio) as one, Client(stdio) as other:
        await Minute(one).record("cerver_session_create", session_name="shared", compute="none")
        entries = [{"role": "user", "content": "from the other"}]
        await Minute(other).record("cerver_session_append", session_id="shared", entries=entries)
        assert "from the other" in await Minute(one).text("cerver_session_peek", session_id="shared")
