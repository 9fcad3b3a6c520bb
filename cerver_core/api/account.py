"""The contract of accounts: keys, billing and limits, the audit trail; and what an operator does about accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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

__all__ = ["Account", "Admin"]


class Account(Protocol):
    """The caller's own account.

    Keys, limits and the audit trail belong to a gateway: without one there is nobody to keep out, and those methods
    raise `NotSupported`. Who asks, bills and use are answered on either road.
    """

    async def whoami(self) -> WhoAmI:
        """Tell whose key this is and what it may do."""
        ...

    async def list_keys(self) -> KeyList:
        """List the keys, newest first; a key of a project sees that project's."""
        ...

    async def create_key(self, request: CreateKey) -> KeyCreated:
        """Make a key, shown this once. Its rights and its project are at most those of the asking key.

        Raises:
            Forbidden: the asking key has less than what is asked for.
            InvalidInput: a publishable key without a project or origins, or with the scope `admin`.
        """
        ...

    async def delete_key(self, key: str) -> None:
        """Revoke a key, named by its prefix, a unique beginning of it, or the whole key; no call gets through after.

        Raises:
            NotFound: there is no such key here.
            AmbiguousReference: several keys begin so.
            Forbidden: it is another key than the asking one, which is no admin's.
        """
        ...

    async def billing(self, request: BillingPeriod) -> Billing:
        """Tell what was used and spent in a period."""
        ...

    async def usage_series(self, request: UsageQuery) -> UsageSeries:
        """Tell what was used and spent, by day."""
        ...

    async def set_spending_limit(self, request: SetSpendingLimit) -> SpendingLimit:
        """Set or take away a monthly limit; it holds from the next session or execution on."""
        ...

    async def audit(self, request: ListAudit) -> AuditPage:
        """Read the audit trail, newest first; a key of a project sees that project's lines."""
        ...


class Admin(Protocol):
    """What the operator of a gateway does about accounts. Every method raises `Forbidden` for anyone else."""

    async def usage(self, request: UsageQuery) -> AccountUsageList:
        """List the accounts and what they used, never what is in them."""
        ...

    async def disable(self, account_id: str) -> AccountUsage:
        """Stop every key of an account, at once; nothing is lost.

        Raises:
            NotFound: there is no such account.
        """
        ...

    async def enable(self, account_id: str) -> AccountUsage:
        """Let the keys of an account work again."""
        ...

    async def invite(self, request: CreateInvite) -> Invite:
        """Make a link by which a person gets a new account, or back into an account that is theirs; it works once."""
        ...
