"""Where sessions come to stand: in the fallback order, with every attempt on record and nothing left behind."""

from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from cerver_core.engine.placement import Placement
from cerver_core.engine.retention import Retention
from cerver_core.errors import InvalidInput, NoComputeAvailable, NotSupported, ProviderUnavailable, TooLarge
from cerver_core.stores.base import StoredSession
from cerver_core.testing.clock import ManualClock
from cerver_core.wire.computes import ComputeChoice, ExecRequest, Requirements, WriteFile
from cerver_core.wire.policies import PutPolicy
from cerver_core.wire.routing import Policy, RecommendRequest
from cerver_core.wire.sessions import AttachCompute, CreateSession
from tests.routing.places import Elsewhere, opened

LIMIT_S = 20


def clouds(home: Path) -> tuple[Elsewhere, Elsewhere]:
    return Elsewhere(home, "e2b"), Elsewhere(home, "vercel")


async def test_a_session_lands_on_the_first_provider_that_works(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.fails.append(ProviderUnavailable("e2b: the quota is used up"))
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(CreateSession(policy=Policy(mode="fastest")))
        assert made.provider == "vercel"
        routing = made.routing
        assert routing is not None
        assert routing.recommended_provider == "e2b"
        assert [(attempt.provider, attempt.ok, attempt.reason) for attempt in routing.attempts] == [
            ("e2b", False, "e2b: the quota is used up"),
            ("vercel", True, None),
        ]
        assert made.metrics.predicted_startup_ms == routing.predicted_startup_ms == 671.0
        kept = (await cerver.sessions.get(made.session_id)).routing
        assert kept == routing
        done = await cerver.computes.exec(made.session_id, ExecRequest(code="echo here"))
        assert (done.stdout, done.provider) == ("here\n", "vercel")


async def test_what_was_seen_is_learnt(tmp_path: Path) -> None:
    clock = ManualClock()
    e2b = Elsewhere(tmp_path, "e2b", takes=timedelta(seconds=3), clock=clock)
    async with opened(tmp_path, (e2b,), clock=clock) as cerver:
        first = await cerver.sessions.create(CreateSession())
        assert first.metrics.uptime_percent is None
        later = [await cerver.sessions.create(CreateSession()) for _ in range(4)]
        assert later[-1].metrics.uptime_percent == 100.0
        entry = next(one for one in (await cerver.routing.providers()).providers if one.name == "e2b")
        assert (entry.attempts, entry.answered, entry.uptime_percent) == (5, 5, 100.0)
        assert entry.observed is not None
        startup = entry.observed.startup_ms
        assert (startup.n, startup.source) == (5, "account")
        assert 2_400 < startup.value < 3_100
        assert startup.low < startup.value < startup.high


async def test_a_provider_that_fails_twice_rests_and_is_tried_again(tmp_path: Path) -> None:
    clock = ManualClock()
    e2b, vercel = clouds(tmp_path)
    e2b.fails.extend([ProviderUnavailable("down")] * 2)
    asks = CreateSession(policy=Policy(order=("e2b", "vercel")))
    async with opened(tmp_path, (e2b, vercel), clock=clock) as cerver:
        for _ in range(3):
            assert (await cerver.sessions.create(asks)).provider == "vercel"
        assert e2b.asked == 2
        report = await cerver.routing.recommend(RecommendRequest(policy=asks.policy))
        verdict = next(one for one in report.providers if one.name == "e2b")
        assert [refusal.code for refusal in verdict.refusals] == ["ejected"]
        assert verdict.refusals[0].until == clock.now() + timedelta(minutes=5)
        clock.advance(timedelta(minutes=5, seconds=1))
        assert (await cerver.sessions.create(asks)).provider == "e2b"


async def test_a_provider_that_rests_is_asked_when_nothing_else_is_left(tmp_path: Path) -> None:
    e2b = Elsewhere(tmp_path, "e2b")
    e2b.fails.extend([ProviderUnavailable("down")] * 2)
    async with opened(tmp_path, (e2b,)) as cerver:
        for _ in range(2):
            with pytest.raises(NoComputeAvailable, match="e2b: down"):
                await cerver.sessions.create(CreateSession())
        assert (await cerver.sessions.create(CreateSession())).provider == "e2b"


async def test_nothing_that_works_is_a_conflict_with_the_report_and_the_attempts(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.fails.append(ProviderUnavailable("no room"))
    vercel.fails.append(ProviderUnavailable("no room either"))
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        with pytest.raises(NoComputeAvailable) as caught:
            await cerver.sessions.create(CreateSession())
        detail = caught.value.detail
        attempts, providers = detail["attempts"], detail["providers"]
        assert isinstance(attempts, list)
        assert isinstance(providers, list)
        assert len(attempts) == 2
        assert len(providers) == 8
        assert (await cerver.context.rows.sessions.find("", limit=5)) == []


async def test_the_caller_s_own_mistake_is_not_carried_elsewhere(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.fails.append(InvalidInput("no such template"))
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        with pytest.raises(InvalidInput, match="template"):
            await cerver.sessions.create(CreateSession(policy=Policy(mode="fastest")))
        assert (e2b.asked, vercel.asked) == (1, 0)


async def test_what_one_provider_lacks_another_may_have_and_nobody_is_blamed(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.fails.append(NotSupported("e2b cannot cut a sandbox off from the network"))
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(CreateSession(policy=Policy(mode="fastest")))
        assert made.provider == "vercel"
        entry = next(one for one in (await cerver.routing.providers()).providers if one.name == "e2b")
        assert entry.attempts == 0


async def test_a_boot_that_takes_too_long_is_given_up_and_what_it_made_is_destroyed(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.leaves_half = True
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        for provider in (e2b, vercel):
            await provider.describe()  # what it finds out once is no part of a boot
        placement = Placement(cerver.context, boot_limit_s=4)
        with anyio.fail_after(LIMIT_S):
            place = await placement.place("session-1", RecommendRequest(policy=Policy(mode="fastest")), None)
            assert place.provider is vercel
            assert place.routing.attempts[0].reason == "e2b had no sandbox ready within 4 s"
            await e2b.all_gone.wait()
        assert e2b.standing == {}


async def test_the_sweep_destroys_what_a_crash_left_half_made(tmp_path: Path) -> None:
    clock = ManualClock()
    e2b = Elsewhere(tmp_path, "e2b")
    async with opened(tmp_path, (e2b,), clock=clock) as cerver:
        placement = Placement(cerver.context)
        now_us = cerver.context.now_us()
        crashed = StoredSession("left-behind", "provisioning", now_us, now_us)
        await cerver.context.rows.sessions.create(crashed)
        await placement.place(crashed.id, RecommendRequest(), None)
        kept = await cerver.sessions.create(CreateSession())
        clock.advance(timedelta(minutes=16))
        await Retention(cerver.context).sweep()
        assert (await cerver.sessions.get(crashed.id)).state == "failed"
        assert [session_id for _, session_id in e2b.standing.values()] == [kept.session_id]


async def test_an_explicit_choice_beats_the_policy_and_every_score(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    policy = {"name": "p", "default": {"compute": "e2b", "harness": "codex", "model": "m"}}
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        await cerver.routing.put_policy(PutPolicy.model_validate({"routing_policy": policy}))
        routed = await cerver.sessions.create(CreateSession())
        assert (routed.provider, routed.harness) == ("e2b", "codex")
        record = await cerver.sessions.get(routed.session_id)
        assert record.metadata["cli_model"] == "m"
        assert record.metadata["routing_policy"] == {
            "name": "p",
            "rule": "default",
            "chooses": ["harness", "model"],
        }
        chosen = await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="vercel"), harness="claude"))
        assert (chosen.provider, chosen.harness) == ("vercel", "claude")
        memory = await cerver.sessions.create(CreateSession(compute=None))
        assert memory.provider == "none"


async def test_the_policy_s_order_comes_before_the_score(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    policy = {"name": "p", "compute": {"consume": {"order": ["vercel", "e2b"]}}}
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        assert (await cerver.sessions.create(CreateSession())).provider == "e2b"
        await cerver.routing.put_policy(PutPolicy.model_validate({"routing_policy": policy}))
        assert (await cerver.sessions.create(CreateSession())).provider == "vercel"
        vercel.fails.append(ProviderUnavailable("down"))
        assert (await cerver.sessions.create(CreateSession())).provider == "e2b"


async def test_a_session_moves_with_its_files_and_keeps_its_transcript(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(CreateSession(task="go", compute=ComputeChoice(provider="e2b")))
        await cerver.files.write(made.session_id, WriteFile(path="deep/kept.txt", content=b"kept"))
        moved = await cerver.sessions.attach(
            made.session_id, AttachCompute(compute=ComputeChoice(provider="vercel"), carry_workspace=True)
        )
        assert moved.provider == "vercel"
        assert moved.carried is not None
        assert (moved.carried.files, moved.carried.bytes) == (1, 4)
        assert await cerver.files.read(made.session_id, "deep/kept.txt") == b"kept"
        assert e2b.standing == {}
        assert (await cerver.sessions.get(made.session_id)).transcript_total == 1


async def test_a_workspace_over_the_limit_stays_where_it_is(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="e2b")))
        await cerver.files.write(made.session_id, WriteFile(path="big", content=b"x" * 11))
        asks = AttachCompute(compute=ComputeChoice(provider="vercel"), carry_workspace=True, max_carry_bytes=10)
        with pytest.raises(TooLarge, match="11 bytes"):
            await cerver.sessions.attach(made.session_id, asks)
        assert vercel.asked == 0
        assert (await cerver.sessions.get(made.session_id)).provider == "e2b"


async def test_what_a_session_left_on_a_provider_that_is_down_is_destroyed_when_that_is_back(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(CreateSession(compute=ComputeChoice(provider="e2b")))
        e2b.keeps.extend([ProviderUnavailable("down"), ProviderUnavailable("still down")])
        moved = await cerver.sessions.attach(
            made.session_id, AttachCompute(compute=ComputeChoice(provider="vercel"), carry_workspace=False)
        )
        assert moved.provider == "vercel"
        retention = Retention(cerver.context)
        await retention.sweep()
        assert len(e2b.standing) == 1
        await retention.sweep()
        assert (len(e2b.standing), len(vercel.standing)) == (0, 1)
        e2b.keeps.append(ProviderUnavailable("asked again though nothing is left"))
        await retention.sweep()
        assert len(e2b.keeps) == 1


async def test_a_canary_runs_on_both_and_its_winner_gets_the_session(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    e2b.fails.append(ProviderUnavailable("down"))
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        made = await cerver.sessions.create(
            CreateSession(canary=True, policy=Policy(mode="fastest"), requirements=Requirements(runtime="python"))
        )
        assert made.provider == "vercel"
        assert made.routing is not None
        canary = made.routing.canary
        assert canary is not None
        assert canary.winner == "vercel"
        probes = {probe.provider: probe for probe in canary.probes}
        assert (probes["e2b"].ok, probes["e2b"].reason) == (False, "down")
        assert (probes["vercel"].version or "").startswith("Python 3")
        assert canary.cost_usd is not None
        assert made.metrics.cost_estimate_usd == round(canary.cost_usd * 1_000_000) / 1_000_000
        assert list(vercel.standing) == [made.sandbox_id]


async def test_a_canary_over_its_cost_limit_is_not_run(tmp_path: Path) -> None:
    e2b, vercel = clouds(tmp_path)
    policy = {"name": "p", "canary": {"enabled": True, "max_usd": 0}}
    async with opened(tmp_path, (e2b, vercel)) as cerver:
        await cerver.routing.put_policy(PutPolicy.model_validate({"routing_policy": policy}))
        made = await cerver.sessions.create(CreateSession(policy=Policy(mode="resilient")))
        assert made.routing is not None
        assert made.routing.canary is not None
        assert "the limit is 0" in (made.routing.canary.skipped or "")
        assert e2b.asked + vercel.asked == 1
