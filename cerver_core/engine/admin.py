"""What the operator of a gateway does about accounts: list, stop, let work again, invite. Never looks into them."""

from datetime import datetime, timedelta

from cerver_core.clock import from_us
from cerver_core.engine.audit import Audit
from cerver_core.engine.context import Context
from cerver_core.engine.directory import AccountEntry
from cerver_core.engine.keys import USED, Keys
from cerver_core.engine.logins import EngineLogins
from cerver_core.engine.spending import Meter
from cerver_core.engine.tenant import Hosting
from cerver_core.errors import Forbidden, InvalidInput
from cerver_core.wire.account import AccountUsage, AccountUsageList, CreateInvite, Invite, UsageQuery

__all__ = ["EngineAdmin"]


class EngineAdmin:
    """See `cerver_core.api.account.Admin`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._audit = Audit(context.tenant, context.rows.records)

    async def usage(self, request: UsageQuery) -> AccountUsageList:
        """List the accounts and what they used."""
        hosting = self._operator()
        accounts = [entry async for entry in hosting.directory.accounts()]
        return AccountUsageList(accounts=tuple([await self._used(hosting, entry, request.days) for entry in accounts]))

    async def disable(self, account_id: str) -> AccountUsage:
        """Stop every key of an account."""
        self._operator()
        if account_id == self._context.tenant.account_id:
            raise InvalidInput("this is your own account: stopped, it could not be let work again")
        return await self._set_enabled(account_id, is_enabled=False)

    async def enable(self, account_id: str) -> AccountUsage:
        """Let the keys of an account work again."""
        return await self._set_enabled(account_id, is_enabled=True)

    async def invite(self, request: CreateInvite) -> Invite:
        """Make an invitation."""
        hosting = self._operator()
        made = await EngineLogins(hosting, self._context.clock).invite(request)
        whom = made.account_id or made.email
        await self._audit.note("admin.invite", whom, now_us=self._context.now_us())
        return made

    async def _set_enabled(self, account_id: str, *, is_enabled: bool) -> AccountUsage:
        hosting = self._operator()
        entry = await hosting.directory.set_account_enabled(account_id, is_enabled=is_enabled)
        records = hosting.records_of(account_id)
        await Keys(account_id, records, hosting, self._context.clock).set_enabled(is_enabled=is_enabled)
        action = "admin.enable" if is_enabled else "admin.disable"
        await self._audit.note(action, account_id, now_us=self._context.now_us())
        return await self._used(hosting, entry, days=30)

    def _operator(self) -> Hosting:
        hosting = self._context.tenant.hosted("accounts")
        if not self._context.tenant.caller.is_operator:
            raise Forbidden("Operator access is needed: use a key of the operator's account", needs="operator")
        return hosting

    async def _used(self, hosting: Hosting, entry: AccountEntry, days: int) -> AccountUsage:
        records = hosting.records_of(entry.id)
        meter = Meter(self._context.tenant, records, self._context.clock)
        now: datetime = self._context.clock.now()
        sums = [await meter.day(now - timedelta(days=number), None) for number in range(days)]
        used = await records.list(USED, now_us=self._context.now_us(), limit=1_000)
        last_us = max((record.updated_at_us for record in used), default=None)
        return AccountUsage(
            account_id=entry.id,
            email=entry.email,
            name=entry.name,
            sessions=sum(day["sessions"] for day in sums),
            sandbox_ms_total=sum(day["compute_ms"] for day in sums),
            last_active=None if last_us is None else from_us(last_us),
            disabled=entry.is_disabled,
            created_at=from_us(entry.created_at_us),
        )
