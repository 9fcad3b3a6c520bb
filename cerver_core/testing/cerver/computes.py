"""The computes and files part of the suite."""

import anyio
import pytest

from cerver_core.api import Cerver
from cerver_core.errors import (
    FileMissing,
    InvalidInput,
    NotSupported,
    PathEscapesWorkspace,
    SecretNotFound,
    SessionNotFound,
)
from cerver_core.testing.cerver.road import LIMIT_S, SECRET, Road, read_all, sandbox
from cerver_core.wire.computes import (
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecStarted,
    WriteFile,
)
from cerver_core.wire.sandboxes import Lifetime, Port
from cerver_core.wire.transcripts import ReadTranscript

__all__ = ["ComputeContract"]


class ComputeContract(Road):
    """Executions and files in a session's sandbox."""

    async def test_an_execution_answers_with_its_streams_apart_and_its_exit_code(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        result = await cerver.computes.exec(session_id, ExecRequest(code="echo out; echo err >&2; exit 3"))
        assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 3)
        assert (result.session_id, result.provider, result.timed_out) == (session_id, "local", False)
        assert result.isolation_level in {"process", "confined", "sandbox"}

    async def test_what_ran_and_what_came_back_are_in_the_transcript(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        result = await cerver.computes.exec(session_id, ExecRequest(code="echo hello; exit 1"))
        used, came_back = await read_all(cerver, session_id)
        assert (used.role, used.kind, used.tool_id) == ("assistant", "tool_use", result.tool_id)
        assert isinstance(used.tool_input, dict)
        assert used.tool_input["code"] == "echo hello; exit 1"
        assert (came_back.seq, came_back.kind, came_back.tool_id) == (result.seq, "tool_result", result.tool_id)
        assert came_back.is_error is True
        assert "hello" in came_back.content
        assert "exit 1" in came_back.content
        assert (await cerver.sessions.get(session_id)).state == "idle"

    async def test_a_stream_starts_shows_output_and_finishes(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        kinds: list[str] = []
        text = ""
        async with cerver.computes.exec_stream(session_id, ExecRequest(code="echo a; echo b")) as events:
            async for event in events:
                kinds.append(event.type)
                if isinstance(event, ExecOutput):
                    text += event.text
                if isinstance(event, ExecFinished):
                    assert event.result.stdout == "a\nb\n"
                if isinstance(event, ExecStarted):
                    assert event.session_id == session_id
        assert (kinds[0], kinds[-1], text) == ("started", "finished", "a\nb\n")

    async def test_the_session_runs_while_it_runs_and_leaving_a_stream_kills(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        with anyio.fail_after(LIMIT_S):
            async with cerver.computes.exec_stream(session_id, ExecRequest(code="echo up; sleep 1000")) as events:
                async for event in events:
                    if isinstance(event, ExecOutput):
                        break
                assert (await cerver.sessions.get(session_id)).status == "running"
            # A gateway learns a moment later that nobody listens any more.
            while (await cerver.sessions.get(session_id)).state != "idle":  # noqa: ASYNC110 - nothing tells of it
                await anyio.sleep(0.01)
        last = (await read_all(cerver, session_id))[-1]
        assert (last.kind, last.is_error) == ("tool_result", True)
        assert last.content.startswith("cancelled")

    async def test_a_timeout_kills_and_says_so(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        result = await cerver.computes.exec(session_id, ExecRequest(code="echo begun; sleep 1000", timeout_s=0.5))
        assert (result.timed_out, result.exit_code, result.stdout) == (True, 124, "begun\n")

    async def test_a_timeout_over_the_sessions_limit_is_refused(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver, timeout_minutes=1)
        with pytest.raises(InvalidInput, match="60 s"):
            await cerver.computes.exec(session_id, ExecRequest(code="true", timeout_s=61))
        assert await read_all(cerver, session_id) == ()

    async def test_python_runs_and_fails_as_python_does(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver, runtime="python")
        result = await cerver.computes.exec(session_id, ExecRequest(code="import sys; print(6 * 7); sys.exit(4)"))
        assert (result.stdout, result.exit_code) == ("42\n", 4)
        failed = await cerver.computes.exec(session_id, ExecRequest(code="1 / 0"))
        assert failed.exit_code == 1
        assert "ZeroDivisionError" in failed.stderr

    async def test_a_named_secret_reaches_the_code_and_no_reader(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        code = 'test -n "$SUITE_TOKEN" && echo "got $SUITE_TOKEN"; printf %s "$SUITE_TOKEN" | base64'
        result = await cerver.computes.exec(session_id, ExecRequest(code=code, secrets=("SUITE_TOKEN",)))
        assert result.exit_code == 0
        assert "got [secret:SUITE_TOKEN]" in result.stdout
        raw = (await cerver.transcripts.read(session_id, ReadTranscript(full=True, whole=True))).raw
        assert SECRET not in result.stdout + "".join(raw)
        assert "c3VpdGUtczNjcmV0" not in result.stdout + "".join(raw)
        without = await cerver.computes.exec(session_id, ExecRequest(code='echo "[$SUITE_TOKEN]"'))
        assert without.stdout == "[]\n"

    async def test_a_secret_that_cannot_be_had_stops_the_run_before_it_starts(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        with pytest.raises(SecretNotFound, match="NO_SUCH_SECRET"):
            await cerver.computes.exec(session_id, ExecRequest(code="touch ran", secrets=("NO_SUCH_SECRET",)))
        assert (await cerver.files.list(session_id)).entries == ()

    async def test_a_flood_is_kept_head_and_tail_with_its_true_size(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        code = "echo first; head -c 5000000 /dev/zero | tr '\\0' x; echo last"
        result = await cerver.computes.exec(session_id, ExecRequest(code=code))
        assert (result.truncated, result.stdout_bytes) == (True, 5_000_011)
        assert len(result.stdout) < 1_100_000
        assert result.stdout.startswith("first\n")
        assert result.stdout.endswith("last\n")

    async def test_bytes_that_are_not_utf8_do_no_harm(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        result = await cerver.computes.exec(session_id, ExecRequest(code=r"printf 'a\377\000b'"))
        assert result.stdout == "a\ufffd\x00b"

    async def test_files_go_in_and_out_and_never_leave(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        await cerver.files.write(session_id, WriteFile(path="deep/er/a.bin", content=b"\x00\xff"))
        assert await cerver.files.read(session_id, "deep/er/a.bin") == b"\x00\xff"
        listed = await cerver.files.list(session_id, recursive=True)
        assert [(entry.path, entry.kind) for entry in listed.entries] == [
            ("deep", "folder"),
            ("deep/er", "folder"),
            ("deep/er/a.bin", "file"),
        ]
        for path in ("../up", "/etc/passwd", "deep/../../up"):
            with pytest.raises(PathEscapesWorkspace):
                await cerver.files.read(session_id, path)
            with pytest.raises(PathEscapesWorkspace):
                await cerver.files.write(session_id, WriteFile(path=path, content=b""))
        with pytest.raises(FileMissing):
            await cerver.files.read(session_id, "nothing")

    async def test_what_this_machine_cannot_do_with_a_sandbox_is_said(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        with pytest.raises(NotSupported, match="local cannot make a port"):
            await cerver.computes.host(session_id, Port(port=8000))
        with pytest.raises(NotSupported, match="local have no end"):
            await cerver.computes.set_lifetime(session_id, Lifetime(timeout=60))
        with pytest.raises(SessionNotFound):
            await cerver.computes.host("00000000-0000-4000-8000-000000000000", Port(port=8000))
