"""Computes and executions, over HTTP. A caller who leaves ends the execution."""

from collections.abc import Mapping

from cerver_core.gateway.call import Answer, Call, Handler
from cerver_core.gateway.streams import ExecAnswer, while_connected
from cerver_core.wire.computes import ExecRequest, InstallRequest
from cerver_core.wire.http import RunReply
from cerver_core.wire.machines import HeartbeatCompute, RegisterCompute, RelayRequest

__all__ = ["HANDLERS"]


async def _list(call: Call) -> Answer:
    return await call.cerver.computes.list()


async def _exec(call: Call) -> Answer:
    request = call.body(ExecRequest)
    result = await while_connected(call, lambda: call.cerver.computes.exec(call.session_id, request))
    return RunReply.model_validate(result.model_dump())


async def _exec_stream(call: Call) -> Answer:
    return ExecAnswer(call, call.cerver.computes.exec_stream(call.session_id, call.body(ExecRequest)))


async def _install(call: Call) -> Answer:
    request = call.body(InstallRequest)
    return await while_connected(call, lambda: call.cerver.computes.install(call.session_id, request))


async def _register(call: Call) -> Answer:
    return await call.cerver.computes.register(call.body(RegisterCompute))


async def _heartbeat(call: Call) -> Answer:
    return await call.cerver.computes.heartbeat(call.parameters["compute_id"], call.body(HeartbeatCompute))


async def _remove(call: Call) -> Answer:
    return await call.cerver.computes.remove(call.parameters["compute_id"])


async def _relay(call: Call) -> Answer:
    return await call.cerver.computes.relay(call.parameters["compute_id"], call.body(RelayRequest))


HANDLERS: Mapping[str, Handler] = {
    "computes.list": _list,
    "computes.exec": _exec,
    "computes.exec_stream": _exec_stream,
    "computes.install": _install,
    "computes.register": _register,
    "computes.heartbeat": _heartbeat,
    "computes.remove": _remove,
    "computes.relay": _relay,
}
