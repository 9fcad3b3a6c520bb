"""What the engine does as time passes, processes end and clocks jump."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from cerver_core.engine.retention import Retention
from cerver_core.errors import SessionStateConflict
from cerver_core.redaction import KnownSecrets
from cerver_core.testing.clock import ManualClock
from cerver_core.wire.computes import ComputeChoice, ExecRequest, Requirements, WriteFile
from cerver_core.wire.sessions import CreateSession, ListSessions
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from tests.engine.roads import embedded

HELLO = AppendEntries(entries=(NewEntry(role="user", content="hello"),))


async def test_a_session_survives_the_process_that_made_it(tmp_path: Path) -> None:
    async with embedded(tmp_path) as cerver:
        made = await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="local")))
        await cerver.computes.exec(made.session_id, ExecRequest(code="echo kept > file"))
    async with embedded(tmp_path) as cerver:
        result = await cerver.computes.exec(made.session_id, ExecRequest(code="cat file"))
        assert result.stdout == "kept\n"
        assert (await cerver.sessions.get(made.session_id)).message_count == 4


async def test_fourteen_days_of_silence_end_a_session_that_can_still_be_resumed(tmp_path: Path) -> None:
    clock = ManualClock()
    async with embedded(tmp_path, clock=clock) as cerver:
        made = await cerver.sessions.create(CreateSession())
        clock.advance(timedelta(days=14, seconds=1))
        record = await cerver.sessions.get(made.session_id)
        assert (record.status, record.end_reason, record.state) == ("ended", "stale", "ready")
        ended = await cerver.sessions.list(ListSessions(status="ended"))
        assert [row.session_id for row in ended.sessions] == [made.session_id]
        assert (await cerver.sessions.list(ListSessions(status="idle"))).sessions == ()
        await cerver.sessions.resume(made.session_id)
        record = await cerver.sessions.get(made.session_id)
        assert (record.status, record.end_reason) == ("idle", None)


async def test_a_clock_set_back_loses_no_entry_and_no_order(tmp_path: Path) -> None:
    clock = ManualClock()
    async with embedded(tmp_path, clock=clock) as cerver:
        made = await cerver.sessions.create(CreateSession(compute=None))
        await cerver.transcripts.append(made.session_id, HELLO)
        before = await cerver.sessions.get(made.session_id)
        clock.advance(timedelta(hours=-5))
        reply = await cerver.transcripts.append(made.session_id, HELLO)
        assert reply.seqs == (2,)
        after = await cerver.sessions.get(made.session_id)
        assert after.updated_at >= before.updated_at
        assert after.metrics.session_length_ms == 0


async def test_a_workspace_of_medium_persistence_goes_after_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    async with embedded(tmp_path, clock=clock) as cerver:
        made = await cerver.sessions.create(CreateSession(requirements=Requirements(persistence_level="medium")))
        await cerver.files.write(made.session_id, WriteFile(path="a", content=b"1"))
        ended = await cerver.sessions.terminate(made.session_id)
        assert ended.workspace_kept_until == clock.now() + timedelta(hours=24)
        sweep = Retention(cerver.context).sweep
        clock.advance(timedelta(hours=23))
        await sweep()
        assert await cerver.files.read(made.session_id, "a") == b"1"
        clock.advance(timedelta(hours=2))
        await sweep()
        with pytest.raises(SessionStateConflict, match="no workspace"):
            await cerver.files.read(made.session_id, "a")
        assert not (tmp_path / "workspaces" / made.session_id).exists()


_RUNS_FOR_EVER = """
import sys, anyio
from pathlib import Path
from tests.engine.roads import embedded
from cerver_core.wire.computes import ExecOutput, ExecRequest
from cerver_core.wire.sessions import CreateSession

async def main():
    async with embedded(Path(sys.argv[1])) as cerver:
        made = await cerver.sessions.create(CreateSession())
        async with cerver.computes.exec_stream(made.session_id, ExecRequest(code="echo up; sleep 1000")) as events:
            async for event in events:
                if isinstance(event, ExecOutput):
                    print(made.session_id, flush=True)

anyio.run(main)
"""


async def test_an_execution_whose_process_was_killed_is_closed_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RUNS_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:  # noqa: ASYNC220 - bounded below
        assert victim.stdout is not None
        with anyio.fail_after(20):
            session_id = (await anyio.to_thread.run_sync(victim.stdout.readline)).strip()
        victim.kill()
        victim.wait()
    async with embedded(tmp_path) as cerver:
        assert (await cerver.sessions.get(session_id)).status == "running"
        await Retention(cerver.context).sweep()
        await Retention(cerver.context).sweep()
        record = await cerver.sessions.get(session_id)
        assert (record.status, record.state, record.message_count) == ("idle", "idle", 2)
        last = (await cerver.transcripts.read(session_id, ReadTranscript(tail=1))).entries[0]
        assert (last.kind, last.is_error) == ("tool_result", True)
        assert last.content.startswith("interrupted")


async def test_a_value_that_was_handed_out_is_masked_in_all_that_is_stored(tmp_path: Path) -> None:
    known = KnownSecrets()
    known.remember("API_KEY", "sk-live-0123456789")
    async with embedded(tmp_path, known=known) as cerver:
        leak = "key: sk-live-0123456789"
        made = await cerver.sessions.create(CreateSession(compute=None, task=leak, metadata={"k": leak}))
        entry = NewEntry(role="assistant", kind="tool_use", tool_id="t", tool_name="x", tool_input={"v": [leak]})
        await cerver.transcripts.append(made.session_id, AppendEntries(entries=(entry,)))
        record = await cerver.sessions.get(made.session_id)
        assert (record.task, record.metadata) == ("key: [secret:API_KEY]", {"k": "key: [secret:API_KEY]"})
    kept = _every_byte_under(tmp_path)
    assert b"sk-live-0123456789" not in kept
    assert b"[secret:API_KEY]" in kept


def _every_byte_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
