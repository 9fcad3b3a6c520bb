"""One execution: its secrets, its command, its two entries in the transcript, its output redacted and capped.

The intent is written while the command starts, not before: a crash within that millisecond can leave a command
without an entry, never an entry whose outcome was acknowledged and lost.
"""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from pydantic import JsonValue

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.output import Capture
from cerver_core.errors import CerverError, InvalidInput, ProviderFailed
from cerver_core.ids import new_tool_id
from cerver_core.metrics import MetricDelta
from cerver_core.providers.base import Command, CommandStream, Exited, Output
from cerver_core.redaction import Redactor
from cerver_core.render.executions import as_content
from cerver_core.stores.base import ClosedExec, OpenExec, SessionChange, StoredSession
from cerver_core.wire.computes import (
    ExecEvent,
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecResult,
    ExecStarted,
    InstallRequest,
    Isolation,
    Requirements,
)
from cerver_core.wire.sessions import Lifecycle
from cerver_core.wire.transcripts import NewEntry

__all__ = ["Executions"]

_CAN_RUN: frozenset[Lifecycle] = frozenset({"ready", "idle", "running"})
_OVERDUE_S = 30
"""How long a provider may be late in ending what has timed out, before it counts as broken."""
_RECORD_LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was decided before anything ran."""

    session: StoredSession
    stream: CommandStream
    tool_input: Mapping[str, JsonValue]
    timeout_s: float
    redactor: Redactor
    isolation: Isolation | None = None
    is_streamed: bool = False
    notes: tuple[str, ...] = ()


class Executions:
    """Runs code in the sandboxes of one account's sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @asynccontextmanager
    async def open(
        self, session_id: str, request: ExecRequest, *, is_streamed: bool
    ) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        """Run code; yields its events. Leaving before the end kills it and records that."""
        started_s = self._context.clock.monotonic()
        session = await self._context.rows.sessions.get(session_id)
        provider = self._context.provider_of(session)
        needs = Requirements.model_validate(session.requirements)
        timeout_s = _timeout_s(request.timeout_s, needs)
        values, redactor, notes = await self._secrets(request)
        command = Command(
            code=request.code,
            runtime=request.runtime or needs.runtime,
            timeout_s=timeout_s,
            env={**request.env, **values},
            cwd=request.cwd,
        )
        sandbox = sandbox_from_json(session)
        plan = _Plan(
            session=session,
            stream=provider.exec(sandbox, command),
            tool_input=_tool_input(request, command),
            timeout_s=timeout_s,
            redactor=redactor,
            isolation=await provider.isolation(sandbox),
            is_streamed=is_streamed,
            notes=notes,
        )
        async with self._recorded(plan, started_s) as events:
            yield events

    @asynccontextmanager
    async def open_install(self, session_id: str, request: InstallRequest) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        """Install packages, recorded as any execution."""
        started_s = self._context.clock.monotonic()
        session = await self._context.rows.sessions.get(session_id)
        provider = self._context.provider_of(session)
        timeout_s = _timeout_s(request.timeout_s, Requirements.model_validate(session.requirements))
        sandbox = sandbox_from_json(session)
        plan = _Plan(
            session=session,
            stream=provider.install(sandbox, request, timeout_s=timeout_s),
            tool_input={"installer": request.installer, "packages": list(request.packages)},
            timeout_s=timeout_s,
            redactor=self._context.known.redactor,
            isolation=await provider.isolation(sandbox),
        )
        async with self._recorded(plan, started_s) as events:
            yield events

    async def _secrets(self, request: ExecRequest) -> tuple[dict[str, str], Redactor, tuple[str, ...]]:
        values: dict[str, str] = {}
        for name in dict.fromkeys(request.secrets):
            values[name] = (await self._context.secrets.fetch(name)).value
        redactor = self._context.known.redactor.with_secrets(values)
        short = [name for name in redactor.too_short if name in values]
        notes = (f"too short to be redacted (under 8 characters): {', '.join(short)}",) if short else ()
        return values, redactor, notes

    @asynccontextmanager
    async def _recorded(self, plan: _Plan, started_s: float) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        record = _Record(self._context, plan, started_s)
        reason = "cancelled: the caller went away and the command was killed"
        try:
            async with plan.stream as raw:
                await record.intend()
                yield _events(plan, record, raw)
        except CerverError as error:
            reason = f"failed: {error.message}"
            raise
        finally:
            if record.is_open:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_RECORD_LIMIT_S):
                    await record.close(reason, is_error=True)


class _Record:
    """The two entries of one execution: `tool_use` as it starts, `tool_result` when it has ended."""

    def __init__(self, context: Context, plan: _Plan, started_s: float) -> None:
        self._context = context
        self._plan = plan
        self._started_s = started_s
        self._started_us = context.now_us()
        self.masking = context.masking
        self.tool_id = new_tool_id()
        self.is_open = False

    def elapsed_ms(self) -> float:
        """Tell how long ago the execution was asked for."""
        return round((self._context.clock.monotonic() - self._started_s) * 1_000, 3)

    def left_s(self) -> float:
        """Tell how long the provider may still take."""
        return max(0.0, self._plan.timeout_s + _OVERDUE_S - self.elapsed_ms() / 1_000)

    async def intend(self) -> None:
        """Write what is running."""
        tool_input = dict(self._plan.tool_input)
        entry = NewEntry(
            role="assistant", kind="tool_use", tool_id=self.tool_id, tool_name="exec", tool_input=tool_input
        )
        await self._context.journal.append(
            self._plan.session.id,
            [entry],
            change=SessionChange(from_states=_CAN_RUN),
            opens=OpenExec(self.tool_id, self._context.holder, self._started_us),
            redactor=self._plan.redactor,
        )
        self.is_open = True

    async def close(self, content: str, *, is_error: bool, delta: MetricDelta | None = None) -> int:
        """Write what came of it; returns the seq of that entry."""
        entry = NewEntry(role="tool", kind="tool_result", tool_id=self.tool_id, content=content, is_error=is_error)
        appended = await self._context.journal.append(
            self._plan.session.id,
            [entry],
            delta=delta,
            closes=ClosedExec(self.tool_id),
            redactor=self._plan.redactor,
        )
        self.is_open = False
        return appended.seqs[0]

    def delta(self, stream_open_ms: float) -> MetricDelta:
        """Say what the execution adds to the session's metrics."""
        if self._plan.is_streamed:
            return MetricDelta(first_exec_at_us=self._started_us, streams=1, stream_open_ms=stream_open_ms)
        took_ms = self.elapsed_ms()
        return MetricDelta(first_exec_at_us=self._started_us, execs=1, exec_ms=took_ms, last_exec_ms=took_ms)


async def _events(plan: _Plan, record: _Record, raw: AsyncIterator[Output | Exited]) -> AsyncGenerator[ExecEvent]:
    open_ms = record.elapsed_ms()
    provider = str(plan.session.provider)
    yield ExecStarted(session_id=plan.session.id, provider=provider, stream_latency_ms=open_ms)
    captures = {name: Capture(plan.redactor, record.masking) for name in ("stdout", "stderr")}
    while not isinstance(event := await _next(raw, record, provider), Exited):
        text = captures[event.stream].take(event.data)
        if text:
            yield ExecOutput(stream=event.stream, text=text)
    for name in ("stdout", "stderr"):
        rest = captures[name].finish()
        if rest:
            yield ExecOutput(stream=name, text=rest)
    result = _result(plan, record, event, captures["stdout"], captures["stderr"])
    seq = await record.close(as_content(result), is_error=result.exit_code != 0, delta=record.delta(open_ms))
    yield ExecFinished(result=result.model_copy(update={"seq": seq}))


async def _next(raw: AsyncIterator[Output | Exited], record: _Record, provider: str) -> Output | Exited:
    try:
        with anyio.fail_after(record.left_s()):
            return await anext(raw)
    except TimeoutError as error:
        raise ProviderFailed(f"provider {provider} did not end an execution that had timed out") from error
    except StopAsyncIteration as error:
        raise ProviderFailed(f"provider {provider} ended a stream without an exit") from error


def _result(plan: _Plan, record: _Record, end: Exited, stdout: Capture, stderr: Capture) -> ExecResult:
    return ExecResult(
        session_id=plan.session.id,
        stdout=stdout.text(),
        stderr=stderr.text(),
        exit_code=end.exit_code,
        duration_ms=round(end.duration_ms, 3),
        timed_out=end.timed_out,
        stdout_bytes=stdout.total_bytes,
        stderr_bytes=stderr.total_bytes,
        truncated=stdout.truncated or stderr.truncated,
        output_truncated_by_orphan=end.orphan_held_output,
        provider=str(plan.session.provider),
        isolation_level=plan.isolation.level if plan.isolation else None,
        tool_id=record.tool_id,
        notes=(*plan.notes, *end.notes),
    )


def _timeout_s(asked: float | None, needs: Requirements) -> float:
    limit_s = needs.timeout_minutes * 60.0
    if asked is None:
        return limit_s
    if not math.isfinite(asked) or asked > limit_s:
        raise InvalidInput(
            f"timeout_s {asked:g} is over the session's limit of {limit_s:g} s: ask for less, or create the session "
            "with a larger requirements.timeout_minutes",
            limit_s=limit_s,
        )
    return asked


def _tool_input(request: ExecRequest, command: Command) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {
        "code": request.code,
        "runtime": command.runtime,
        "timeout_s": command.timeout_s,
    }
    if request.cwd is not None:
        said["cwd"] = request.cwd
    if request.env:
        names: list[JsonValue] = [*sorted(request.env)]
        said["env_names"] = names
    if request.secrets:
        said["secrets"] = list(request.secrets)
    return said
