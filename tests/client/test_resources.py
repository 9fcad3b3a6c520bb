from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from cerver_core.api import Cerver
from cerver_core.client import Client
from cerver_core.errors import (
    AmbiguousReference,
    FileMissing,
    GatewayUnreachable,
    PathEscapesWorkspace,
    RuntimeMissing,
    SequenceConflict,
    SessionNotFound,
)
from cerver_core.testing.gateway import StandInGateway
from cerver_core.wire.computes import (
    ComputeChoice,
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecStarted,
    InstallRequest,
    WriteFile,
)
from cerver_core.wire.digests import DigestTranscripts
from cerver_core.wire.routing import RecommendRequest
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import AttachCompute, CreateSession, ListSessions, SpawnSession, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, ExportTranscript, NewEntry, ReadTranscript


async def opened(cerver: Cerver, name: str | None = None) -> str:
    return (await cerver.sessions.create(CreateSession(session_name=name))).session_id


async def said(cerver: Cerver, session_id: str, *texts: str) -> None:
    entries = tuple(NewEntry(role="user", content=text) for text in texts)
    await cerver.transcripts.append(session_id, AppendEntries(entries=entries))


def test_the_client_satisfies_the_contract() -> None:
    cerver: Cerver = Client("https://gateway.example", "ck_token")
    assert "gateway.example" in repr(cerver)
    assert "ck_token" not in repr(cerver)


async def test_what_was_asked_goes_out_as_the_contract_says(client: Client, gateway: StandInGateway) -> None:
    envelope = await client.sessions.create(CreateSession(session_name="fix login", compute=None, task="Fix it"))
    assert (envelope.session_name, envelope.status, envelope.provider) == ("fix login", "ready", "none")
    seen = gateway.seen[0]
    assert (seen.method, seen.path) == ("POST", "/v2/sessions")
    assert seen.json == {"session_name": "fix login", "compute": None, "task": "Fix it"}
    assert seen.headers["authorization"] == f"Bearer {gateway.token}"
    assert seen.headers["content-type"] == "application/json"


async def test_a_record_is_read_from_its_camel_case(client: Client) -> None:
    session_id = await opened(client, "inbox")
    record = await client.sessions.get(session_id)
    assert (record.session_id, record.session_name, record.status, record.state) == (
        session_id,
        "inbox",
        "idle",
        "ready",
    )
    assert record.metrics.last_exec_latency_ms == 4.5


async def test_a_read_of_some_kinds_asks_for_them_and_tells_how_far_it_went(
    client: Client, gateway: StandInGateway
) -> None:
    session_id = await opened(client)
    answer = {"transcript": [{"seq": 3, "at": "2026-05-03T10:00:00Z", "role": "user", "content": "x"}]}
    gateway.answer_next(200, {**answer, "transcriptTotal": 9, "transcriptFirstSeq": 2, "transcriptLastSeq": 7})
    page = await client.transcripts.read(
        session_id, ReadTranscript(since=1, kinds=("text", "thinking"), max_tokens=500)
    )
    assert (page.first_seq, page.last_seq, page.entries[0].seq) == (2, 7, 3)
    assert gateway.seen[-1].query == {"since": "1", "kinds": "text,thinking", "max_tokens": "500", "limit": "200"}


async def test_a_digest_asks_for_the_sessions_by_name(client: Client, gateway: StandInGateway) -> None:
    ids = [await opened(client), await opened(client)]
    await said(client, ids[1], "hello")
    digest = await client.transcripts.digest(DigestTranscripts(sessions=tuple(ids), max_tokens=500))
    assert [one.session_id for one in digest.sessions] == ids
    assert [point.text for point in digest.sessions[1].last] == ["hello"]
    assert gateway.seen[-1].query == {"sessions": ",".join(ids), "max_tokens": "500"}


async def test_lists_page_with_their_filters(client: Client, gateway: StandInGateway) -> None:
    ids = [await opened(client, f"s{at}") for at in range(3)]
    first = await client.sessions.list(ListSessions(limit=2, status="idle"))
    assert first.next_cursor is not None
    second = await client.sessions.list(ListSessions(limit=2, status="idle", cursor=first.next_cursor))
    assert [session.session_id for session in (*first.sessions, *second.sessions)] == ids[::-1]
    assert second.next_cursor is None
    assert gateway.seen[-1].query == {"limit": "2", "status": "idle", "cursor": "2"}


async def test_a_session_goes_through_its_life(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    assert (await client.sessions.pause(session_id)).status == "paused"
    assert (await client.sessions.resume(session_id)).status == "ready"
    child = await client.sessions.spawn(session_id, SpawnSession(task="help"))
    assert child.parent_session_id == session_id
    attached = await client.sessions.attach(session_id, AttachCompute(compute=ComputeChoice(provider="e2b")))
    assert attached.provider == "e2b"
    assert gateway.seen[-1].path == f"/v2/sessions/{session_id}/compute"
    updated = await client.sessions.update(session_id, UpdateSession(metadata={"title": "t"}))
    assert updated.metadata == {"title": "t"}
    assert (await client.sessions.metrics(session_id)).metrics.total_exec_count == 1
    assert (await client.sessions.terminate(session_id)).workspace_kept_until == "deleted_by_hand"
    assert (await client.sessions.terminate(session_id, delete_workspace=True)).workspace_kept_until is None
    assert gateway.seen[-1].query == {"delete_workspace": "1"}


async def test_an_empty_compute_is_said_and_not_left_out(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    assert (await client.sessions.attach(session_id, AttachCompute(compute=None))).provider == "none"
    assert gateway.seen[-1].json == {"compute": None}


async def test_a_prefix_a_name_and_an_id_resolve(client: Client) -> None:
    session_id = await opened(client, "inbox")
    assert await client.sessions.resolve(session_id) == session_id
    assert await client.sessions.resolve(session_id[:8]) == session_id
    assert await client.sessions.resolve("inbox") == session_id


@pytest.mark.parametrize("reference", ["", "abc", "nobody", "x" * 500, "\ud800" * 40, "a\nb", "../../v2", "%2e%2e"])
async def test_a_reference_that_fits_nothing_is_not_found(client: Client, reference: str) -> None:
    await opened(client, "inbox")
    with pytest.raises(SessionNotFound):
        await client.sessions.resolve(reference)


async def test_a_name_that_fits_several_names_them(client: Client) -> None:
    ids = [await opened(client, "twin") for _ in range(2)]
    with pytest.raises(AmbiguousReference) as refused:
        await client.sessions.resolve("twin")
    assert refused.value.detail["candidates"] == ids[::-1]


async def test_a_gateway_that_ignores_the_reference_filter_does_not_mislead(
    client: Client, gateway: StandInGateway
) -> None:
    session_id = await opened(client, "inbox")
    await opened(client, "other")
    rows = list(gateway.kept.sessions.values())
    gateway.answer_next(200, {"sessions": rows})
    assert await client.sessions.resolve("inbox") == session_id


async def test_entries_are_appended_and_read_in_every_way(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    await said(client, session_id, *[f"line {at}" for at in range(1, 11)])
    ways = {
        "tail": ReadTranscript(tail=3),
        "since": ReadTranscript(since=8),
        "around": ReadTranscript(around=5, limit=3),
        "full": ReadTranscript(full=True),
        "limit": ReadTranscript(),
        "none": ReadTranscript(tail=0),
    }
    read = {way: await client.transcripts.read(session_id, request) for way, request in ways.items()}
    assert {way: (page.first_seq, page.last_seq, page.total) for way, page in read.items()} == {
        "tail": (8, 10, 10),
        "since": (9, 10, 10),
        "around": (4, 6, 10),
        "full": (1, 10, 10),
        "limit": (1, 10, 10),
        "none": (None, None, 10),
    }
    assert [entry.content for entry in read["tail"].entries] == ["line 8", "line 9", "line 10"]
    assert gateway.seen[-2].query == {"limit": "200"}


async def test_a_wrong_expectation_tells_where_the_transcript_ends(client: Client) -> None:
    session_id = await opened(client)
    await said(client, session_id, "one")
    with pytest.raises(SequenceConflict) as refused:
        await client.transcripts.append(
            session_id, AppendEntries(entries=(NewEntry(role="user", content="two"),), expected_seq=5)
        )
    assert refused.value.detail == {"last_seq": 1}


async def test_transcripts_are_exported_and_imported(client: Client) -> None:
    session_id = await opened(client)
    await said(client, session_id, "one", "two")
    page = await client.transcripts.export(session_id, ExportTranscript(format="markdown", cursor=1))
    assert (page.text, page.format, page.next_cursor) == ("two", "markdown", None)
    assert (await client.transcripts.import_jsonl("{}\n{}\n{}\n", session_name="copy")).entries == 2


async def test_a_search_says_only_what_was_given_and_reads_what_was_found(
    client: Client, gateway: StandInGateway
) -> None:
    session_id = await opened(client)
    await said(client, session_id, "one", "a red apple")
    page = await client.transcripts.search(SearchTranscripts(query="apple", since="last week", limit=3))
    assert gateway.seen[-1].path == "/v2/search"
    assert gateway.seen[-1].query == {"query": "apple", "since": "last week", "limit": "3"}
    (found,) = page.sessions
    assert (found.session_id, found.snippets[0].seq, found.snippets[0].text) == (session_id, 2, "a red **apple**")


async def test_a_live_transcript_yields_entries_and_ends_with_the_session(client: Client) -> None:
    session_id = await opened(client)
    await said(client, session_id, "one", "two", "three")
    async with client.transcripts.follow(session_id, since=1) as entries:
        assert [entry.content async for entry in entries] == ["two", "three"]


async def test_code_runs_and_answers_flat_though_the_wire_nests_it(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    result = await client.computes.exec(session_id, ExecRequest(code="ls", timeout_s=5))
    assert (result.stdout, result.exit_code, result.duration_ms) == ("ran ls", 0, 4.5)
    assert gateway.seen[-1].json == {"code": "ls", "timeout_s": 5.0}


async def test_a_stream_yields_started_output_finished(client: Client) -> None:
    session_id = await opened(client)
    async with client.computes.exec_stream(session_id, ExecRequest(code="ls")) as events:
        started, output, finished = [event async for event in events]
    assert isinstance(started, ExecStarted)
    assert output == ExecOutput(stream="stdout", text="ls")
    assert isinstance(finished, ExecFinished)
    assert finished.result.stdout == "out"


async def test_leaving_a_stream_early_closes_its_connection(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    gateway.kept.events = ['event: output\ndata: {"type":"output","stream":"stdout","text":"x"}\n\n']
    async with client.computes.exec_stream(session_id, ExecRequest(code="sleep 99")) as events:
        async for _ in events:
            break
    assert await anyio.to_thread.run_sync(gateway.left_early.wait, 10)


async def test_a_failure_inside_a_stream_is_raised(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    gateway.kept.events = ['event: error\ndata: {"error":"no node here","code":"runtime_missing"}\n\n']
    async with client.computes.exec_stream(session_id, ExecRequest(code="1", runtime="node")) as events:
        with pytest.raises(RuntimeMissing, match="no node here"):
            await anext(events)


async def test_a_stream_that_stops_short_says_so(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    gateway.answer_next(200, {}, headers={"Content-Type": "text/event-stream"})
    async with client.computes.exec_stream(session_id, ExecRequest(code="ls")) as events:
        with pytest.raises(GatewayUnreachable, match="before the execution finished"):
            await anext(events)


async def test_a_session_that_is_not_there_is_refused_before_the_stream(
    client: Client, gateway: StandInGateway
) -> None:
    gateway.answer_next(404, {"error": "there is no session x", "code": "session_not_found"})
    with pytest.raises(SessionNotFound):
        async with client.computes.exec_stream("x", ExecRequest(code="ls")):
            pass


async def test_computes_are_listed_packages_installed_and_advice_given(client: Client) -> None:
    assert [compute.label for compute in (await client.computes.list()).computes] == ["box"]
    session_id = await opened(client)
    assert (await client.computes.install(session_id, InstallRequest(packages=("httpx2",)))).stdout == "httpx2"
    advice = await client.routing.recommend(RecommendRequest(task="build"))
    assert (advice.decision.recommended_provider, advice.task) == ("local", "build")


async def test_files_go_both_ways_byte_for_byte(client: Client, gateway: StandInGateway) -> None:
    session_id = await opened(client)
    await client.files.write(session_id, WriteFile(path="data/ü & b.bin", content=b"\x00\xff"))
    assert gateway.seen[-1].query == {"path": "data/ü & b.bin"}
    assert await client.files.read(session_id, "data/ü & b.bin") == b"\x00\xff"
    assert [entry.path for entry in (await client.files.list(session_id)).entries] == ["data/ü & b.bin"]
    with pytest.raises(FileMissing):
        await client.files.read(session_id, "nothing")
    with pytest.raises(PathEscapesWorkspace):
        await client.files.read(session_id, "../secret")


async def test_a_folder_comes_back_as_it_was_sent(client: Client, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "run.sh").write_text("echo hi")
    (source / "sub" / "run.sh").chmod(0o755)
    (source / "again.sh").hardlink_to(source / "sub" / "run.sh")
    (source / "link").symlink_to("sub/run.sh")
    (source / "out").symlink_to("/etc/passwd")
    session_id = await opened(client)
    report = await client.files.upload(session_id, source)
    assert (report.files, report.bytes, dict(report.skipped)) == (2, 14, {"out": "the link leaves the folder"})
    report = await client.files.download(session_id, ".", target)
    assert (report.files, report.bytes) == (2, 14)
    assert (target / "link").readlink() == Path("sub/run.sh")
    assert (target / "sub" / "run.sh").stat().st_mode & 0o111
    assert (target / "again.sh").read_text() == "echo hi"
