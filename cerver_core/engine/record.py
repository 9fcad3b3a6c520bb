"""The record of one execution: its two entries in the transcript, whatever becomes of it.

`tool_use` says what runs, `tool_result` what came of it. What runs is written when it has run for a moment, and at
once for a stream; an execution that is over before that gets both entries in one transaction, which costs it half. So
a crash within that moment can leave a command without an entry, never one whose outcome was acknowledged and lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import anyio
from pydantic import JsonValue

from cerver_core.engine.context import Context
from cerver_core.errors import CerverError
from cerver_core.ids import new_tool_id
from cerver_core.metrics import MetricDelta
from cerver_core.providers.base import CommandStream
from cerver_core.redaction import Redactor
from cerver_core.stores.base import ClosedExec, OpenExec, SessionChange, StoredSession
from cerver_core.wire.computes import Isolation
from cerver_core.wire.sessions import Lifecycle
from cerver_core.wire.transcripts import NewEntry

__all__ = ["ExecRecord", "Plan"]

_CAN_RUN: frozenset[Lifecycle] = frozenset({"ready", "idle", "running"})
_MOMENT_S = 0.01
_OVERDUE_S = 30
"""How long a provider may be late in ending what has timed out, before it counts as broken."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided before anything ran."""

    session: StoredSession
    stream: CommandStream
    tool_input: Mapping[str, JsonValue]
    timeout_s: float
    redactor: Redactor
    isolation: Isolation | None = None
    is_streamed: bool = False
    notes: tuple[str, ...] = ()


class ExecRecord:
    """Writes the record of one execution. `failure` is why what runs could not be written; `scope` ends it then."""

    def __init__(self, context: Context, plan: Plan, started_s: float) -> None:
        self._context = context
        self._plan = plan
        self._started_s = started_s
        self._started_us = context.now_us()
        self._is_intended = False
        self._ending = anyio.Event()
        self._writing = anyio.Lock()
        self.masking = context.masking
        self.tool_id = new_tool_id()
        self.scope = anyio.CancelScope()
        self.failure: CerverError | None = None
        self.is_open = False

    def elapsed_ms(self) -> float:
        """Tell how long ago the execution was asked for."""
        return round((self._context.clock.monotonic() - self._started_s) * 1_000, 3)

    def left_s(self) -> float:
        """Tell how long the provider may still take."""
        return max(0.0, self._plan.timeout_s + _OVERDUE_S - self.elapsed_ms() / 1_000)

    async def begin(self) -> None:
        """Write what runs: now for a stream, else in a moment, unless it is over by then."""
        self.is_open = True
        if self._plan.is_streamed:
            await self._intend()
        else:
            self._context.tasks.start_soon(self._intend_in_a_moment)

    async def _intend_in_a_moment(self) -> None:
        with anyio.move_on_after(_MOMENT_S):
            await self._ending.wait()
            return
        try:
            await self._intend()
        except CerverError as error:
            self.is_open = False
            self.failure = error
            self.scope.cancel()

    async def _intend(self) -> None:
        async with self._writing:
            if not self.is_open:
                return
            await self._context.journal.append(
                self._plan.session.id,
                [self._tool_use()],
                change=SessionChange(from_states=_CAN_RUN),
                opens=self._open_exec(),
                redactor=self._plan.redactor,
            )
            self._is_intended = True

    async def close(self, content: str, *, is_error: bool, delta: MetricDelta | None = None) -> int:
        """Write what came of it, and what ran if that is not written yet; returns the seq of the outcome."""
        self._ending.set()
        outcome = NewEntry(role="tool", kind="tool_result", tool_id=self.tool_id, content=content, is_error=is_error)
        async with self._writing:
            appended = await self._context.journal.append(
                self._plan.session.id,
                [outcome] if self._is_intended else [self._tool_use(), outcome],
                change=None if self._is_intended else SessionChange(from_states=_CAN_RUN),
                delta=delta,
                opens=None if self._is_intended else self._open_exec(),
                closes=ClosedExec(self.tool_id),
                redactor=self._plan.redactor,
            )
            self.is_open = False
        return appended.seqs[-1]

    def _open_exec(self) -> OpenExec:
        return OpenExec(self.tool_id, self._context.holder, self._started_us)

    def _tool_use(self) -> NewEntry:
        tool_input = dict(self._plan.tool_input)
        return NewEntry(
            role="assistant", kind="tool_use", tool_id=self.tool_id, tool_name="exec", tool_input=tool_input
        )

    def delta(self, stream_open_ms: float) -> MetricDelta:
        """Say what the execution adds to the session's metrics."""
        took_ms = self.elapsed_ms()
        run = MetricDelta(first_exec_at_us=self._started_us, last_exec_ms=took_ms)
        if self._plan.is_streamed:
            return replace(run, streams=1, stream_open_ms=stream_open_ms)
        return replace(run, execs=1, exec_ms=took_ms)
