"""The part of the suite about what is said to sessions, what drives them, and registered machines."""

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import ComputeNotFound, InvalidInput, NotFound, ProviderUnavailable, SessionStateConflict
from cerver_core.testing.cerver.road import Road, memory, read_all, sandbox
from cerver_core.wire.machines import HeartbeatCompute, RegisterCompute, RelayRequest
from cerver_core.wire.sessions import AttachCompute, CreateSession
from cerver_core.wire.turns import ReportStatus, SendInput, SwitchTool

__all__ = ["TurnContract"]

_MACHINE = "comp_00112233445566aa"


class TurnContract(Road):
    """Input, status, switches; machines."""

    async def test_an_input_appends_exactly_one_entry(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        reply = await cerver.sessions.input(session_id, SendInput(content="go on"))
        assert (reply.seqs, reply.last_seq) == ((1,), 1)
        await cerver.sessions.input(session_id, SendInput(content="noted", role="system"))
        assert [(entry.role, entry.kind, entry.content) for entry in await read_all(cerver, session_id)] == [
            ("user", "text", "go on"),
            ("system", "text", "noted"),
        ]
        await cerver.sessions.terminate(session_id)
        with pytest.raises(SessionStateConflict, match="has ended"):
            await cerver.sessions.input(session_id, SendInput(content="too late"))

    async def test_what_drives_a_session_says_how_it_stands(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)

        async def told(status: str) -> tuple[str, str, str | None]:
            await cerver.sessions.report_status(session_id, ReportStatus(status=status, end_reason="cli exited"))
            record = await cerver.sessions.get(session_id)
            return record.status, record.state, record.end_reason

        assert await told("running") == ("running", "running", None)
        assert await told("completed") == ("idle", "idle", None)
        assert await told("starting") == ("running", "running", None)
        assert await told("failed") == ("ended", "failed", "cli exited")
        assert await told("failed") == ("ended", "failed", "cli exited")
        with pytest.raises(SessionStateConflict):
            await told("running")
        with pytest.raises(InvalidInput, match="running, idle, completed"):
            await told("sleepy")

    async def test_a_switch_of_the_tool_appends_one_entry_and_what_is_said_next(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(CreateSession(compute=None, harness="claude"))
        await cerver.sessions.switch_tool(made.session_id, SwitchTool(cli_tool="codex", cli_model="gpt-5"))
        await cerver.sessions.switch_tool(made.session_id, SwitchTool(cli_model="", content="now you"))
        record = await cerver.sessions.get(made.session_id)
        assert (record.harness, record.metadata) == ("codex", {"cli_tool": "codex"})
        first, second, said = await read_all(cerver, made.session_id)
        assert (first.role, first.kind, first.content) == (
            "system",
            "tool_switch",
            "switched from claude to codex (gpt-5)",
        )
        assert first.tool_input == {
            "from": {"harness": "claude", "cli_tool": None, "cli_model": None},
            "to": {"harness": "codex", "cli_tool": "codex", "cli_model": "gpt-5"},
        }
        assert (second.kind, second.content) == ("tool_switch", "switched from codex (gpt-5) to codex")
        assert (said.role, said.content) == ("user", "now you")
        with pytest.raises(InvalidInput, match="say what to switch"):
            await cerver.sessions.switch_tool(made.session_id, SwitchTool(content="and?"))

    async def test_the_first_compute_that_can_take_a_session_does(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        (here,) = (await cerver.computes.list()).computes
        moved = await cerver.sessions.attach(
            session_id, AttachCompute(compute_priority=("comp_nowhere", here.compute_id))
        )
        assert (moved.session_id, moved.compute_id) == (session_id, here.compute_id)
        with pytest.raises(ComputeNotFound):
            await cerver.sessions.attach(session_id, AttachCompute(compute_priority=("comp_nowhere",)))

    async def test_a_failed_session_ends_its_processes(self, cerver: Cerver) -> None:
        session_id = await sandbox(cerver)
        done = await cerver.sessions.report_status(session_id, ReportStatus(status="failed"))
        assert (done.status, (await cerver.sessions.get(session_id)).end_reason) == ("failed", "failed")

    async def test_a_saved_agent_that_is_not_there_makes_no_session(self, cerver: Cerver) -> None:
        with pytest.raises(NotFound, match="no saved agent"):
            await cerver.sessions.create(CreateSession(agent="agt_nobody", compute=None))

    async def test_a_registered_machine_is_listed_until_it_is_removed(self, cerver: Cerver) -> None:
        request = RegisterCompute(compute_id=_MACHINE, label="studio", capabilities={"cli_tools": ["claude"]})
        made = await cerver.computes.register(request)
        assert (made.label, made.provider, made.status) == ("studio", "cerver_local_provider", "ready")
        listed = {compute.compute_id: compute for compute in (await cerver.computes.list()).computes}
        assert listed[_MACHINE].capabilities == {"cli_tools": ["claude"]}
        assert listed[_MACHINE].last_heartbeat_at is not None
        again = await cerver.computes.heartbeat(_MACHINE, HeartbeatCompute(metadata={"mode": "headless"}))
        assert (again.label, again.capabilities) == ("studio", {"cli_tools": ["claude"]})
        gone = await cerver.computes.heartbeat(_MACHINE, HeartbeatCompute(status="offline"))
        assert gone.status == "offline"
        assert (await cerver.computes.remove(_MACHINE)).status == "removed"
        assert _MACHINE not in {compute.compute_id for compute in (await cerver.computes.list()).computes}

    async def test_a_machine_that_is_not_there_or_not_connected_is_said_to_be_so(self, cerver: Cerver) -> None:
        for compute_id in ("comp_nowhere", "x" * 300):
            with pytest.raises(ComputeNotFound):
                await cerver.computes.heartbeat(compute_id, HeartbeatCompute())
            with pytest.raises(ComputeNotFound):
                await cerver.computes.remove(compute_id)
            with pytest.raises(ComputeNotFound):
                await cerver.computes.relay(compute_id, RelayRequest(path="/"))
        await cerver.computes.register(RegisterCompute(compute_id=_MACHINE))
        with pytest.raises(ProviderUnavailable, match="offline"):
            await cerver.computes.relay(_MACHINE, RelayRequest(path="/api/cerver/provider"))
