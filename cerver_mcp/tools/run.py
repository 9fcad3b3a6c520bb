"""The tool that runs code, with progress while it lasts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import anyio
from pydantic import Field

from cerver_core.api import Cerver
from cerver_core.errors import CerverError, ProviderFailed
from cerver_core.render.cut import cut_text
from cerver_core.wire.computes import ExecFinished, ExecOutput, ExecRequest, ExecResult, Requirements, Runtime
from cerver_core.wire.sessions import CreateSession
from cerver_mcp.tools.base import Args, Call, Progress, Record, SessionRef, Tool, hints, record_schema

__all__ = ["OUTPUT_CHARACTERS", "RUN"]

OUTPUT_CHARACTERS = 8_000
"""What a reply shows of stdout and stderr together."""

_PROGRESS_EVERY_S = 1.0


class RunArgs(Args):
    """What to run, where and how."""

    code: str
    runtime: Annotated[Runtime, Field(description="Default shell")] = "shell"
    session_id: Annotated[SessionRef | None, Field(description="Default: a new session")] = None
    timeout_s: Annotated[float | None, Field(gt=0, description="Default and maximum 1200")] = None
    secrets: Annotated[list[str] | None, Field(max_length=64, description="Names; set as variables, redacted")] = None
    cwd: str | None = None


async def _run(call: Call, args: RunArgs) -> Record:
    given = args.model_dump(exclude={"session_id", "secrets"}, exclude_none=True)
    request = ExecRequest.model_validate({**given, "secrets": tuple(args.secrets or ())})
    cerver = await call.cerver()
    if args.session_id is not None:
        return _reply(await _execute(cerver, await call.session(args.session_id), request, call.progress))
    async with _new_session(cerver, args.runtime) as session_id:
        return _reply(await _execute(cerver, session_id, request, call.progress))


@asynccontextmanager
async def _new_session(cerver: Cerver, runtime: Runtime) -> AsyncGenerator[str]:
    """Open a session for one call; when nothing could run in it, it is ended again."""
    opening = CreateSession(metadata={"source": "mcp"}, requirements=Requirements(runtime=runtime))
    session_id = (await cerver.sessions.create(opening)).session_id
    try:
        yield session_id
    except CerverError:
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            await cerver.sessions.terminate(session_id)
        raise


async def _execute(cerver: Cerver, session_id: str, request: ExecRequest, progress: Progress | None) -> ExecResult:
    if progress is None:
        return await cerver.computes.exec(session_id, request)
    counter = _Counter()
    outcome: ExecResult | CerverError = ProviderFailed("the execution ended without a result")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_report, counter, progress)
        try:
            outcome = await _stream(cerver, session_id, request, counter)
        except CerverError as error:
            outcome = error  # raised below, so that it does not leave inside an exception group
        tasks.cancel_scope.cancel()
    if isinstance(outcome, CerverError):
        raise outcome
    return outcome


async def _stream(cerver: Cerver, session_id: str, request: ExecRequest, counter: "_Counter") -> ExecResult:
    async with cerver.computes.exec_stream(session_id, request) as events:
        async for event in events:
            if isinstance(event, ExecOutput):
                counter.lines += event.text.count("\n")
            elif isinstance(event, ExecFinished):
                return event.result
    raise ProviderFailed("the execution ended without a result")


class _Counter:
    """Counts the lines that came so far."""

    def __init__(self) -> None:
        self.lines = 0


async def _report(counter: _Counter, progress: Progress) -> None:
    started = anyio.current_time()
    while True:
        await anyio.sleep(_PROGRESS_EVERY_S)
        elapsed = anyio.current_time() - started
        await progress(elapsed, f"running for {elapsed:.0f} s, {counter.lines:,} lines of output")


def _reply(result: ExecResult) -> Record:
    stdout, stderr = _cut(result)
    cut = stdout != result.stdout or stderr != result.stderr or result.truncated
    facts: Record = {
        "session_id": result.session_id,
        "exit_code": result.exit_code,
        "timed_out": result.timed_out or None,
        "stdout": stdout,
        "stderr": stderr,
        "duration_ms": round(result.duration_ms, 1),
        "stdout_bytes": result.stdout_bytes if cut else None,
        "stderr_bytes": result.stderr_bytes if cut else None,
        "more": _next_call(result) if cut else None,
        "isolation_level": result.isolation_level,
        "seq": result.seq,
        "notes": list(result.notes) or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _cut(result: ExecResult) -> tuple[str, str]:
    """Share the room: what one stream does not need, the other may take."""
    half = OUTPUT_CHARACTERS // 2
    for_stderr = max(half, OUTPUT_CHARACTERS - len(result.stdout))
    for_stdout = max(half, OUTPUT_CHARACTERS - len(result.stderr))
    return cut_text(result.stdout, for_stdout), cut_text(result.stderr, for_stderr)


def _next_call(result: ExecResult) -> str | None:
    if result.seq is None:
        return None
    return f'cerver_session_export(session_id="{result.session_id}", cursor="{result.seq - 1}")'


RUN = Tool(
    name="cerver_run",
    about="Execute code (shell, Python, Node) in a session's sandbox and wait.",
    args=RunArgs,
    run=_run,
    annotations=hints(destroys=True, open_world=True),
    output=record_schema(session_id="string", exit_code="integer", stdout="string", stderr="string"),
)
