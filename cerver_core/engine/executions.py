"""One execution: its secrets, its command, its output redacted and capped; what is written of it is in `record.py`."""

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
from pydantic import JsonValue

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.output import Capture
from cerver_core.engine.reachable import Reachable
from cerver_core.engine.record import ExecRecord, Plan
from cerver_core.engine.secret_sources import SecretSources
from cerver_core.engine.spending import Meter
from cerver_core.errors import CerverError, InvalidInput, ProviderFailed
from cerver_core.providers.base import Command, Exited, Output, Provider
from cerver_core.redaction import Redactor
from cerver_core.render.executions import as_content
from cerver_core.stores.base import StoredSession
from cerver_core.wire.computes import (
    ExecEvent,
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecResult,
    ExecStarted,
    InstallRequest,
    Requirements,
)

__all__ = ["Executions"]

_RECORD_LIMIT_S = 10


class Executions:
    """Runs code in the sandboxes of one account's sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._vaults = SecretSources(context)
        self._reachable = Reachable(context)
        self._meter = Meter(context.tenant, context.rows.records, context.clock)

    @asynccontextmanager
    async def open(
        self, session_id: str, request: ExecRequest, *, is_streamed: bool
    ) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        """Run code; yields its events. Leaving before the end kills it and records that."""
        started_s = self._context.clock.monotonic()
        session = await self._context.rows.sessions.get(session_id)
        provider = await self._reachable.of_session(session)
        needs = Requirements.model_validate(session.requirements)
        timeout_s = _timeout_s(request.timeout_s, needs)
        values, redactor, notes = await self._secrets(session, request)
        command = Command(
            code=request.code,
            runtime=request.runtime or needs.runtime,
            timeout_s=timeout_s,
            env={**request.env, **values},
            cwd=request.cwd,
        )
        sandbox = sandbox_from_json(session)
        plan = Plan(
            session=session,
            stream=provider.exec(sandbox, command),
            tool_input=_tool_input(request, command),
            timeout_s=timeout_s,
            redactor=redactor,
            isolation=await provider.isolation(sandbox),
            is_streamed=is_streamed,
            notes=notes,
        )
        async with self._held(provider), self._charged(plan), self._recorded(plan, started_s) as events:
            yield events

    @asynccontextmanager
    async def open_install(self, session_id: str, request: InstallRequest) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        """Install packages, recorded as any execution."""
        started_s = self._context.clock.monotonic()
        session = await self._context.rows.sessions.get(session_id)
        provider = await self._reachable.of_session(session)
        timeout_s = _timeout_s(request.timeout_s, Requirements.model_validate(session.requirements))
        sandbox = sandbox_from_json(session)
        plan = Plan(
            session=session,
            stream=provider.install(sandbox, request, timeout_s=timeout_s),
            tool_input={"installer": request.installer, "packages": list(request.packages)},
            timeout_s=timeout_s,
            redactor=self._context.known.redactor,
            isolation=await provider.isolation(sandbox),
        )
        async with self._held(provider), self._charged(plan), self._recorded(plan, started_s) as events:
            yield events

    @asynccontextmanager
    async def _held(self, provider: Provider) -> AsyncGenerator[None]:
        with self._reachable.busy(provider):
            yield

    def _charged(self, plan: Plan) -> AbstractAsyncContextManager[None]:
        session = plan.session
        return self._meter.execution(str(session.provider), session.project, timeout_s=plan.timeout_s)

    async def _secrets(
        self, session: StoredSession, request: ExecRequest
    ) -> tuple[dict[str, str], Redactor, tuple[str, ...]]:
        values: dict[str, str] = {}
        if request.secrets:
            async with self._vaults.of_session(session, request.secrets) as vault:
                for name in dict.fromkeys(request.secrets):
                    values[name] = (await vault.fetch(name)).value
        redactor = self._context.known.redactor.with_secrets(values)
        short = [name for name in redactor.too_short if name in values]
        notes = (f"too short to be redacted (under 8 characters): {', '.join(short)}",) if short else ()
        return values, redactor, notes

    @asynccontextmanager
    async def _recorded(self, plan: Plan, started_s: float) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        record = ExecRecord(self._context, plan, started_s)
        reason = "cancelled: the caller went away and the command was killed"
        try:
            async with plan.stream as raw:
                with record.scope:
                    await record.begin()
                    yield _events(plan, record, raw)
        except CerverError as error:
            reason = f"failed: {error.message}"
            raise
        finally:
            if record.is_open:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_RECORD_LIMIT_S):
                    await record.close(reason, is_error=True)
        if record.failure is not None:
            raise record.failure


async def _events(plan: Plan, record: ExecRecord, raw: AsyncIterator[Output | Exited]) -> AsyncGenerator[ExecEvent]:
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


async def _next(raw: AsyncIterator[Output | Exited], record: ExecRecord, provider: str) -> Output | Exited:
    try:
        with anyio.fail_after(record.left_s()):
            return await anext(raw)
    except TimeoutError as error:
        raise ProviderFailed(f"provider {provider} did not end an execution that had timed out") from error
    except StopAsyncIteration as error:
        raise ProviderFailed(f"provider {provider} ended a stream without an exit") from error


def _result(plan: Plan, record: ExecRecord, end: Exited, stdout: Capture, stderr: Capture) -> ExecResult:
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
