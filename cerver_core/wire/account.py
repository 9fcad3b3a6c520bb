"""Accounts on the wire: keys, who asks, billing and limits, the audit trail (wire contract §4)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, JsonValue, model_serializer, model_validator

from cerver_core.wire.model import Name, Reply, Request, ToldTime, UtcTime

__all__ = [
    "AccountUsage",
    "AccountUsageList",
    "AuditEntry",
    "AuditPage",
    "Billing",
    "BillingCounts",
    "BillingKind",
    "BillingPeriod",
    "BillingSession",
    "BillingTotals",
    "CreateInvite",
    "CreateKey",
    "Invite",
    "KeyCreated",
    "KeyKind",
    "KeyList",
    "KeyRecord",
    "KeyScope",
    "ListAudit",
    "Period",
    "SetSpendingLimit",
    "SpendingLimit",
    "Subscription",
    "UsageDay",
    "UsageQuery",
    "UsageSeries",
    "WhoAmI",
]

KeyKind = Literal["secret", "publishable"]
KeyScope = Literal["read", "write", "admin"]
Slug = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class WhoAmI(Reply):
    """Whose key this is. `scope` is `project` for a key that is bound to one, else `global`."""

    account_id: str
    project_slug: str | None = None
    scope: Literal["project", "global"] = "global"
    key: str | None = None
    kind: KeyKind = "secret"
    scopes: tuple[KeyScope, ...] = ()
    email: str | None = None
    is_operator: bool = False


class CreateKey(Request):
    """Make a key. It is bound to a project (made if need be; `default` when none is named) unless `scope` is `global`.

    `publishable` keys may stand in web pages: they need `allowed_origins`, and can do little. `reuse` answers the
    project's publishable key with this label and these origins, if there is one. `scopes`: `read` reads, `write` does
    everything but keys, vaults and credentials, `admin` everything; a key gives no more than it has.
    """

    label: Annotated[Name, Field(max_length=200)] = ""
    project_slug: Slug | None = Field(default=None, validation_alias=AliasChoices("project_slug", "app_slug"))
    kind: KeyKind = "secret"
    scope: Literal["project", "global"] = "project"
    scopes: Annotated[tuple[KeyScope, ...], Field(min_length=1, max_length=3)] | None = None
    reuse: bool = False
    allowed_origins: Annotated[tuple[Annotated[Name, Field(max_length=300)], ...], Field(max_length=50)] = ()
    expires_in_days: Annotated[int, Field(ge=1, le=3_650)] | None = None


class KeyCreated(Reply):
    """A new key. `key` is shown this once."""

    key: str
    label: str
    project_id: str | None = None
    project_slug: str | None = None
    kind: KeyKind = "secret"
    scopes: tuple[KeyScope, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    expires_at: UtcTime | None = None


class KeyRecord(Reply):
    """A key as its owner sees it afterwards. `prefix` names it in a deletion. `last_used_at` is up to a minute late."""

    key_masked: str
    prefix: str
    label: str
    kind: KeyKind = "secret"
    scopes: tuple[KeyScope, ...] = ()
    created_at: UtcTime
    last_used_at: UtcTime | None = None
    expires_at: UtcTime | None = None
    project_id: str | None = None
    project_slug: str | None = None
    project_name: str | None = None
    allowed_origins: tuple[str, ...] = ()


class KeyList(Reply):
    """The keys of the account, or of the project that the asking key is bound to, the newest first."""

    keys: tuple[KeyRecord, ...]


class BillingPeriod(Request):
    """The query of a bill: from `since` to `until`; the running month when left out. At most 366 days."""

    since: ToldTime | None = None
    until: ToldTime | None = None


class Period(Reply):
    """From when to when."""

    start: UtcTime
    end: UtcTime


class BillingTotals(Reply):
    """What was spent, in US dollars, by what it was spent on. What is not metered yet is 0 and said so in the docs."""

    service_usd: float = 0
    db_egress_usd: float = 0
    db_compute_usd: float = 0
    db_storage_usd: float = 0
    llm_tokens_usd: float = 0
    sandbox_compute_usd: float = 0
    total_usd: float = 0


class BillingCounts(Reply):
    """How much was used."""

    sessions: int = 0
    bytes_out: int = 0
    compute_ms: int = 0
    llm_tokens: int = 0
    sandbox_seconds: float = 0


class BillingSession(Reply):
    """What one session cost, as far as it is known."""

    session_id: str
    total_usd: float
    bytes_out: int = 0
    compute_ms: int = 0
    first_seen: UtcTime
    last_seen: UtcTime


class BillingKind(Reply):
    """What was used under one kind of contract with a model's vendor."""

    total_usd: float = 0
    llm_tokens: int = 0
    sessions: int = 0
    vendor_est_usd: float = 0


class SpendingLimit(Reply):
    """The monthly limit of an account or a project. At the limit, what costs is refused with 402 until `resets_at`."""

    enabled: bool
    limit_usd: float | None = None
    is_default: bool = True
    spent_usd: float = 0
    remaining_usd: float | None = None
    resets_at: UtcTime
    project_slug: str | None = None


class Subscription(Reply):
    """A subscription; a gateway of one's own has none, which counts as active."""

    active: bool = True
    status: str = "self_hosted"
    checkout_url: str | None = None
    free_tier_usd: float = 0


class Billing(Reply):
    """What an account used and spent. `by_session` holds the 200 sessions that were active last in the period."""

    account_id: str
    period: Period
    totals: BillingTotals
    counts: BillingCounts
    by_session: tuple[BillingSession, ...] = ()
    by_billing: Mapping[Literal["subscription", "api"], BillingKind] = {}
    spending_limit: SpendingLimit
    subscription: Subscription = Subscription()


class UsageQuery(Request):
    """How many days back, today included (UTC)."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class UsageDay(Reply):
    """One day of use."""

    date: str
    sessions: int = 0
    compute_ms: int = 0
    total_usd: float = 0


class UsageSeries(Reply):
    """Use by day, oldest first, and the sum."""

    total_usd: float
    days: tuple[UsageDay, ...]


class SetSpendingLimit(Request):
    """Set the monthly limit of the account, or of one project; null takes it away (the operator's default stays)."""

    limit_usd: Annotated[float, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)] | None
    project_slug: Slug | None = Field(default=None, validation_alias=AliasChoices("project_slug", "app_slug"))


class ListAudit(Request):
    """The query of the audit trail: newest first, a page at a time. `action` keeps those that begin with it."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[Name, Field(max_length=200)] | None = None


class AuditEntry(Reply):
    """Who did what: `key` is the prefix of the key that asked. `detail` holds names, never values."""

    id: str
    at: UtcTime
    action: str
    key: str
    target: str | None = None
    project_slug: str | None = None
    detail: Mapping[str, JsonValue] = {}


class AuditPage(Reply):
    """One page of the audit trail; `next_cursor` is null on the last."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None = None


class AccountUsage(Reply):
    """One account, as an operator sees it: what it is and what it used, nothing of what is in it."""

    account_id: str
    email: str | None = None
    name: str = ""
    sessions: int = 0
    sandbox_ms_total: int = 0
    llm_tokens_total: int = 0
    last_active: UtcTime | None = None
    disabled: bool = False
    created_at: UtcTime | None = None


class AccountUsageList(Reply):
    """All accounts; on the wire a bare array (wire contract §4)."""

    accounts: tuple[AccountUsage, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_array(cls, value: JsonValue) -> JsonValue:
        return {"accounts": value} if isinstance(value, list) else value

    @model_serializer(mode="plain", when_used="json")
    def _as_array(self) -> list[AccountUsage]:
        return list(self.accounts)


class CreateInvite(Request):
    """Invite a person to a new account, or give the owner of an account a way in (`account_id`)."""

    email: Annotated[Name, Field(min_length=3, max_length=200)] | None = None
    account_id: Annotated[Name, Field(max_length=200)] | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=90)] = 7


class Invite(Reply):
    """An invitation. `url` is shown this once and works once."""

    url: str
    email: str | None = None
    account_id: str | None = None
    expires_at: UtcTime
