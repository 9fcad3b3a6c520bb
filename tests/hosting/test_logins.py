from dataclasses import replace
from datetime import timedelta

import pytest

from cerver_core.engine.hosting import EngineHost
from cerver_core.engine.logins import EngineLogins
from cerver_core.errors import Forbidden, Unauthorized
from cerver_core.testing.clock import ManualClock
from cerver_core.wire.account import CreateInvite
from cerver_core.wire.logins import DeviceLogin, DeviceLoginState, PollDeviceLogin, StartDeviceLogin
from tests.hosting.roads import Person, account_of, key_of


async def _poll(host: EngineHost, login: DeviceLogin) -> DeviceLoginState:
    return await host.logins.poll(PollDeviceLogin(device_code=login.device_code))


async def test_a_machine_gets_a_key_once_after_a_person_approved_it(host: EngineHost, ann: Person) -> None:
    login = await host.logins.start(StartDeviceLogin(machine_name="laptop"))
    assert login.verification_uri == f"http://127.0.0.1:8787/approve?code={login.user_code}"
    assert (login.expires_in, login.interval) == (900, 5)
    told = await _poll(host, login)
    assert (told.status, told.error) == ("pending", "authorization_pending")
    waiting = await host.logins.waiting(login.user_code.lower().replace("-", " "))
    assert waiting is not None
    assert (waiting.user_code, waiting.machine_name, waiting.minutes_left) == (login.user_code, "laptop", 15)
    assert await host.logins.approve(login.user_code, await host.authenticate(ann.key))
    told = await _poll(host, login)
    assert (told.status, told.account_id, told.user_id) == ("approved", ann.account_id, ann.account_id)
    assert told.access_token is not None
    assert (await host.authenticate(told.access_token)).account_id == ann.account_id
    again = await _poll(host, login)
    assert (again.access_token, again.error) == (None, "expired_token")
    labels = [key.label for key in (await (await ann.cerver()).account.list_keys()).keys]
    assert sorted(labels) == ["first", "login of laptop"]


async def test_a_login_that_was_denied_or_waited_too_long_gets_nothing(
    host: EngineHost, ann: Person, clock: ManualClock
) -> None:
    denied, late = [await host.logins.start(StartDeviceLogin()) for _ in range(2)]
    assert await host.logins.deny(denied.user_code)
    assert (await _poll(host, denied)).error == "access_denied"
    assert not await host.logins.approve(denied.user_code, await host.authenticate(ann.key))
    clock.advance(timedelta(minutes=16))
    assert (await _poll(host, late)).error == "expired_token"
    assert await host.logins.waiting(late.user_code) is None
    assert not await host.logins.approve(late.user_code, await host.authenticate(ann.key))
    for made_up in ("made-up", "", "x" * 5_000, "\n"):
        assert (await host.logins.poll(PollDeviceLogin(device_code=made_up))).error == "invalid_device_code"


async def test_a_login_ends_with_the_key_that_approved_it(host: EngineHost, ann: Person, clock: ManualClock) -> None:
    short = await key_of(ann, scope="global", expires_in_days=7)
    approver = await host.authenticate(short.key)
    login = await host.logins.start(StartDeviceLogin())
    await host.logins.approve(login.user_code, approver)
    key = (await _poll(host, login)).access_token
    assert key is not None
    assert approver.expires_at is not None
    assert (await host.authenticate(key)).expires_at == approver.expires_at
    clock.advance(timedelta(days=8))
    with pytest.raises(Unauthorized):
        await host.authenticate(key)


async def test_a_login_gets_what_the_approver_has_and_no_more(host: EngineHost, owner: Person, ann: Person) -> None:
    reader = await key_of(ann, scopes=["read", "write"], scope="global")
    login = await host.logins.start(StartDeviceLogin())
    with pytest.raises(Forbidden):
        await host.logins.approve(login.user_code, await host.authenticate(reader.key))
    bound = await key_of(ann, project_slug="web")
    await host.logins.approve(login.user_code, await host.authenticate(bound.key))
    key = (await _poll(host, login)).access_token
    caller = await host.authenticate(str(key))
    assert (caller.project_slug, caller.is_operator) == ("web", False)
    login = await host.logins.start(StartDeviceLogin())
    await host.logins.approve(login.user_code, await host.authenticate(owner.key))
    assert (await host.authenticate(str((await _poll(host, login)).access_token))).is_operator


async def test_an_invitation_works_once_and_leads_to_a_new_account_or_back_into_one(
    host: EngineHost, owner: Person, clock: ManualClock
) -> None:
    admin = (await owner.cerver()).admin
    ann = await account_of(owner, "ann@example.com")
    back = (await admin.invite(CreateInvite(account_id=ann.account_id))).url.partition("token=")[2]
    assert await host.logins.invitation(back) == ann.account_id
    made = await host.logins.accept(back)
    assert (made.account_id, made.is_new) == (ann.account_id, False)
    assert (await host.authenticate(made.api_key)).account_id == ann.account_id
    with pytest.raises(Forbidden, match="used or too old"):
        await host.logins.accept(back)
    twice = (await admin.invite(CreateInvite(email="ann@example.com"))).url.partition("token=")[2]
    with pytest.raises(Forbidden, match="has an account"):
        await host.logins.accept(twice)
    late = (await admin.invite(CreateInvite(expires_in_days=1))).url.partition("token=")[2]
    clock.advance(timedelta(days=2))
    assert await host.logins.invitation(late) is None
    with pytest.raises(Forbidden):
        await host.logins.accept(late)


async def test_a_trial_ends_by_itself(host: EngineHost, clock: ManualClock) -> None:
    options = replace(host.hosting.options, allows_trials=True)
    key = (await EngineLogins(replace(host.hosting, options=options), clock).trial()).api_key
    assert (await host.authenticate(key)).is_operator is False
    clock.advance(timedelta(days=8))
    with pytest.raises(Unauthorized):
        await host.authenticate(key)
