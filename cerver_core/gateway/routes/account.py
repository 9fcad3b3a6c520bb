"""Logging in, the account, and what the operator does, over HTTP."""

from collections.abc import Mapping

from starlette.responses import Response

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.account import (
    BillingPeriod,
    CreateInvite,
    CreateKey,
    ListAudit,
    SetSpendingLimit,
    UsageQuery,
)
from cerver_core.wire.logins import EmailLogin, PollDeviceLogin, StartDeviceLogin

__all__ = ["HANDLERS"]


async def _start(call: Call) -> Answer:
    return await call.serving.host.logins.start(call.body(StartDeviceLogin))


async def _poll(call: Call) -> Answer:
    return await call.serving.host.logins.poll(call.query(PollDeviceLogin))


async def _email(call: Call) -> Answer:
    return await call.serving.host.logins.email(call.body(EmailLogin))


async def _trial(call: Call) -> Answer:
    return await call.serving.host.logins.trial()


async def _whoami(call: Call) -> Answer:
    return await call.cerver.account.whoami()


async def _list_keys(call: Call) -> Answer:
    return await call.cerver.account.list_keys()


async def _create_key(call: Call) -> Answer:
    return await call.cerver.account.create_key(call.body(CreateKey))


async def _delete_key(call: Call) -> Answer:
    await call.cerver.account.delete_key(call.parameters["key"])
    return Response(status_code=call.operation.status)


async def _billing(call: Call) -> Answer:
    return await call.cerver.account.billing(call.query(BillingPeriod))


async def _usage_series(call: Call) -> Answer:
    return await call.cerver.account.usage_series(call.query(UsageQuery))


async def _set_spending_limit(call: Call) -> Answer:
    return await call.cerver.account.set_spending_limit(call.body(SetSpendingLimit))


async def _audit(call: Call) -> Answer:
    return await call.cerver.account.audit(call.query(ListAudit))


async def _usage(call: Call) -> Answer:
    return await call.cerver.admin.usage(call.query(UsageQuery))


async def _disable(call: Call) -> Answer:
    return await call.cerver.admin.disable(call.parameters["account_id"])


async def _enable(call: Call) -> Answer:
    return await call.cerver.admin.enable(call.parameters["account_id"])


async def _invite(call: Call) -> Answer:
    return await call.cerver.admin.invite(call.body(CreateInvite))


HANDLERS: Mapping[str, Handler] = {
    "logins.start": _start,
    "logins.poll": _poll,
    "logins.email": _email,
    "logins.trial": _trial,
    "account.whoami": _whoami,
    "account.list_keys": _list_keys,
    "account.create_key": _create_key,
    "account.delete_key": _delete_key,
    "account.billing": _billing,
    "account.usage_series": _usage_series,
    "account.set_spending_limit": _set_spending_limit,
    "account.audit": _audit,
    "admin.usage": _usage,
    "admin.disable": _disable,
    "admin.enable": _enable,
    "admin.invite": _invite,
}
