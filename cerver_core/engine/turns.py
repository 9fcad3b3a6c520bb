"""What is said to a session, how what drives it says it stands, and which tool goes on with it."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from cerver_core.engine import views
from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.lifecycle import Lifecycles
from cerver_core.engine.policies import ROUTED, Policies
from cerver_core.engine.reachable import Reachable
from cerver_core.errors import (
    CerverError,
    ComputeNotFound,
    Forbidden,
    InvalidInput,
    NoComputeAvailable,
    ProviderUnavailable,
    SessionStateConflict,
)
from cerver_core.providers.base import Pausable
from cerver_core.stores.base import SessionChange, StoredSession
from cerver_core.wire.computes import ComputeChoice
from cerver_core.wire.sessions import AttachCompute, Lifecycle, SessionEnvelope, status_filter
from cerver_core.wire.transcripts import AppendReply, NewEntry
from cerver_core.wire.turns import TOOL_SWITCH, ReportStatus, SendInput, SwitchTool

__all__ = ["Turns"]

_ALIVE: frozenset[Lifecycle] = frozenset({"provisioning", "ready", "running", "idle", "paused"})
_STARTED: frozenset[Lifecycle] = frozenset({"provisioning", "ready", "running", "idle"})
_FAILED = "failed"
_OVER = frozenset({"ended", "terminated", "archived"})
_CLI_TOOLS = frozenset({"claude", "codex", "grok"})
_PASSED_OVER = (ComputeNotFound, NoComputeAvailable, ProviderUnavailable)


class Turns:
    """The turns of one account's sessions."""

    def __init__(self, context: Context, lifecycles: Lifecycles) -> None:
        self._context = context
        self._lifecycles = lifecycles
        self._policies = Policies(context)

    async def input(self, session_id: str, request: SendInput) -> AppendReply:
        """Append one entry."""
        if request.role != "user" and self._context.tenant.caller.kind == "publishable":
            raise Forbidden(f"a publishable key speaks as user, not as {request.role}: use a secret key on a server")
        entry = NewEntry(role=request.role, content=request.content)
        change = SessionChange(from_states=_ALIVE)
        if request.role == "user":
            session = await self._context.rows.sessions.get(session_id)
            change = await self._policies.at_turn(session, request.content, change)
        return await self._append(session_id, [entry], change)

    async def report_status(self, session_id: str, request: ReportStatus) -> SessionEnvelope:
        """Move the session to where it is said to stand."""
        word = request.status.strip().lower()
        status = status_filter(word)
        if status is None:
            raise InvalidInput(
                f"there is no status {request.status!r}; use running, idle, completed, failed or ended",
                allowed=["running", "idle", "completed", "failed", "ended"],
            )
        if word in _OVER:
            return await self._lifecycles.terminate(session_id, delete_workspace=False)
        if word == _FAILED:
            return await self._fail(session_id, request.end_reason)
        change = SessionChange(
            state="running" if status == "running" else "idle",
            updated_at_us=self._context.now_us(),
            from_states=_STARTED,
        )
        return self._envelope(await self._context.rows.sessions.change(session_id, change))

    async def _fail(self, session_id: str, reason: str | None) -> SessionEnvelope:
        session = await self._context.rows.sessions.get(session_id)
        if session.state == _FAILED:
            return self._envelope(session)
        now_us = self._context.now_us()
        change = SessionChange(
            state="failed",
            end_reason=self._context.masking.text(reason) if reason else _FAILED,
            ended_at_us=now_us,
            updated_at_us=now_us,
            from_states=_ALIVE,
        )
        failed = await self._context.rows.sessions.change(session_id, change)
        self._context.feed.wake(session_id)
        if failed.sandbox is not None and failed.provider is not None:
            provider = await Reachable(self._context).named(failed.provider, failed)
            if isinstance(provider, Pausable):
                await provider.pause(sandbox_from_json(failed))
        return self._envelope(failed)

    async def switch_tool(self, session_id: str, request: SwitchTool) -> SessionEnvelope:
        """Go on with another tool."""
        named = request.model_fields_set - {"content"}
        if not named:
            raise InvalidInput("say what to switch: cli_tool, cli_model, harness or compute", field="cli_tool")
        if "compute" in named:
            await self._lifecycles.attach(session_id, AttachCompute(compute=request.compute))
        session = await self._context.rows.sessions.get(session_id)
        before = _tool(session)
        after = _switched(before, request)
        entries = [_switch_entry(before, after)]
        if request.content:
            entries.append(NewEntry(role="user", content=request.content))
        merged = {name: after[name] for name in ("cli_tool", "cli_model") if after[name] != before[name]}
        routed = session.metadata.get(ROUTED)
        if isinstance(routed, dict) and after != before:
            merged[ROUTED] = {**routed, "chooses": []}  # what was switched explicitly is no policy's to choose
        harness = after["harness"]
        change = SessionChange(metadata_merge=self._context.masking.object(merged), from_states=_ALIVE)
        if isinstance(harness, str):
            change = replace(change, harness=harness)
        await self._append(session_id, entries, change)
        return self._envelope(await self._context.rows.sessions.get(session_id))

    async def attach_first(self, session_id: str, request: AttachCompute) -> SessionEnvelope:
        """Put the session on the first of several computes that can take it.

        Raises:
            NoComputeAvailable: none can; the message says what keeps each.
        """
        reasons: list[str] = []
        for compute_id in request.compute_priority:
            choice = {"compute": ComputeChoice(compute_id=compute_id), "compute_priority": ()}
            try:
                return await self._lifecycles.attach(session_id, request.model_copy(update=choice))
            except _PASSED_OVER as error:
                if len(request.compute_priority) == 1:
                    raise
                reasons.append(f"{compute_id}: {error.message}")
        raise NoComputeAvailable(f"no compute of the list can take this session: {'; '.join(reasons)}")

    async def _append(self, session_id: str, entries: list[NewEntry], change: SessionChange) -> AppendReply:
        try:
            appended = await self._context.journal.append(session_id, entries, change=change)
        except SessionStateConflict as error:
            raise _over(session_id, error) from error
        return AppendReply(session_id=session_id, seqs=appended.seqs, added=appended.added, last_seq=appended.last_seq)

    def _envelope(self, session: StoredSession) -> SessionEnvelope:
        return views.envelope(session, self._context.clock.now())


def _over(session_id: str, error: CerverError) -> SessionStateConflict:
    return SessionStateConflict(
        f"session {session_id} has ended: its transcript is closed; spawn a child or create another", **error.detail
    )


def _tool(session: StoredSession) -> dict[str, JsonValue]:
    return {
        "harness": session.harness,
        "cli_tool": session.metadata.get("cli_tool"),
        "cli_model": session.metadata.get("cli_model"),
    }


def _switched(before: Mapping[str, JsonValue], request: SwitchTool) -> dict[str, JsonValue]:
    after = dict(before)
    tool = request.cli_tool or (request.harness if request.harness in _CLI_TOOLS else None)
    if tool is not None:
        after["cli_tool"] = tool
        after["harness"] = request.harness or tool
    elif request.harness is not None:
        after["harness"] = request.harness
        after["cli_tool"] = None
    if request.cli_model is not None:
        after["cli_model"] = request.cli_model or None
    elif after["cli_tool"] != before["cli_tool"]:
        after["cli_model"] = None  # another tool's model means nothing to this one
    return after


def _switch_entry(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> NewEntry:
    said = f"switched from {_named(before)} to {_named(after)}"
    return NewEntry(role="system", kind=TOOL_SWITCH, content=said, tool_input={"from": dict(before), "to": dict(after)})


def _named(tool: Mapping[str, JsonValue]) -> str:
    name = str(tool["cli_tool"] or tool["harness"] or "no tool")
    return f"{name} ({tool['cli_model']})" if tool["cli_model"] else name
