"""The account, asked of a gateway; and what its operator asks about accounts."""

from typing import TYPE_CHECKING

from cerver_core.wire.account import (
    AccountUsage,
    AccountUsageList,
    AuditPage,
    Billing,
    BillingPeriod,
    CreateInvite,
    CreateKey,
    Invite,
    KeyCreated,
    KeyList,
    ListAudit,
    SetSpendingLimit,
    SpendingLimit,
    UsageQuery,
    UsageSeries,
    WhoAmI,
)

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientAccount", "ClientAdmin"]


class ClientAccount:
    """See `cerver_core.api.account.Account`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def whoami(self) -> WhoAmI:
        """Tell whose key this is and what it may do."""
        return await self._transport.call("account.whoami", WhoAmI)

    async def list_keys(self) -> KeyList:
        """List the keys."""
        return await self._transport.call("account.list_keys", KeyList)

    async def create_key(self, request: CreateKey) -> KeyCreated:
        """Make a key, shown this once."""
        return await self._transport.call("account.create_key", KeyCreated, body=request)

    async def delete_key(self, key: str) -> None:
        """Revoke a key; a whole key is not sent, its prefix says enough."""
        named = "_".join(key.split("_")[:2])
        await self._transport.call_bytes("account.delete_key", names={"key": named})

    async def billing(self, request: BillingPeriod) -> Billing:
        """Tell what was used and spent in a period."""
        return await self._transport.call("account.billing", Billing, query=request)

    async def usage_series(self, request: UsageQuery) -> UsageSeries:
        """Tell what was used and spent, by day."""
        return await self._transport.call("account.usage_series", UsageSeries, query=request)

    async def set_spending_limit(self, request: SetSpendingLimit) -> SpendingLimit:
        """Set or take away a monthly limit."""
        return await self._transport.call("account.set_spending_limit", SpendingLimit, body=request)

    async def audit(self, request: ListAudit) -> AuditPage:
        """Read the audit trail."""
        return await self._transport.call("account.audit", AuditPage, query=request)


class ClientAdmin:
    """See `cerver_core.api.account.Admin`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def usage(self, request: UsageQuery) -> AccountUsageList:
        """List the accounts and what they used."""
        content = await self._transport.call_bytes("admin.usage", query=request)
        return self._transport.gateway.array(AccountUsageList, content, "admin.usage")

    async def disable(self, account_id: str) -> AccountUsage:
        """Stop every key of an account."""
        return await self._transport.call("admin.disable", AccountUsage, names={"account_id": account_id})

    async def enable(self, account_id: str) -> AccountUsage:
        """Let the keys of an account work again."""
        return await self._transport.call("admin.enable", AccountUsage, names={"account_id": account_id})

    async def invite(self, request: CreateInvite) -> Invite:
        """Make an invitation."""
        return await self._transport.call("admin.invite", Invite, body=request)
