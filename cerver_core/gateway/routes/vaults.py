"""Vaults and providers' credentials, over HTTP."""

from collections.abc import Mapping

from starlette.responses import Response

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.wire.vaults import CreateVault, SetCredentials, UpdateVault

__all__ = ["HANDLERS"]


async def _list(call: Call) -> Answer:
    return await call.cerver.vaults.list()


async def _create(call: Call) -> Answer:
    return await call.cerver.vaults.create(call.body(CreateVault))


async def _update(call: Call) -> Answer:
    return await call.cerver.vaults.update(call.parameters["vault_id"], call.body(UpdateVault))


async def _delete(call: Call) -> Answer:
    await call.cerver.vaults.delete(call.parameters["vault_id"])
    return Response(status_code=call.operation.status)


async def _verify(call: Call) -> Answer:
    return await call.cerver.vaults.verify(call.parameters["vault_id"])


async def _list_credentials(call: Call) -> Answer:
    return await call.cerver.vaults.list_credentials()


async def _set_credentials(call: Call) -> Answer:
    return await call.cerver.vaults.set_credentials(call.body(SetCredentials))


async def _delete_credentials(call: Call) -> Answer:
    await call.cerver.vaults.delete_credentials(call.parameters["provider"])
    return Response(status_code=call.operation.status)


HANDLERS: Mapping[str, Handler] = {
    "vaults.list": _list,
    "vaults.create": _create,
    "vaults.update": _update,
    "vaults.delete": _delete,
    "vaults.verify": _verify,
    "vaults.list_credentials": _list_credentials,
    "vaults.set_credentials": _set_credentials,
    "vaults.delete_credentials": _delete_credentials,
}
