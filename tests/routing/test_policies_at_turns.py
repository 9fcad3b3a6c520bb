"""A policy over the life of a session: what later turns change, what the caller chose and keeps, what has no effect."""

from pathlib import Path

from cerver_core.engine.engine import AccountCerver
from cerver_core.policies import community_policy
from cerver_core.wire.policies import PutPolicy, RoutingPolicy
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.turns import SendInput, SwitchTool
from tests.routing.places import Elsewhere, opened

ESCALATES = PutPolicy(routing_policy=community_policy("escalate-on-struggle"))


async def model_of(cerver: AccountCerver, session_id: str) -> tuple[object, object]:
    session = await cerver.sessions.get(session_id)
    return session.metadata.get("cli_model"), session.harness


async def turns(cerver: AccountCerver, session_id: str, count: int) -> None:
    for number in range(count):
        await cerver.sessions.input(session_id, SendInput(content=f"turn {number}"))


async def test_a_session_that_goes_on_and_on_gets_a_stronger_model(tmp_path: Path) -> None:
    async with opened(tmp_path, (Elsewhere(tmp_path, "e2b"),)) as cerver:
        await cerver.routing.put_policy(ESCALATES)
        made = await cerver.sessions.create(CreateSession())
        await turns(cerver, made.session_id, 7)
        assert await model_of(cerver, made.session_id) == ("haiku", "claude")
        await turns(cerver, made.session_id, 1)
        assert await model_of(cerver, made.session_id) == ("sonnet", "claude")
        session = await cerver.sessions.get(made.session_id)
        assert session.transcript_total == 8
        assert session.metadata["routing_policy"] == {
            "name": "escalate-on-struggle",
            "rule": "more than six turns: a stronger one",
            "chooses": ["harness", "model"],
        }


async def test_a_long_prompt_gets_a_strong_model_for_its_turn_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, (Elsewhere(tmp_path, "e2b"),)) as cerver:
        await cerver.routing.put_policy(PutPolicy(routing_policy=community_policy("frugal-coder")))
        made = await cerver.sessions.create(CreateSession(task="short"))
        await cerver.sessions.input(made.session_id, SendInput(content="x" * 8_001))
        assert await model_of(cerver, made.session_id) == ("opus", "claude")
        await cerver.sessions.input(made.session_id, SendInput(content="and now?"))
        assert await model_of(cerver, made.session_id) == ("haiku", "claude")


async def test_what_the_caller_chose_stays_at_every_turn(tmp_path: Path) -> None:
    async with opened(tmp_path, (Elsewhere(tmp_path, "e2b"),)) as cerver:
        await cerver.routing.put_policy(ESCALATES)
        chosen = await cerver.sessions.create(CreateSession(harness="codex", metadata={"cli_model": "mine"}))
        await turns(cerver, chosen.session_id, 8)
        assert await model_of(cerver, chosen.session_id) == ("mine", "codex")


async def test_what_was_switched_is_no_longer_the_policys_to_choose(tmp_path: Path) -> None:
    async with opened(tmp_path, (Elsewhere(tmp_path, "e2b"),)) as cerver:
        await cerver.routing.put_policy(ESCALATES)
        made = await cerver.sessions.create(CreateSession())
        await cerver.sessions.switch_tool(made.session_id, SwitchTool(cli_tool="codex", cli_model="other"))
        await turns(cerver, made.session_id, 8)
        assert await model_of(cerver, made.session_id) == ("other", "codex")


async def test_what_has_no_effect_is_said_when_it_is_set_and_when_it_is_read(tmp_path: Path) -> None:
    policy = RoutingPolicy.model_validate(
        {
            "name": "ours",
            "rules": [{"name": "late", "match": {"turns_over": 3}, "route": {"compute": "e2b"}}],
            "compute": {"contribute": {"enabled": True}},
        }
    )
    async with opened(tmp_path, (Elsewhere(tmp_path, "e2b"),)) as cerver:
        told = await cerver.routing.put_policy(PutPolicy(routing_policy=policy))
        late, lent = told.notes
        assert "'late'" in late
        assert "compute.contribute is kept and has no effect" in lent
        assert await cerver.routing.policy() == told
        assert (await cerver.routing.put_policy(ESCALATES)).notes == ()
