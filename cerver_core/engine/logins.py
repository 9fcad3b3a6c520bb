"""Ways to a key, on this machine: approved logins of machines, new accounts, invitations."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from cerver_core.api.caller import Caller
from cerver_core.api.logins import WaitingLogin
from cerver_core.clock import Clock, from_us, to_us
from cerver_core.engine.audit import Audit
from cerver_core.engine.directory import JsonObject, new_account_id
from cerver_core.engine.keys import Keys, NewKey
from cerver_core.engine.tenant import Hosting, Tenant
from cerver_core.errors import Forbidden, NotFound
from cerver_core.stores.records import Record
from cerver_core.wire.account import CreateInvite, Invite
from cerver_core.wire.logins import (
    DeviceLogin,
    DeviceLoginState,
    EmailLogin,
    LoggedIn,
    PollDeviceLogin,
    StartDeviceLogin,
    Trial,
)

__all__ = ["EngineLogins", "normal_email"]

_DEVICE = "device"
_USER_CODE = "user_code"
_INVITE = "invite"
_WAIT_S = 15 * 60
_INTERVAL_S = 5
_SECOND_US = 1_000_000
_DAY_US = 24 * 3600 * _SECOND_US
_TRIAL_DAYS = 7
_DEVICE_CODE = re.compile(r"[A-Za-z0-9_-]{43}")
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"  # none that look alike, no vowels: codes spell nothing
_CODE_LETTERS = 8
_NO_SIGN_UP = (
    "no account is made for this address: sign-up is closed here, or the address has an account already; log in with "
    "`cerver login`, or ask the operator for an invitation"
)


@dataclass(frozen=True, slots=True)
class _NewAccount:
    name: str
    email: str | None = None
    expires_in_days: int | None = None


class EngineLogins:
    """See `cerver_core.api.logins.Logins`. Codes and tokens are kept as hashes; keys are made when they are fetched."""

    def __init__(self, hosting: Hosting, clock: Clock) -> None:
        self._hosting = hosting
        self._directory = hosting.directory
        self._records = hosting.directory.records
        self._clock = clock

    async def start(self, request: StartDeviceLogin) -> DeviceLogin:
        """Begin a login of a machine."""
        now_us = self._directory.now_us()
        expires_at_us = now_us + _WAIT_S * _SECOND_US
        device_code = secrets.token_urlsafe(32)
        data: JsonObject = {"status": "pending", "machine_name": request.machine_name}
        while True:
            letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
            pointer: JsonObject = {"device": _hash(device_code)}
            made = await self._records.put(
                _USER_CODE, letters, pointer, now_us=now_us, expected_version=0, expires_at_us=expires_at_us
            )
            if made is not None:
                break
        await self._records.put(_DEVICE, _hash(device_code), data, now_us=now_us, expires_at_us=expires_at_us)
        user_code = f"{letters[:4]}-{letters[4:]}"
        return DeviceLogin(
            device_code=device_code,
            user_code=user_code,
            verification_uri=f"{self._hosting.options.base_url}/approve?code={user_code}",
            expires_in=_WAIT_S,
            interval=_INTERVAL_S,
        )

    async def poll(self, request: PollDeviceLogin) -> DeviceLoginState:
        """Tell how a login stands; the first to see the approval gets the key."""
        if not _DEVICE_CODE.fullmatch(request.device_code):
            return DeviceLoginState(status="error", error="invalid_device_code")
        device = _hash(request.device_code)
        record = await self._records.get(_DEVICE, device, now_us=self._directory.now_us())
        if record is None:
            return DeviceLoginState(status="expired", error="expired_token")
        status = record.data.get("status")
        if status == "pending":
            return DeviceLoginState(status="pending", error="authorization_pending")
        if status == "denied":
            return DeviceLoginState(status="denied", error="access_denied")
        if status == "approved" and await self._records.delete(_DEVICE, device, expected_version=record.version):
            return await self._let_in(record)
        return DeviceLoginState(status="error", error="invalid_device_code")

    async def _let_in(self, record: Record) -> DeviceLoginState:
        account_id = str(record.data["account_id"])
        machine = str(record.data.get("machine_name") or "a machine")
        is_operator = record.data.get("operator") is True
        project, ends_by_us = record.data.get("project_slug"), record.data.get("ends_by_us")
        made = await self._keys(account_id).create(
            NewKey(
                f"login of {machine}",
                project_slug=project if isinstance(project, str) else None,
                is_operator=is_operator,
                ends_by=from_us(ends_by_us) if isinstance(ends_by_us, int) else None,
            )
        )
        return DeviceLoginState(status="approved", access_token=made.key, account_id=account_id, user_id=account_id)

    async def email(self, request: EmailLogin) -> LoggedIn:
        """Make an account for a new address where sign-up is open."""
        email = normal_email(request.email)
        made = None
        if self._hosting.options.signup == "open":
            made = await self._new_account(_NewAccount(name=email.partition("@")[0], email=email))
        if made is None:
            raise Forbidden(_NO_SIGN_UP)
        return made

    async def trial(self) -> Trial:
        """Make an account that ends by itself."""
        if not self._hosting.options.allows_trials:
            raise Forbidden("this gateway gives no trial accounts: ask its operator for an invitation")
        new = _NewAccount("trial", f"trial_{secrets.token_hex(8)}@cerver.try", _TRIAL_DAYS)
        made = await self._new_account(new)
        if made is None:
            raise Forbidden(_NO_SIGN_UP)
        return Trial(api_key=made.api_key)

    async def waiting(self, user_code: str) -> WaitingLogin | None:
        """Find a login that waits."""
        record = await self._waiting(user_code)
        if record is None:
            return None
        left_us = (record.expires_at_us or 0) - self._directory.now_us()
        machine = str(record.data.get("machine_name") or "")
        return WaitingLogin(_shown_code(user_code), machine, minutes_left=max(1, round(left_us / _SECOND_US / 60)))

    async def approve(self, user_code: str, caller: Caller) -> bool:
        """Let the machine in."""
        if "admin" not in caller.scopes or caller.kind != "secret":
            raise Forbidden("a login is approved with a secret key that has the scope admin", needs="admin")
        answer: JsonObject = {
            "status": "approved",
            "account_id": caller.account_id,
            "project_slug": caller.project_slug,
            "operator": caller.is_operator,
            "ends_by_us": None if caller.expires_at is None else to_us(caller.expires_at),
        }
        is_done = await self._answer(user_code, answer)
        if is_done:
            records = self._hosting.records_of(caller.account_id)
            audit = Audit(Tenant(caller, self._hosting), records)
            await audit.note("login.approve", _shown_code(user_code), now_us=self._directory.now_us())
        return is_done

    async def deny(self, user_code: str) -> bool:
        """Turn the machine away."""
        return await self._answer(user_code, {"status": "denied"})

    async def invite(self, request: CreateInvite) -> Invite:
        """Make an invitation."""
        if request.account_id is not None:
            await self._directory.account(request.account_id)
        now_us = self._directory.now_us()
        expires_at_us = now_us + request.expires_in_days * _DAY_US
        token = secrets.token_urlsafe(32)
        email = None if request.email is None else normal_email(request.email)
        data: JsonObject = {"email": email, "account_id": request.account_id}
        await self._records.put(_INVITE, _hash(token), data, now_us=now_us, expires_at_us=expires_at_us)
        return Invite(
            url=f"{self._hosting.options.base_url}/invite?token={token}",
            email=email,
            account_id=request.account_id,
            expires_at=from_us(expires_at_us),
        )

    async def invitation(self, token: str) -> str | None:
        """Tell whom an invitation is for."""
        record = await self._records.get(_INVITE, _hash(token), now_us=self._directory.now_us())
        if record is None:
            return None
        return str(record.data.get("email") or record.data.get("account_id") or "a new account")

    async def accept(self, token: str, *, email: str | None = None) -> LoggedIn:
        """Use an invitation up."""
        refusal = "this invitation is unknown, used or too old: ask for another"
        record = await self._records.get(_INVITE, _hash(token), now_us=self._directory.now_us())
        if record is None or not await self._records.delete(_INVITE, record.id, expected_version=record.version):
            raise Forbidden(refusal)
        account_id = record.data.get("account_id")
        if isinstance(account_id, str):
            return await self._back_in(account_id)
        told = record.data.get("email") or email
        address = normal_email(told) if isinstance(told, str) and told else None
        made = await self._new_account(_NewAccount((address or "member").partition("@")[0], address))
        if made is None:
            raise Forbidden("this address has an account already: ask the operator for a way into it")
        return made

    async def _back_in(self, account_id: str) -> LoggedIn:
        try:
            entry = await self._directory.account(account_id)
        except NotFound as error:
            raise Forbidden("the account of this invitation is gone") from error
        is_operator = entry.is_operator
        made = await self._keys(account_id).create(NewKey("invitation", is_operator=is_operator))
        return LoggedIn(account_id=account_id, api_key=made.key, name=entry.name, is_new=False)

    async def _new_account(self, new: _NewAccount) -> LoggedIn | None:
        account_id = new_account_id()
        is_new = await self._directory.add_account(account_id, name=new.name, email=new.email)
        if not is_new:
            return None
        made = await self._keys(account_id).create(NewKey("first", expires_in_days=new.expires_in_days))
        return LoggedIn(account_id=account_id, api_key=made.key, name=new.name)

    async def _waiting(self, user_code: str) -> Record | None:
        now_us = self._directory.now_us()
        pointer = await self._records.get(_USER_CODE, _letters(user_code), now_us=now_us)
        if pointer is None:
            return None
        record = await self._records.get(_DEVICE, str(pointer.data["device"]), now_us=now_us)
        return record if record is not None and record.data.get("status") == "pending" else None

    async def _answer(self, user_code: str, answer: JsonObject) -> bool:
        record = await self._waiting(user_code)
        if record is None:
            return False
        now_us = self._directory.now_us()
        kept = await self._records.put(
            _DEVICE,
            record.id,
            {**record.data, **answer},
            now_us=now_us,
            expected_version=record.version,
            expires_at_us=record.expires_at_us,
        )
        await self._records.delete(_USER_CODE, _letters(user_code))
        return kept is not None

    def _keys(self, account_id: str) -> Keys:
        return Keys(account_id, self._hosting.records_of(account_id), self._hosting, self._clock)


def normal_email(text: str) -> str:
    """Write an address in the one form in which it is kept."""
    return text.strip().lower()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _letters(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter in _LETTERS)[:_CODE_LETTERS] or "-"


def _shown_code(user_code: str) -> str:
    letters = _letters(user_code)
    return f"{letters[:4]}-{letters[4:]}"
