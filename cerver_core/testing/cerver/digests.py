"""The part of the suite about digests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from cerver_core.api import Cerver
from cerver_core.errors import InvalidInput, SessionNotFound
from cerver_core.testing.cerver.road import Road, memory, said
from cerver_core.wire.digests import Digest, DigestTranscripts
from cerver_core.wire.sessions import CreateSession, SpawnSession
from cerver_core.wire.transcripts import AppendEntries

__all__ = ["DigestContract"]


async def _digest(cerver: Cerver, *sessions: str, **fields: object) -> Digest:
    request = DigestTranscripts.model_validate({"sessions": sessions, **fields})
    return await cerver.transcripts.digest(request)


def _call(tool_id: str, tool_name: str, result: str, *, is_error: bool = False, **given: object) -> Sequence[object]:
    use = {"role": "assistant", "kind": "tool_use", "tool_id": tool_id, "tool_name": tool_name, "tool_input": given}
    came = {"role": "tool", "kind": "tool_result", "tool_id": tool_id, "content": result, "is_error": is_error}
    return [use, came]


async def _tell(cerver: Cerver, session_id: str, *entries: object) -> None:
    await cerver.transcripts.append(session_id, AppendEntries.model_validate({"entries": entries}))


class DigestContract(Road):
    """Digests of one session, and of several."""

    async def test_a_digest_tells_what_was_decided_written_and_broken_and_how_it_stands(self, cerver: Cerver) -> None:
        session_id = await memory(cerver, "store")
        await _tell(
            cerver,
            session_id,
            {"role": "user", "content": "Which store do we take?"},
            {"role": "assistant", "content": "There are two. We decided to use SQLite instead of Postgres on laptops."},
            *_call("a", "Write", "ok", file_path="/srv/store.py", content="x"),
            *_call("b", "Bash", "running\nE   ImportError: no apsw\n", is_error=True, command="pytest -q"),
            *_call("c", "Bash", "3 passed", command="pytest -q"),
            *_call("d", "Bash", "fatal: not a git repository", is_error=True, command="git push"),
            *_call("e", "Edit", "no such file", is_error=True, file_path="/srv/gone.py"),
            *_call("f", "TodoWrite", "ok", todos=[{"content": "write docs", "status": "pending"}]),
            {"role": "user", "content": "Is it done?"},
            {"role": "assistant", "content": "All but the push."},
        )
        (one,) = (await _digest(cerver, session_id)).sessions
        assert (one.session_id, one.title, one.entries, one.entries_read) == (session_id, "store", 16, 16)
        assert one.asked is not None
        assert (one.asked.seq, one.asked.text) == (1, "Which store do we take?")
        assert [(point.seq, point.text) for point in one.decisions] == [
            (2, "We decided to use SQLite instead of Postgres on laptops.")
        ]
        assert [(file.path, file.how) for file in one.files] == [("/srv/store.py", "created")]
        broke = [(failure.command, failure.outcome, failure.mended) for failure in one.failures]
        assert broke == [
            ("pytest -q", "E ImportError: no apsw", True),
            ("git push", "fatal: not a git repository", False),
            ("/srv/gone.py", "no such file", False),
        ]
        assert one.open_items == ("write docs",)
        assert [(point.seq, point.role, point.text) for point in one.last] == [
            (15, "user", "Is it done?"),
            (16, "assistant", "All but the push."),
        ]

    async def test_a_digest_keeps_to_its_budget_and_counts_what_it_leaves_out(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        texts = [f"We decided to use part number {at} of maker {at * 7} for the {at * 3}th wheel." for at in range(90)]
        await cerver.transcripts.append(session_id, said(*texts))
        digest = await _digest(cerver, session_id, max_tokens=400)
        (one,) = digest.sessions
        assert 0 < len(one.decisions) < 20
        assert one.decisions_left_out == 90 - len(one.decisions)
        assert sum(len(point.text) for point in one.decisions) <= 1_600
        assert await _digest(cerver, session_id, max_tokens=400) == digest

    async def test_a_digest_of_a_time_outlines_what_was_said_in_it(self, cerver: Cerver) -> None:
        old, new = await memory(cerver, "old"), await memory(cerver, "new")
        before = (datetime.now(UTC) - timedelta(days=30)).isoformat()
        told = AppendEntries.model_validate(
            {"entries": [{"role": "user", "content": "long ago", "at": before}], "is_history": True}
        )
        await cerver.transcripts.append(old, told)
        await cerver.transcripts.append(new, told)
        await cerver.transcripts.append(new, said("just now"))
        late = await _digest(cerver, since="yesterday")
        assert [one.session_id for one in late.sessions] == [new]
        assert [point.text for point in late.sessions[0].last] == ["just now"]
        assert late.since is not None
        assert (late.sessions[0].entries, late.sessions[0].entries_read) == (2, 1)
        with pytest.raises(InvalidInput, match="since"):
            await _digest(cerver, since="sometime")

    async def test_a_digest_of_the_last_sessions_leaves_out_what_they_spawned(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession(compute=None, session_name="one", project_slug="p"))
        other = await memory(cerver, "other")
        child = await cerver.sessions.spawn(made.session_id, SpawnSession(task="part of it"))
        await cerver.transcripts.append(other, said("hello"))
        await cerver.transcripts.append(made.session_id, said("hi"))
        assert [one.session_id for one in (await _digest(cerver)).sessions] == [made.session_id, other]
        assert [one.session_id for one in (await _digest(cerver, project="p")).sessions] == [made.session_id]
        first = await _digest(cerver, limit=1)
        assert ([one.session_id for one in first.sessions], first.more) == ([made.session_id], True)
        named = await _digest(cerver, child.session_id, other)
        assert [one.session_id for one in named.sessions] == [child.session_id, other]

    async def test_a_digest_of_a_session_that_is_not_there_is_an_error(self, cerver: Cerver) -> None:
        with pytest.raises(SessionNotFound):
            await _digest(cerver, "se_nowhere")
        with pytest.raises(ValidationError, match="choose one of sessions and project"):
            DigestTranscripts(sessions=("a",), project="p")

    async def test_a_time_that_ends_before_it_begins_is_refused(self, cerver: Cerver) -> None:
        with pytest.raises(InvalidInput, match="lies after until"):
            await _digest(cerver, since="2026-05-04", until="2026-05-01")
