"""The sessions part of the suite."""

from datetime import UTC, datetime, timedelta

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import (
    AmbiguousReference,
    FileMissing,
    InvalidInput,
    NoComputeAvailable,
    SessionNotFound,
    SessionStateConflict,
)
from cerver_core.testing.cerver.road import Road, memory, read_all, said, sandbox
from cerver_core.wire.computes import (
    ComputeChoice,
    ExecRequest,
    Requirements,
    WriteFile,
)
from cerver_core.wire.routing import Policy, RecommendRequest
from cerver_core.wire.sessions import (
    AttachCompute,
    CreateSession,
    ListSessions,
    SpawnSession,
    UpdateSession,
)
from cerver_core.wire.transcripts import AppendEntries, NewEntry

__all__ = ["SessionContract"]


class SessionContract(Road):
    """Sessions: create, find, list, the lifecycle."""

    async def test_a_session_without_compute_is_memory_alone(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession(session_type="transcript", session_name="inbox"))
        assert (made.status, made.provider, made.compute_id, made.sandbox_id) == ("ready", "none", None, None)
        record = await cerver.sessions.get(made.session_id)
        assert (record.status, record.state, record.session_type) == ("idle", "ready", "transcript")
        with pytest.raises(SessionStateConflict, match="no compute"):
            await cerver.computes.exec(made.session_id, ExecRequest(code="true"))

    async def test_an_empty_request_finds_a_compute_and_says_why(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession())
        assert (made.status, made.provider) == ("ready", "local")
        assert made.compute_id is not None
        assert made.compute_id.startswith("comp_")
        assert made.routing is not None
        assert made.routing.recommended_provider == "local"
        assert made.metrics.provision_time_ms is not None
        assert made.metrics.time_to_first_exec_ms is None

    async def test_a_task_is_the_first_entry_and_an_empty_one_is_none(self, cerver: Cerver) -> None:
        told = await cerver.sessions.create(CreateSession(task="count the stars", compute=None))
        entries = await read_all(cerver, told.session_id)
        assert [(entry.seq, entry.role, entry.content) for entry in entries] == [(1, "user", "count the stars")]
        untold = await memory(cerver)
        assert await read_all(cerver, untold) == ()

    async def test_requirements_that_nothing_meets_are_a_conflict_with_the_report(self, cerver: Cerver) -> None:
        before = await cerver.sessions.list(ListSessions())
        with pytest.raises(NoComputeAvailable, match="browser") as caught:
            await cerver.sessions.create(CreateSession(requirements=Requirements(browser=True)))
        assert caught.value.detail["decision"]["recommended_provider"] is None  # type: ignore[index,call-overload]
        assert await cerver.sessions.list(ListSessions()) == before

    async def test_sessions_are_listed_by_newest_activity_a_page_at_a_time(self, cerver: Cerver) -> None:
        ids = [await memory(cerver, f"list-{number}") for number in range(5)]
        await cerver.transcripts.append(ids[0], said("again"))
        first = await cerver.sessions.list(ListSessions(limit=3))
        assert first.next_cursor is not None
        rest = await cerver.sessions.list(ListSessions(limit=3, cursor=first.next_cursor))
        listed = [row.session_id for row in (*first.sessions, *rest.sessions)]
        assert listed == [ids[0], ids[4], ids[3], ids[2], ids[1]]
        assert rest.next_cursor is None

    async def test_lists_filter_by_status_source_project_and_parent(self, cerver: Cerver) -> None:
        a = await cerver.sessions.create(CreateSession(compute=None, metadata={"source": "ci"}, project_slug="web"))
        b = await cerver.sessions.create(CreateSession(compute=None))
        await cerver.sessions.terminate(b.session_id)
        child = await cerver.sessions.spawn(a.session_id, SpawnSession(task="look"))

        async def ids(**query: str) -> list[str]:
            page = await cerver.sessions.list(ListSessions.model_validate(query))
            return [row.session_id for row in page.sessions]

        assert await ids(status="archived") == [b.session_id]
        assert await ids(status="resting") == [child.session_id, a.session_id]
        assert await ids(status="running") == []
        assert await ids(source="ci") == [child.session_id, a.session_id]
        assert await ids(project="web") == [child.session_id, a.session_id]
        assert await ids(parent=a.session_id) == [child.session_id]

    async def test_a_word_for_one_state_lists_no_session_in_another(self, cerver: Cerver) -> None:
        paused, ready = await sandbox(cerver), await sandbox(cerver)
        await cerver.sessions.pause(paused)
        ended = (await cerver.sessions.create(CreateSession(compute=None))).session_id
        await cerver.sessions.terminate(ended)

        async def ids(word: str) -> set[str]:
            return {row.session_id for row in (await cerver.sessions.list(ListSessions(status=word))).sessions}

        assert (await ids("paused"), await ids("ready"), await ids("idle")) == ({paused}, {ready}, {paused, ready})
        assert (await ids("terminated"), await ids("failed"), await ids("provisioning")) == ({ended}, set(), set())

    async def test_a_status_nobody_used_and_a_forged_cursor_are_refused(self, cerver: Cerver) -> None:
        with pytest.raises(InvalidInput, match="running, idle or ended"):
            await cerver.sessions.list(ListSessions(status="sleepy"))
        with pytest.raises(InvalidInput, match="cursor"):
            await cerver.sessions.list(ListSessions(cursor="not-a-cursor"))

    async def test_a_session_is_found_by_id_by_prefix_and_by_name(self, cerver: Cerver) -> None:
        session_id = await memory(cerver, "nightly report")
        assert await cerver.sessions.resolve(session_id) == session_id
        assert await cerver.sessions.resolve(session_id[:8]) == session_id
        assert await cerver.sessions.resolve("nightly report") == session_id

    async def test_what_matches_nothing_or_several_is_an_error_that_says_so(self, cerver: Cerver) -> None:
        for _ in range(2):
            await memory(cerver, "twin")
        with pytest.raises(AmbiguousReference) as caught:
            await cerver.sessions.resolve("twin")
        assert len(caught.value.detail["candidates"]) == 2  # type: ignore[arg-type]
        for unknown in ("nobody", "00000000-0000-4000-8000-000000000000", "%", "_______", ""):
            with pytest.raises(SessionNotFound):
                await cerver.sessions.resolve(unknown)
        with pytest.raises(SessionNotFound):
            await cerver.sessions.get("nobody")

    async def test_metadata_is_merged_key_by_key(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession(compute=None, metadata={"a": 1, "b": {"c": 2}}))
        record = await cerver.sessions.update(made.session_id, UpdateSession(metadata={"a": None, "d": [3]}))
        assert record.metadata == {"b": {"c": 2}, "d": [3]}
        assert (await cerver.sessions.get(made.session_id)).metadata == {"b": {"c": 2}, "d": [3]}

    async def test_a_new_name_is_found_and_is_no_activity(self, cerver: Cerver) -> None:
        session_id = await memory(cerver, "draft")
        before = await cerver.sessions.get(session_id)
        after = await cerver.sessions.update(session_id, UpdateSession(session_name="final"))
        assert (after.session_name, after.updated_at, after.metadata) == ("final", before.updated_at, before.metadata)
        assert await cerver.sessions.resolve("final") == session_id

    async def test_a_session_can_be_opened_as_a_child_without_a_task(self, cerver: Cerver) -> None:
        parent = await memory(cerver)
        child = await cerver.sessions.create(CreateSession(compute=None, parent_session_id=parent))
        assert child.parent_session_id == parent
        found = await cerver.sessions.list(ListSessions(parent=parent))
        assert [record.session_id for record in found.sessions] == [child.session_id]
        with pytest.raises(SessionNotFound):
            await cerver.sessions.create(CreateSession(compute=None, parent_session_id="nobody"))

    async def test_history_keeps_its_own_times_and_present_activity_wins(self, cerver: Cerver) -> None:
        began, last = datetime(2024, 5, 1, 10, tzinfo=UTC), datetime(2024, 5, 1, 12, tzinfo=UTC)
        made = await cerver.sessions.create(CreateSession(compute=None, created_at=began))
        record = await cerver.sessions.get(made.session_id)
        assert (record.created_at, record.updated_at) == (began, began)
        for at in (last, began):
            entry = NewEntry(role="user", content="then", at=at)
            await cerver.transcripts.append(made.session_id, AppendEntries(entries=(entry,), is_history=True))
        assert (await cerver.sessions.get(made.session_id)).updated_at == last
        await cerver.transcripts.append(made.session_id, said("now"))
        assert (await cerver.sessions.get(made.session_id)).updated_at > last + timedelta(days=1)

    async def test_pause_and_resume_keep_the_id_the_files_and_the_transcript(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        await cerver.files.write(session_id, WriteFile(path="note.txt", content=b"kept"))
        await cerver.transcripts.append(session_id, said("before"))
        paused = await cerver.sessions.pause(session_id)
        assert (paused.session_id, paused.status) == (session_id, "paused")
        assert (await cerver.sessions.pause(session_id)).status == "paused"
        with pytest.raises(SessionStateConflict, match="resume it first"):
            await cerver.computes.exec(session_id, ExecRequest(code="true"))
        resumed = await cerver.sessions.resume(session_id)
        assert (resumed.session_id, resumed.status) == (session_id, "ready")
        assert (await cerver.sessions.resume(session_id)).status == "ready"
        assert (await cerver.computes.exec(session_id, ExecRequest(code="cat note.txt"))).stdout == "kept"
        assert (await read_all(cerver, session_id))[0].content == "before"

    async def test_a_terminated_session_stays_readable_and_does_nothing_more(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        await cerver.transcripts.append(session_id, said("the end"))
        ended = await cerver.sessions.terminate(session_id)
        assert (ended.status, (await cerver.sessions.terminate(session_id)).status) == ("terminated", "terminated")
        record = await cerver.sessions.get(session_id)
        assert (record.status, record.state, record.end_reason) == ("ended", "terminated", "terminated")
        assert [entry.content for entry in await read_all(cerver, session_id)] == ["the end"]
        with pytest.raises(SessionStateConflict):
            await cerver.sessions.resume(session_id)
        with pytest.raises(SessionStateConflict):
            await cerver.sessions.pause(session_id)
        with pytest.raises(SessionStateConflict):
            await cerver.transcripts.append(session_id, said("more"))
        with pytest.raises(SessionStateConflict):
            await cerver.computes.exec(session_id, ExecRequest(code="true"))
        with pytest.raises(SessionStateConflict):
            await cerver.sessions.attach(session_id, AttachCompute(compute=ComputeChoice(provider="local")))

    @pytest.mark.parametrize(("level", "kept"), [("low", False), ("medium", True), ("high", True)])
    async def test_the_workspace_outlives_the_session_as_asked(self, cerver: Cerver, level: str, kept: bool) -> None:
        session_id = await sandbox(cerver, persistence_level=level)
        await cerver.files.write(session_id, WriteFile(path="a", content=b"1"))
        ended = await cerver.sessions.terminate(session_id)
        if not kept:
            assert ended.workspace_kept_until is None
            with pytest.raises(SessionStateConflict, match="no workspace"):
                await cerver.files.read(session_id, "a")
            return
        assert (ended.workspace_kept_until == "deleted_by_hand") is (level == "high")
        assert await cerver.files.read(session_id, "a") == b"1"
        gone = await cerver.sessions.terminate(session_id, delete_workspace=True)
        assert (gone.workspace_kept_until, gone.sandbox_id) == (None, None)

    async def test_a_child_inherits_the_compute_and_has_its_own_workspace(self, cerver: Cerver) -> None:
        parent_id = await sandbox(cerver)
        await cerver.files.write(parent_id, WriteFile(path="mine.txt", content=b"parent"))
        child = await cerver.sessions.spawn(parent_id, SpawnSession(task="help out", session_name="helper"))
        assert (child.parent_session_id, child.provider) == (parent_id, "local")
        assert child.compute_id == (await cerver.sessions.get(parent_id)).compute_id
        with pytest.raises(FileMissing):
            await cerver.files.read(child.session_id, "mine.txt")
        assert (await read_all(cerver, child.session_id))[0].content == "help out"

    async def test_compute_can_be_attached_and_taken_away_under_one_transcript(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("first"))
        attached = await cerver.sessions.attach(session_id, AttachCompute(compute=ComputeChoice(provider="local")))
        assert (attached.session_id, attached.provider) == (session_id, "local")
        assert (await cerver.computes.exec(session_id, ExecRequest(code="echo hi"))).stdout == "hi\n"
        child = await cerver.sessions.spawn(session_id, SpawnSession(task="help out"))
        assert (child.provider, child.compute_id) == ("local", attached.compute_id)
        bare = await cerver.sessions.attach(session_id, AttachCompute(compute=None))
        assert (bare.provider, bare.sandbox_id) == ("none", None)
        assert (await read_all(cerver, session_id))[0].content == "first"

    async def test_a_streamed_execution_is_the_last_one_too(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        async with cerver.computes.exec_stream(session_id, ExecRequest(code="sleep 0.1")) as events:
            async for _ in events:
                pass
        metrics = (await cerver.sessions.metrics(session_id)).metrics
        assert metrics.last_exec_latency_ms is not None
        assert metrics.last_exec_latency_ms >= 100
        assert (metrics.total_exec_count, metrics.average_exec_latency_ms) == (0, None)

    async def test_metrics_count_and_average(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        fresh = (await cerver.sessions.metrics(session_id)).metrics
        assert (fresh.total_exec_count, fresh.engagement_score, fresh.engagement_label) == (0, 0, "warming")
        assert (fresh.last_exec_latency_ms, fresh.average_exec_latency_ms) == (None, None)
        await cerver.transcripts.append(session_id, said("one", "two"))
        for _ in range(2):
            await cerver.computes.exec(session_id, ExecRequest(code="true"))
        async with cerver.computes.exec_stream(session_id, ExecRequest(code="true")) as events:
            async for _ in events:
                pass
        read = await cerver.sessions.metrics(session_id)
        assert (read.session_id, read.provider, read.status) == (session_id, "local", "idle")
        metrics = read.metrics
        assert (metrics.total_exec_count, metrics.total_stream_count, metrics.interaction_count) == (2, 1, 5)
        assert metrics.time_to_first_exec_ms is not None
        assert metrics.average_exec_latency_ms is not None
        assert metrics.average_stream_open_latency_ms is not None
        assert 0 < metrics.engagement_score < 1
        assert (metrics.cost_estimate_usd, metrics.uptime_percent) == (0, None)

    async def test_advice_without_an_answer_is_a_report_and_no_error(self, cerver: Cerver) -> None:
        report = await cerver.routing.recommend(RecommendRequest(policy=Policy(allowed_providers=("nowhere",))))
        assert report.decision.recommended_provider is None
        assert "nowhere" in report.providers[0].reasons[0]

    async def test_the_computes_say_what_they_are(self, cerver: Cerver) -> None:
        computes = (await cerver.computes.list()).computes
        local = next(compute for compute in computes if compute.provider == "local")
        assert local.compute_id.startswith("comp_")
        made = await cerver.sessions.create(CreateSession(compute=ComputeChoice(compute_id=local.compute_id)))
        assert made.compute_id == local.compute_id
