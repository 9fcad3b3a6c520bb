"""The adapter for Claude's agent SDK: the SDK's own conformance run, and what a reader of Cerver sees."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from claude_agent_sdk import get_session_messages_from_store, list_sessions_from_store
from claude_agent_sdk.testing import run_session_store_conformance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cerver_core.api import Cerver
from cerver_core.connect import connect
from cerver_core.remembering.claude_agent_sdk import ClaudeAgentSessions
from cerver_core.render.transcripts import as_text
from cerver_core.wire.sessions import ListSessions
from cerver_core.wire.transcripts import ReadTranscript
from tests.engine.roads import settings_for

KEY = {"project_key": "-srv-api", "session_id": "4a1e7d1c-7d14-4b8b-9d2e-1f2f3a4b5c6d"}
AT = "2026-05-04T10:00:00.000Z"


@pytest.fixture
async def cerver(tmp_path: Path) -> AsyncIterator[Cerver]:
    async with connect(settings_for(tmp_path)) as opened:
        yield opened


def line(uuid: str, kind: str, content: Any, **more: Any) -> dict[str, Any]:
    message = {"role": kind, "content": content}
    return {"type": kind, "uuid": uuid, "timestamp": AT, "sessionId": KEY["session_id"], "message": message, **more}


CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "pytest"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "1 failed", "is_error": True}
LINES = [
    line("u1", "user", "Why is CI red?", cwd="/srv/api", parentUuid=None),
    line("a1", "assistant", [{"type": "text", "text": "Let me see."}], parentUuid="u1"),
    line("a2", "assistant", [CALL], parentUuid="a1"),
    line("u2", "user", [RESULT], parentUuid="a2"),
    {"type": "custom-title", "customTitle": "CI", "sessionId": KEY["session_id"]},
    line("a3", "assistant", [{"type": "text", "text": text} for text in ("Because", "of a.py.")], parentUuid="u2"),
]


async def test_it_passes_the_sdk_s_own_conformance_run(tmp_path: Path) -> None:
    async with anyio.create_task_group() as tasks:
        made = 0

        async def hold(home: Path, *, task_status: anyio.abc.TaskStatus[Cerver]) -> None:
            async with connect(settings_for(home)) as opened:
                task_status.started(opened)
                await anyio.sleep_forever()

        async def make() -> Any:
            nonlocal made
            made += 1
            return ClaudeAgentSessions(await tasks.start(hold, tmp_path / str(made)))

        await run_session_store_conformance(make)
        assert made > 8
        tasks.cancel_scope.cancel()


async def test_lines_come_back_as_they_were_and_read_like_any_other_session(cerver: Cerver) -> None:
    store = ClaudeAgentSessions(cerver)
    await store.append(KEY, LINES[:4])
    await store.append(KEY, LINES[2:])
    assert await store.load(KEY) == LINES
    (record,) = (await cerver.sessions.list(ListSessions())).sessions
    assert (record.project_slug, record.harness, record.metadata["source_id"]) == (
        "-srv-api",
        "claude",
        KEY["session_id"],
    )
    page = await cerver.transcripts.read(record.session_id, ReadTranscript(full=True))
    assert [(entry.id, entry.role, entry.kind, entry.content) for entry in page.entries] == [
        ("u1", "user", "text", "Why is CI red?"),
        ("a1", "assistant", "text", "Let me see."),
        ("a2", "assistant", "tool_use", ""),
        ("u2", "tool", "tool_result", "1 failed"),
        (None, "system", "event", "custom-title"),
        ("a3", "assistant", "text", "Because\nof a.py."),
    ]
    text = as_text(page.entries)
    assert '{"command": "pytest"}' in text
    assert "$line" not in text


async def test_the_first_of_two_lines_by_one_uuid_stands(cerver: Cerver) -> None:
    store = ClaudeAgentSessions(cerver)
    await store.append(KEY, LINES[:2])
    await store.append(KEY, [line("u1", "user", "Something else"), LINES[2]])
    assert await store.load(KEY) == LINES[:3]


async def test_two_processes_that_open_a_session_at_once_write_into_one(cerver: Cerver) -> None:
    stores = [ClaudeAgentSessions(cerver) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for number, store in enumerate(stores):
            tasks.start_soon(store.append, KEY, [line(f"u{number}", "user", str(number))])
    loaded = await ClaudeAgentSessions(cerver).load(KEY)
    assert loaded is not None
    assert sorted(str(one["uuid"]) for one in loaded) == ["u0", "u1", "u2", "u3"]


async def test_a_sub_agent_is_a_child_and_a_large_line_is_whole(cerver: Cerver) -> None:
    store = ClaudeAgentSessions(cerver)
    sub = {**KEY, "subpath": "subagents/agent-1"}
    large = line("s1", "user", "x" * 700_000)
    await store.append(sub, [large])
    assert await store.load(sub) == [large]
    assert await store.list_subkeys(KEY) == ["subagents/agent-1"]
    child = next(one for one in (await cerver.sessions.list(ListSessions())).sessions if one.transcript_total)
    assert child.parent_session_id is not None


async def test_the_sdk_reads_and_lists_through_it(cerver: Cerver) -> None:
    store: Any = ClaudeAgentSessions(cerver)
    await store.append({**KEY, "project_key": "-srv-api"}, LINES)
    told = await get_session_messages_from_store(store, KEY["session_id"], directory="/srv/api")
    assert [message.uuid for message in told] == ["u1", "a1", "a2", "u2", "a3"]
    listed = await list_sessions_from_store(store, directory="/srv/api")
    assert [one.session_id for one in listed] == [KEY["session_id"]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image"])},
    optional=dict.fromkeys(("text", "thinking", "input", "content", "id", "name", "tool_use_id", "is_error"), JSON),
)
LINE = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "system", "x"]) | st.text(max_size=5)},
    optional={
        "timestamp": st.just(AT) | st.text(max_size=8),
        "message": JSON | st.fixed_dictionaries({"content": st.lists(BLOCK, max_size=2) | JSON}),
        "more": JSON,
    },
)


@given(st.lists(LINE, min_size=1, max_size=5), st.text(max_size=10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_line_holds_it_comes_back(cerver: Cerver, lines: list[dict[str, Any]], project: str) -> None:
    store = ClaudeAgentSessions(cerver)
    key = {"project_key": project, "session_id": f"{len(lines)}{lines!r}"[:150]}
    before = await store.load(key) or []
    await store.append(key, lines)
    assert await store.load(key) == [*before, *lines]
