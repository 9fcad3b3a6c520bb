"""Copying between two Cervers: everything arrives once, under the same id, however often it is begun again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.connect import connect
from cerver_core.moving import Moved, Moving
from cerver_core.testing.cerver.road import memory, read_all, said
from cerver_core.wire.sessions import CreateSession, ListSessions, SessionRecord, SpawnSession, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from tests.engine.roads import settings_for


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Cerver]:
    async with connect(settings_for(tmp_path / "here")) as cerver:
        yield cerver


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Cerver]:
    async with connect(settings_for(tmp_path / "there")) as cerver:
        yield cerver


async def _move(source: Cerver, target: Cerver) -> list[Moved]:
    moving = Moving(source, target)
    return [await moving.copy(record) for record in await moving.look()]


async def _all(cerver: Cerver) -> tuple[SessionRecord, ...]:
    return (await cerver.sessions.list(ListSessions(limit=200))).sessions


async def test_a_session_arrives_as_it_was(here: Cerver, there: Cerver) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    request = CreateSession(
        session_name="storage", session_type="transcript", harness="claude", metadata={"a": {"b": 1}}, created_at=at
    )
    session_id = (await here.sessions.create(request)).session_id
    entries = [
        NewEntry(role="user", content="which store?", id="u1", at=at),
        NewEntry(role="assistant", kind="tool_use", tool_id="t1", tool_name="Bash", tool_input={"x": [1]}, at=at),
        NewEntry(role="tool", kind="tool_result", content="y" * 600_000, tool_id="t1", is_error=True, at=at),
    ]
    append = AppendEntries(entries=tuple(entries), is_history=True)
    await here.transcripts.append(session_id, append)
    assert await _move(here, there) == [Moved(session_id, "new", 3)]
    ours, theirs = await here.sessions.get(session_id), await there.sessions.get(session_id)
    assert theirs.model_dump(exclude={"metrics"}) == ours.model_dump(exclude={"metrics"})
    assert await read_all(there, session_id) == await read_all(here, session_id)


async def test_what_is_new_is_added_and_nothing_twice(here: Cerver, there: Cerver) -> None:
    session_id = await memory(here, "inbox")
    await here.transcripts.append(session_id, said("one"))
    await _move(here, there)
    assert await _move(here, there) == [Moved(session_id, "same", 0)]
    await here.transcripts.append(session_id, said("two", "three"))
    await here.sessions.update(session_id, UpdateSession(metadata={"k": 1}, session_name="renamed"))
    assert await _move(here, there) == [Moved(session_id, "grown", 2)]
    assert [entry.content for entry in await read_all(there, session_id)] == ["one", "two", "three"]
    arrived = await there.sessions.get(session_id)
    assert (arrived.session_name, arrived.metadata) == ("renamed", {"k": 1})


async def test_a_session_that_goes_on_elsewhere_is_left_as_it_is(here: Cerver, there: Cerver) -> None:
    session_id = await memory(here)
    await here.transcripts.append(session_id, said("one"))
    await _move(here, there)
    await there.transcripts.append(session_id, said("theirs"))
    await here.transcripts.append(session_id, said("ours"))
    assert await _move(here, there) == [Moved(session_id, "differs", 0)]
    assert [entry.content for entry in await read_all(there, session_id)] == ["one", "theirs"]


async def test_children_stay_under_their_parents_and_the_ended_stay_ended(here: Cerver, there: Cerver) -> None:
    parent = await memory(here, "parent")
    child = (await here.sessions.spawn(parent, SpawnSession(task="help"))).session_id
    await here.sessions.terminate(child)
    await _move(here, there)
    arrived = await there.sessions.get(child)
    assert (arrived.parent_session_id, arrived.state) == (parent, "terminated")
    assert [entry.content for entry in await read_all(there, child)] == ["help"]
    assert {record.session_id for record in await _all(there)} == {parent, child}


async def test_only_what_was_active_since_and_of_the_project_is_looked_at(here: Cerver) -> None:
    old = CreateSession(session_type="transcript", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    await here.sessions.create(old)
    new = (await here.sessions.create(CreateSession(session_type="transcript", project_slug="site"))).session_id
    moving = Moving(here, here)
    recent = await moving.look(since=datetime(2026, 6, 1, tzinfo=UTC))
    assert [record.session_id for record in recent] == [new]
    assert [record.session_id for record in await moving.look(project="site")] == [new]
