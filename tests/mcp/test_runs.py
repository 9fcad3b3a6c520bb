"""Runs that last: progress, cancellation, and output that is more than a reply may hold."""

from collections.abc import Callable
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

Open = Callable[..., Any]
WAIT_S = 60.0


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def watch_a_run(opened: Client) -> tuple[CallToolResult, list[tuple[float, str]]]:
    """Run something that lasts until its progress was seen; give its answer and the reports."""
    reports: list[tuple[float, str]] = []
    seen = anyio.Event()
    results: list[CallToolResult] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, message or ""))
        seen.set()

    async def run() -> None:
        code = "echo one; echo two; while [ ! -e go ]; do sleep 0.05; done; echo three"
        arguments = {"session_id": "long", "code": code}
        results.append(await opened.call_tool("cerver_run", arguments, progress_callback=on_progress))

    await opened.call_tool("cerver_session_create", {"session_name": "long"})
    with anyio.fail_after(WAIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await seen.wait()
            await opened.call_tool("cerver_run", {"session_id": "long", "code": "touch go"})
    return results[0], reports


def check_reports(result: CallToolResult, reports: list[tuple[float, str]]) -> None:
    assert result.structured_content["stdout"] == "one\ntwo\nthree\n"
    elapsed_s, message = reports[0]
    assert elapsed_s >= 1
    assert message.endswith(" s, 2 lines of output")


async def test_a_long_run_reports_how_long_and_how_much(client: Open) -> None:
    async with client("legacy") as opened:
        check_reports(*await watch_a_run(opened))


async def test_a_long_run_reports_in_the_stateless_era_too(stdio: StdioServerParameters) -> None:
    async with Client(stdio, mode="2026-07-28") as opened:
        check_reports(*await watch_a_run(opened))


async def test_a_cancelled_run_is_killed_and_the_session_goes_on(client: Open) -> None:
    async with client() as opened:
        await opened.call_tool("cerver_session_create", {"session_name": "cut"})
        with anyio.fail_after(WAIT_S):
            async with anyio.create_task_group() as tasks:
                code = "touch started; sleep 1000; touch survived"
                tasks.start_soon(opened.call_tool, "cerver_run", {"session_id": "cut", "code": code})
                await shell(opened, "while [ ! -e started ]; do sleep 0.02; done")
                tasks.cancel_scope.cancel()
            await shell(opened, "while pgrep -fx 'sleep 1000'; do sleep 0.02; done")
        assert await shell(opened, "ls") == "started\n"
        peek = await opened.call_tool("cerver_session_peek", {"session_id": "cut"})
        assert "touch started; sleep 1000" in text_of(peek)


async def shell(opened: Client, code: str) -> str:
    result = await opened.call_tool("cerver_run", {"session_id": "cut", "code": code})
    record: dict[str, Any] = result.structured_content or {}
    return record["stdout"]


async def test_a_timeout_is_an_answer_with_what_came_before_it(client: Open) -> None:
    async with client() as opened:
        run = await opened.call_tool("cerver_run", {"code": "echo before; sleep 1000", "timeout_s": 0.5})
        assert run.is_error is False
        assert run.structured_content["timed_out"] is True
        assert run.structured_content["exit_code"] == 124
        assert run.structured_content["stdout"] == "before\n"


async def test_a_run_that_could_not_begin_leaves_no_open_session(client: Open) -> None:
    async with client() as opened:
        failed = await opened.call_tool("cerver_run", {"code": "true", "secrets": ["NO_SUCH_SECRET"]})
        assert failed.is_error is True
        assert text_of(await opened.call_tool("cerver_session_list", {"status": "idle"})) == "No sessions match."


async def test_long_output_keeps_head_and_tail_within_8_kb_and_says_how_to_see_the_rest(client: Open) -> None:
    async with client() as opened:
        code = "seq 1 100000; seq 1 50000 >&2"
        run = (await opened.call_tool("cerver_run", {"code": code})).structured_content
        assert run["stdout"].startswith("1\n2\n3\n")
        assert run["stdout"].endswith("\n99999\n100000\n")
        assert run["stderr"].endswith("\n50000\n")
        assert len(run["stdout"]) + len(run["stderr"]) <= 8_000
        assert (run["stdout_bytes"], run["stderr_bytes"]) == (588_895, 288_894)
        assert run["more"].startswith(f'cerver_session_export(session_id="{run["session_id"]}", cursor="')


async def test_the_call_for_the_rest_of_an_output_reaches_all_of_it(client: Open) -> None:
    async with client() as opened:
        run = (await opened.call_tool("cerver_run", {"code": "seq 1 30000; echo warn >&2"})).structured_content
        whole, note = "", run["more"]
        while note:
            arguments = {"session_id": run["session_id"], "cursor": note.split('cursor="')[1].split('"')[0]}
            result = await opened.call_tool("cerver_session_export", arguments)
            *notes, page = [block.text for block in result.content]
            whole, note = whole + page, "".join(notes)
        assert "--- stdout\n" + "".join(f"{number}\n" for number in range(1, 30_001)) in whole
        assert "--- stderr\nwarn\n" in whole


async def test_what_a_session_s_state_forbids_names_only_a_way_out_that_there_is(client: Open) -> None:
    async def refused(tool: str, **arguments: Any) -> str:
        result = await opened.call_tool(tool, {"session_id": "notes", **arguments})
        assert result.is_error is True
        return text_of(result)

    async with client() as opened:
        await opened.call_tool("cerver_session_create", {"session_name": "notes", "compute": "none"})
        assert "resume" not in await refused("cerver_run", code="true")
        assert "resume" not in await refused("cerver_session_end", action="pause")
        await opened.call_tool("cerver_session_end", {"session_id": "notes", "action": "terminate"})
        told = await refused("cerver_session_end", action="resume")
        assert told.endswith("is terminated: there is nothing to resume. cerver_session_create opens another.")


async def test_output_that_is_not_utf8_and_has_nul_bytes_arrives(client: Open) -> None:
    async with client() as opened:
        run = await opened.call_tool("cerver_run", {"code": r"printf 'a\000b\377c'"})
        assert run.structured_content["stdout"] == "a\0b\ufffdc"
