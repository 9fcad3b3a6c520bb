"""`cerver serve` as a process: what it prints, serves and refuses, and how it ends."""

import json
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from cerver_core.client import Client
from cerver_core.errors import GatewayUnreachable, NoComputeAvailable, Unauthorized, Unavailable
from cerver_core.wire.computes import ExecFinished, ExecOutput, ExecRequest
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from tests.gateway.processes import CERVER, Served, environment, serving

LIMIT_S = 30


@asynccontextmanager
async def started(home: Path, *arguments: str) -> AsyncGenerator[Served]:
    opened = serving(home, *arguments)
    served = await anyio.to_thread.run_sync(opened.__enter__)
    try:
        yield served
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(opened.__exit__, None, None, None)


def said(text: str) -> AppendEntries:
    return AppendEntries(entries=(NewEntry(role="user", content=text),))


async def test_the_first_start_shows_a_key_once_and_it_works_after_a_restart(tmp_path: Path) -> None:
    async with started(tmp_path) as first:
        assert first.token.startswith("ck_")
        assert "No code runs on this machine" in first.said
        async with Client(first.url, first.token) as client:
            made = await client.sessions.create(CreateSession(compute=None, session_name="kept"))
            await client.transcripts.append(made.session_id, said("hello"))
        async with Client(first.url, "ck_wrong") as stranger:
            with pytest.raises(Unauthorized):
                await stranger.sessions.get(made.session_id)
        assert first.stop() == 0
    async with started(tmp_path) as second:
        assert second.token == ""
        async with Client(second.url, first.token) as client:
            page = await client.transcripts.read(made.session_id, ReadTranscript(tail=5))
            assert [entry.content for entry in page.entries] == ["hello"]


async def test_without_local_compute_no_code_runs_on_this_machine(tmp_path: Path) -> None:
    async with started(tmp_path) as served, Client(served.url, served.token) as client:
        with pytest.raises(NoComputeAvailable) as refused:
            await client.sessions.create(CreateSession())
        assert "decision" in refused.value.detail
        assert [compute.provider for compute in (await client.computes.list()).computes] == []


async def test_several_workers_share_the_port_and_the_sessions(tmp_path: Path) -> None:
    async with started(tmp_path, "--workers", "2") as served:
        seen: list[str] = []
        for number in range(8):
            async with Client(served.url, served.token) as client:
                made = await client.sessions.create(CreateSession(compute=None, session_name=f"s{number}"))
                seen.append(made.session_id)
        async with Client(served.url, served.token) as client:
            for session_id in seen:
                assert (await client.sessions.get(session_id)).session_id == session_id
        assert await anyio.to_thread.run_sync(served.stop) == 0


async def test_a_stop_ends_streams_with_a_word_and_lets_what_runs_finish(tmp_path: Path) -> None:
    followed = anyio.Event()
    ends: list[Exception] = []
    results: list[str] = []
    async with started(tmp_path, "--local-compute") as served, Client(served.url, served.token) as client:
        made = await client.sessions.create(CreateSession())

        async def follow() -> None:
            try:
                async with client.transcripts.follow(made.session_id, since=0) as entries:
                    async for entry in entries:
                        if entry.kind == "tool_use":
                            followed.set()
            except Unavailable as error:
                ends.append(error)

        async def run() -> None:
            request = ExecRequest(code="touch begun; while [ ! -e go ]; do sleep 0.05; done; echo done")
            async with client.computes.exec_stream(made.session_id, request) as events:
                async for event in events:
                    if isinstance(event, ExecOutput):
                        results.append(event.text)
                    if isinstance(event, ExecFinished):
                        results.append(str(event.result.exit_code))

        with anyio.fail_after(LIMIT_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                tasks.start_soon(run)
                await followed.wait()
                served.process.send_signal(signal.SIGTERM)
                while not ends:  # noqa: ASYNC110 - the live transcript is told at once
                    await anyio.sleep(0.01)
                (workspace,) = (tmp_path / "cerver").rglob("begun")
                (workspace.parent / "go").touch()
        assert await anyio.to_thread.run_sync(served.process.wait, LIMIT_S) == 0
    assert results == ["done\n", "0"]
    assert "stopping" in str(ends[0])
    assert not isinstance(ends[0], GatewayUnreachable)


async def test_a_second_signal_breaks_off_what_runs_and_leaves_no_trace_in_the_log(tmp_path: Path) -> None:
    async with started(tmp_path, "--local-compute") as served, Client(served.url, served.token) as client:
        made = await client.sessions.create(CreateSession())

        async def run() -> None:
            try:
                async with client.computes.exec_stream(made.session_id, ExecRequest(code="echo on; sleep 60")) as told:
                    async for event in told:
                        if isinstance(event, ExecOutput):
                            running.set()
            except Unavailable as error:
                ends.append(error)

        ends: list[Unavailable] = []
        running = anyio.Event()
        with anyio.fail_after(LIMIT_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
                await running.wait()
                served.process.send_signal(signal.SIGTERM)
                while not await _refuses(served.url):  # noqa: ASYNC110 - so it took the first signal in
                    await anyio.sleep(0.01)
                served.process.send_signal(signal.SIGTERM)
        assert await anyio.to_thread.run_sync(served.process.wait, LIMIT_S) == 0
        lines = [json.loads(line) for line in served.errors.read_text().splitlines()]
    assert len(ends) == 1
    assert [line for line in lines if line["level"] != "info"] == []


async def _refuses(url: str) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2])):
            return False
    except OSError:
        return True


async def test_nothing_that_was_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    kept: list[str] = []
    async with started(tmp_path) as served, Client(served.url, served.token) as client:
        made = await client.sessions.create(CreateSession(compute=None))
        token = served.token

        async def append(number: int) -> None:
            for turn in range(10_000):
                text = f"{number}.{turn}"
                try:
                    await client.transcripts.append(made.session_id, said(text))
                except (GatewayUnreachable, Unavailable):
                    return
                kept.append(text)
                if len(kept) == 60:
                    served.process.kill()

        with anyio.fail_after(LIMIT_S):
            async with anyio.create_task_group() as tasks:
                for number in range(4):
                    tasks.start_soon(append, number)
    async with started(tmp_path) as served, Client(served.url, token) as client:
        page = await client.transcripts.read(made.session_id, ReadTranscript(full=True, limit=10_000))
        found = [entry.content for entry in page.entries]
        assert len(found) == len(set(found))
        assert set(kept) <= set(found)


async def test_the_log_is_json_lines_with_request_ids_and_no_key_or_query(tmp_path: Path) -> None:
    async with started(tmp_path) as served, httpx2.AsyncClient(base_url=served.url) as http:
        headers = {"Authorization": f"Bearer {served.token}", "X-Request-Id": "mine-1"}
        answer = await http.get("/v2/sessions", params={"source": "secretive"}, headers=headers)
        assert answer.headers["x-request-id"] == "mine-1"
        assert (await http.get("/v2/sessions")).status_code == 401
        await anyio.to_thread.run_sync(served.stop)
        text = served.errors.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    mine = next(line for line in lines if line.get("request_id") == "mine-1")
    assert (mine["event"], mine["method"], mine["path"], mine["status"]) == ("request", "GET", "/v2/sessions", 200)
    assert {"at", "level", "logger", "duration_ms", "bytes", "operation", "key_id"} <= set(mine)
    assert served.token not in text
    assert "secretive" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "seventy"), "must be a port, 0 to 65535"),
        (("--workers", "0"), "must be a number of processes, 1 to 64"),
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1 port 8787"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [CERVER, "serve", *arguments],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
