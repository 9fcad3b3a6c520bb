"""The caller's account, on this machine: who asks, keys, bills, limits, the audit trail."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cerver_core.clock import from_us, to_us
from cerver_core.engine.audit import Audit
from cerver_core.engine.context import Context
from cerver_core.engine.directory import AccountEntry
from cerver_core.engine.keys import Keys, read_request
from cerver_core.engine.projects import EngineProjects
from cerver_core.engine.spending import SESSION_MICRO_USD, Meter, day_of
from cerver_core.errors import Forbidden, InvalidInput, NotFound
from cerver_core.keys import parse_key
from cerver_core.stores.base import SessionQuery, StoredSession
from cerver_core.wire.account import (
    AuditPage,
    Billing,
    BillingCounts,
    BillingKind,
    BillingPeriod,
    BillingSession,
    BillingTotals,
    CreateKey,
    KeyCreated,
    KeyList,
    ListAudit,
    Period,
    SetSpendingLimit,
    SpendingLimit,
    UsageDay,
    UsageQuery,
    UsageSeries,
    WhoAmI,
)

__all__ = ["EngineAccount"]

_DEFAULT_PROJECT = "default"
_MICRO = 1_000_000
_LONGEST_BILL = timedelta(days=366)
_SESSIONS_ON_A_BILL = 200


class EngineAccount:
    """See `cerver_core.api.account.Account`."""

    def __init__(self, context: Context, projects: EngineProjects) -> None:
        self._context = context
        self._projects = projects
        self._tenant = context.tenant
        self._caller = context.tenant.caller
        self._audit = Audit(context.tenant, context.rows.records)
        self._meter = Meter(context.tenant, context.rows.records, context.clock)

    async def whoami(self) -> WhoAmI:
        """Tell whose key this is."""
        caller = self._caller
        entry = await self._entry()
        return WhoAmI(
            account_id=caller.account_id,
            project_slug=caller.project_slug,
            scope="global" if caller.project_slug is None else "project",
            key=None if self._tenant.hosting is None else self._tenant.key,
            kind=caller.kind,
            scopes=tuple(sorted(caller.scopes)),
            email=None if entry is None else entry.email,
            is_operator=caller.is_operator,
        )

    async def list_keys(self) -> KeyList:
        """List the keys."""
        return KeyList(keys=tuple(await self._keys().list(self._tenant.project)))

    async def create_key(self, request: CreateKey) -> KeyCreated:
        """Make a key of at most the asking key's rights."""
        keys = self._keys()
        new = read_request(request, self._caller.scopes)
        beyond = set(new.scopes) - self._caller.scopes
        if beyond:
            raise Forbidden(f"this key lacks {', '.join(sorted(beyond))}, so it cannot give it on")
        new = replace(new, ends_by=self._caller.expires_at)
        slug = self._project_of(request)
        if slug is not None:
            project = await self._projects.ensure(slug)
            new = replace(new, project_id=project.id, project_slug=slug)
        else:
            new = replace(new, is_operator=self._caller.is_operator)
        if request.reuse and new.kind == "publishable" and (found := await keys.find_publishable(new)) is not None:
            return found
        made = await keys.create(new)
        key = parse_key(made.key)
        await self._audit.note(
            "key.create",
            None if key is None else key.prefix,
            now_us=self._context.now_us(),
            project=slug,
            detail={"label": made.label, "kind": made.kind, "scopes": [*made.scopes]},
        )
        return made

    async def delete_key(self, key: str) -> None:
        """Revoke a key."""
        keys = self._keys()
        found = await keys.resolve(key, self._tenant.project)
        if "admin" not in self._caller.scopes and found.prefix != self._tenant.key:
            raise Forbidden("this key lacks the scope admin: it can revoke itself alone", needs="admin")
        await keys.delete(found.prefix)
        await self._audit.note("key.delete", found.prefix, now_us=self._context.now_us(), project=found.project_slug)

    async def billing(self, request: BillingPeriod) -> Billing:
        """Tell what was used and spent in a period."""
        start, end = _period(request, self._context.clock.now())
        project = self._tenant.project
        days = [dict(await self._meter.day(day, project)) for day in _days(start, end)]
        sums = {name: sum(day[name] for day in days) for name in ("sessions", "service", "compute_ms", "compute")}
        service, compute = sums["service"] / _MICRO, sums["compute"] / _MICRO
        sessions = await self._sessions_between(start, end)
        return Billing(
            account_id=self._tenant.account_id,
            period=Period(start=start, end=end),
            totals=BillingTotals(service_usd=service, sandbox_compute_usd=compute, total_usd=service + compute),
            counts=BillingCounts(
                sessions=sums["sessions"], compute_ms=sums["compute_ms"], sandbox_seconds=sums["compute_ms"] / 1_000
            ),
            by_session=tuple(self._billed(session) for session in sessions),
            by_billing={
                "subscription": BillingKind(),
                "api": BillingKind(total_usd=service + compute, sessions=sums["sessions"]),
            },
            spending_limit=await self._meter.show_limit(project),
        )

    async def usage_series(self, request: UsageQuery) -> UsageSeries:
        """Tell what was used and spent, by day."""
        today = self._context.clock.now()
        days: list[UsageDay] = []
        for day in _days(today - timedelta(days=request.days - 1), today):
            sums = await self._meter.day(day, self._tenant.project)
            spent = (sums["service"] + sums["compute"]) / _MICRO
            days.append(
                UsageDay(date=day_of(day), sessions=sums["sessions"], compute_ms=sums["compute_ms"], total_usd=spent)
            )
        return UsageSeries(total_usd=round(sum(day.total_usd for day in days), 6), days=tuple(days))

    async def set_spending_limit(self, request: SetSpendingLimit) -> SpendingLimit:
        """Set a monthly limit."""
        self._tenant.hosted("spending limits")
        project = request.project_slug
        if self._tenant.project is not None:
            raise Forbidden("limits are set with a key of the whole account, not with a project's")
        if project is not None:
            await self._projects.require(project)
        await self._meter.set_limit(request.limit_usd, project)
        await self._audit.note(
            "limit.set", project, now_us=self._context.now_us(), detail={"limit_usd": request.limit_usd}
        )
        return await self._meter.show_limit(project)

    async def audit(self, request: ListAudit) -> AuditPage:
        """Read the audit trail."""
        self._tenant.hosted("audit trails")
        return await self._audit.read(request, now_us=self._context.now_us())

    def _keys(self) -> Keys:
        hosting = self._tenant.hosted("keys")
        return Keys(self._tenant.account_id, self._context.rows.records, hosting, self._context.clock)

    async def _entry(self) -> AccountEntry | None:
        if self._tenant.hosting is None:
            return None
        try:
            return await self._tenant.hosting.directory.account(self._tenant.account_id)
        except NotFound:
            return None

    def _project_of(self, request: CreateKey) -> str | None:
        bound = self._tenant.project
        if bound is not None:
            if request.scope == "global" or request.project_slug not in {None, bound}:
                raise Forbidden(f"this key is bound to project {bound}: it makes keys of that project alone")
            return bound
        if request.scope == "project":
            return request.project_slug or _DEFAULT_PROJECT
        if request.kind == "publishable" or request.project_slug is not None:
            raise InvalidInput("a key of the whole account names no project, and a publishable key needs one")
        return None

    async def _sessions_between(self, start: datetime, end: datetime) -> Sequence[StoredSession]:
        query = SessionQuery(limit=_SESSIONS_ON_A_BILL, project=self._tenant.project)
        found = await self._context.rows.sessions.list(query)
        first, last = to_us(start), to_us(end)
        return [one for one in found if one.updated_at_us >= first and one.created_at_us < last]

    def _billed(self, session: StoredSession) -> BillingSession:
        price = 0 if self._tenant.hosting is None else SESSION_MICRO_USD
        return BillingSession(
            session_id=session.id,
            total_usd=(price + (session.counters.cost_micro_usd or 0)) / _MICRO,
            compute_ms=round(session.counters.exec_ms_total),
            first_seen=from_us(session.created_at_us),
            last_seen=from_us(session.updated_at_us),
        )


def _period(request: BillingPeriod, now: datetime) -> tuple[datetime, datetime]:
    end = request.until or now
    start = request.since or end.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if start > end or end - start > _LONGEST_BILL:
        raise InvalidInput("a bill is for at most 366 days, and `since` lies before `until`")
    return start, end


def _days(start: datetime, end: datetime) -> Sequence[datetime]:
    first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    count = (end.astimezone(UTC).date() - first.date()).days + 1
    return [first + timedelta(days=number) for number in range(count)]
