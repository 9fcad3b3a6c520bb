"""The accounts part of the suite, for the roads that lead to a gateway: keys, limits, bills, the audit trail."""

import pytest

from cerver_core.api import Cerver
from cerver_core.errors import Conflict, InvalidInput, NotFound, PaymentRequired
from cerver_core.testing.cerver.road import Road
from cerver_core.wire.account import (
    BillingPeriod,
    CreateInvite,
    CreateKey,
    ListAudit,
    SetSpendingLimit,
    UsageQuery,
)
from cerver_core.wire.sessions import CreateSession, ListSessions

__all__ = ["AccountContract"]

_MEMORY = CreateSession(compute=None)


class AccountContract(Road):
    """Accounts. The `cerver` fixture is that of the operator of a fresh gateway, with the gateway's first key."""

    async def test_a_key_says_whose_it_is(self, cerver: Cerver) -> None:
        told = await cerver.account.whoami()
        assert (told.scope, told.project_slug, told.kind, told.is_operator) == ("global", None, "secret", True)
        assert told.scopes == ("admin", "read", "write")
        assert told.key is not None

    async def test_keys_are_made_listed_and_revoked(self, cerver: Cerver) -> None:
        made = await cerver.account.create_key(CreateKey(label="ci", project_slug="web", scopes=("read",)))
        assert made.key.startswith("ck_")
        assert (made.label, made.project_slug, made.scopes) == ("ci", "web", ("read",))
        newest, first = (await cerver.account.list_keys()).keys
        assert (newest.label, newest.project_slug, newest.project_name, first.label) == ("ci", "web", "web", "first")
        assert made.key.startswith(newest.prefix)
        assert made.key not in newest.model_dump_json()
        assert [(one.slug, one.api_key_count) for one in (await cerver.projects.list()).projects] == [("web", 1)]
        await cerver.account.delete_key(made.key)
        assert len((await cerver.account.list_keys()).keys) == 1
        with pytest.raises(NotFound):
            await cerver.account.delete_key(newest.prefix)

    async def test_sessions_are_billed_and_told_by_day(self, cerver: Cerver) -> None:
        first = await cerver.sessions.create(_MEMORY)
        await cerver.sessions.create(CreateSession(compute=None, project_slug="web"))
        bill = await cerver.account.billing(BillingPeriod())
        assert (bill.counts.sessions, bill.totals.service_usd, bill.totals.total_usd) == (2, 0.004, 0.004)
        assert (bill.by_session[-1].session_id, bill.by_session[-1].total_usd) == (first.session_id, 0.002)
        assert (bill.spending_limit.enabled, bill.spending_limit.spent_usd) == (False, 0.004)
        series = await cerver.account.usage_series(UsageQuery(days=2))
        assert (series.total_usd, [day.sessions for day in series.days]) == (0.004, [0, 2])
        (project,) = (await cerver.projects.list()).projects
        assert (project.session_count_mtd, project.total_usd_mtd) == (1, 0.002)

    async def test_at_the_limit_sessions_are_refused_with_the_sums(self, cerver: Cerver) -> None:
        limit = await cerver.account.set_spending_limit(SetSpendingLimit(limit_usd=0.005))
        assert (limit.enabled, limit.limit_usd, limit.remaining_usd, limit.is_default) == (True, 0.005, 0.005, False)
        for _ in range(2):
            await cerver.sessions.create(_MEMORY)
        with pytest.raises(PaymentRequired) as caught:
            await cerver.sessions.create(_MEMORY)
        detail = caught.value.detail
        assert (detail["kind"], detail["spent_usd"], detail["limit_usd"]) == ("spend_per_month", 0.004, 0.005)
        assert len((await cerver.sessions.list(ListSessions())).sessions) == 2
        await cerver.account.set_spending_limit(SetSpendingLimit(limit_usd=None))
        await cerver.sessions.create(_MEMORY)

    async def test_a_project_has_a_limit_of_its_own(self, cerver: Cerver) -> None:
        with pytest.raises(NotFound):
            await cerver.account.set_spending_limit(SetSpendingLimit(limit_usd=1, project_slug="web"))
        request = CreateSession(compute=None, project_slug="web")
        await cerver.sessions.create(request)
        await cerver.account.set_spending_limit(SetSpendingLimit(limit_usd=0.002, project_slug="web"))
        with pytest.raises(PaymentRequired, match="project web"):
            await cerver.sessions.create(request)
        await cerver.sessions.create(_MEMORY)
        assert (await cerver.account.billing(BillingPeriod())).spending_limit.spent_usd == 0.004

    async def test_a_session_that_is_not_opened_costs_nothing(self, cerver: Cerver) -> None:
        with pytest.raises(InvalidInput):
            await cerver.sessions.create(CreateSession(compute=None, environment_slug="prod"))
        with pytest.raises(NotFound):
            await cerver.sessions.create(CreateSession(compute=None, project_slug="web", environment_slug="prod"))
        assert (await cerver.account.billing(BillingPeriod())).spending_limit.spent_usd == 0

    async def test_a_session_makes_its_project_and_does_not_open_an_archived_one(self, cerver: Cerver) -> None:
        request = CreateSession(compute=None, project_slug="web")
        await cerver.sessions.create(request)
        assert [project.slug for project in (await cerver.projects.list()).projects] == ["web"]
        await cerver.projects.archive("web")
        with pytest.raises(Conflict, match="archived"):
            await cerver.sessions.create(request)
        with pytest.raises(InvalidInput, match="slug"):
            await cerver.sessions.create(CreateSession(compute=None, project_slug="No Slug"))

    async def test_the_audit_trail_pages_from_the_newest(self, cerver: Cerver) -> None:
        for label in ("a", "b", "c"):
            await cerver.account.create_key(CreateKey(label=label, scope="global"))
        page = await cerver.account.audit(ListAudit(limit=2))
        assert [entry.detail["label"] for entry in page.entries] == ["c", "b"]
        rest = await cerver.account.audit(ListAudit(limit=2, cursor=page.next_cursor))
        assert ([entry.detail["label"] for entry in rest.entries], rest.next_cursor) == (["a"], None)

    async def test_an_operator_sees_accounts_and_stops_them(self, cerver: Cerver) -> None:
        invite = await cerver.admin.invite(CreateInvite(email="Ann@Example.com"))
        assert invite.email == "ann@example.com"
        assert "/invite?token=" in invite.url
        (own,) = (await cerver.admin.usage(UsageQuery())).accounts
        assert (own.disabled, own.sessions) == (False, 0)
        with pytest.raises(InvalidInput, match="your own"):
            await cerver.admin.disable(own.account_id)
        with pytest.raises(NotFound):
            await cerver.admin.disable("acct_0000000000000000")
