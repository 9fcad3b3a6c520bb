"""The lifecycle against a model small enough to be right: hypothesis plays any order of calls on both."""

import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio.from_thread
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from cerver_core.api import Cerver
from cerver_core.errors import SequenceConflict, SessionStateConflict
from cerver_core.wire.computes import ComputeChoice
from cerver_core.wire.sessions import AttachCompute, CreateSession, ListSessions, SpawnSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from tests.engine.roads import embedded

T = TypeVar("T")
FULL = ReadTranscript(full=True)
LOCAL = ComputeChoice(provider="local")


@dataclass
class Modelled:
    """What a session must be, as the model sees it."""

    id: str
    has_compute: bool
    contents: list[str]
    state: str = "ready"

    @property
    def is_over(self) -> bool:
        return self.state == "terminated"


class Lifecycle(RuleBasedStateMachine):
    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        home = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.portal: BlockingPortal = self.stack.enter_context(anyio.from_thread.start_blocking_portal())
        road: AbstractContextManager[Cerver] = self.portal.wrap_async_context_manager(embedded(home))
        self.cerver = self.stack.enter_context(road)
        self.made: list[Modelled] = []

    def teardown(self) -> None:
        self.stack.close()

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        return self.portal.call(work)

    def refused(self, work: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(SessionStateConflict):
            self.call(work)

    @rule(target=sessions, has_compute=st.booleans(), task=st.sampled_from(["", "a task"]))
    def create(self, has_compute: bool, task: str) -> Modelled:
        request = CreateSession(compute=LOCAL if has_compute else None, task=task)
        made = self.call(lambda: self.cerver.sessions.create(request))
        assert made.status == "ready"
        modelled = Modelled(made.session_id, has_compute, [task] if task else [])
        self.made.append(modelled)
        return modelled

    @rule(target=sessions, parent=sessions)
    def spawn(self, parent: Modelled) -> Modelled:
        child = self.call(lambda: self.cerver.sessions.spawn(parent.id, SpawnSession(task="help")))
        assert child.parent_session_id == parent.id
        modelled = Modelled(child.session_id, child.provider == "local", ["help"])
        self.made.append(modelled)
        return modelled

    @rule(session=sessions, texts=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
    def append(self, session: Modelled, texts: list[str]) -> None:
        request = AppendEntries(entries=tuple(NewEntry(role="user", content=text) for text in texts))
        if session.is_over:
            self.refused(lambda: self.cerver.transcripts.append(session.id, request))
            return
        reply = self.call(lambda: self.cerver.transcripts.append(session.id, request))
        first = len(session.contents) + 1
        assert reply.seqs == tuple(range(first, first + len(texts)))
        session.contents.extend(texts)

    @rule(session=sessions, off_by=st.sampled_from([-1, 1, 5]))
    def append_expecting_another_end(self, session: Modelled, off_by: int) -> None:
        expected = len(session.contents) + off_by
        if session.is_over or expected < 0:
            return
        entry = NewEntry(role="user", content="never")
        request = AppendEntries(entries=(entry,), expected_seq=expected)
        with pytest.raises(SequenceConflict) as caught:
            self.call(lambda: self.cerver.transcripts.append(session.id, request))
        assert caught.value.detail["last_seq"] == len(session.contents)

    @rule(session=sessions)
    def pause(self, session: Modelled) -> None:
        if session.is_over or not session.has_compute:
            self.refused(lambda: self.cerver.sessions.pause(session.id))
            return
        assert self.call(lambda: self.cerver.sessions.pause(session.id)).status == "paused"
        session.state = "paused"

    @rule(session=sessions)
    def resume(self, session: Modelled) -> None:
        if session.is_over or not session.has_compute:
            self.refused(lambda: self.cerver.sessions.resume(session.id))
            return
        assert self.call(lambda: self.cerver.sessions.resume(session.id)).status == "ready"
        session.state = "ready"

    @rule(session=sessions, has_compute=st.booleans())
    def attach(self, session: Modelled, has_compute: bool) -> None:
        request = AttachCompute(compute=LOCAL if has_compute else None)
        if session.is_over:
            self.refused(lambda: self.cerver.sessions.attach(session.id, request))
            return
        assert self.call(lambda: self.cerver.sessions.attach(session.id, request)).status == "ready"
        session.state, session.has_compute = "ready", has_compute

    @rule(session=consumes(sessions), delete_workspace=st.booleans())
    def terminate(self, session: Modelled, delete_workspace: bool) -> None:
        def end() -> Awaitable[object]:
            return self.cerver.sessions.terminate(session.id, delete_workspace=delete_workspace)

        self.call(end)
        self.call(end)
        session.state = "terminated"

    @invariant()
    def every_session_is_what_the_model_says(self) -> None:
        for session in self.made:
            record = self.call(lambda session=session: self.cerver.sessions.get(session.id))
            assert (record.state, record.message_count) == (session.state, len(session.contents))
            page = self.call(lambda session=session: self.cerver.transcripts.read(session.id, FULL))
            assert [entry.content for entry in page.entries] == session.contents
            assert [entry.seq for entry in page.entries] == list(range(1, len(session.contents) + 1))

    @invariant()
    def the_list_holds_each_session_once(self) -> None:
        listed = self.call(lambda: self.cerver.sessions.list(ListSessions(limit=200)))
        assert sorted(row.session_id for row in listed.sessions) == sorted(session.id for session in self.made)


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
