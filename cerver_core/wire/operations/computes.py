"""The operations of computes: places, and executions in a session's sandbox."""

from cerver_core.errors import (
    ComputeNotFound,
    PathEscapesWorkspace,
    ProviderRefused,
    ProviderUnavailable,
    RuntimeMissing,
    SecretError,
)
from cerver_core.wire import computes, http, machines
from cerver_core.wire.operations.operation import EVENTS, JSON, OLD_SESSION, SESSION, STATE, Operation

__all__ = ["COMPUTES"]

_COMPUTE = "/v2/computes/{compute_id}"
_EXEC = (*STATE, RuntimeMissing, SecretError, PathEscapesWorkspace, ProviderRefused, ProviderUnavailable)

COMPUTES = (
    Operation(
        "computes.list",
        "GET",
        "/v2/computes",
        "List the computes this caller can use.",
        reply=(computes.ComputeList,),
    ),
    Operation(
        "computes.exec",
        "POST",
        f"{SESSION}/run",
        "Run code in a session's sandbox and wait for it.",
        body=computes.ExecRequest,
        body_media=JSON,
        reply=(http.RunReply,),
        errors=_EXEC,
        aliases=(f"{OLD_SESSION}/run",),
    ),
    Operation(
        "computes.exec_stream",
        "POST",
        f"{SESSION}/run/stream",
        "Run code and stream its output; closing the connection ends it.",
        body=computes.ExecRequest,
        body_media=JSON,
        reply=(computes.ExecStarted, computes.ExecOutput, computes.ExecFinished),
        reply_media=EVENTS,
        errors=_EXEC,
        aliases=(f"{OLD_SESSION}/run/stream",),
    ),
    Operation(
        "computes.install",
        "POST",
        f"{SESSION}/install",
        "Install packages into a session's workspace.",
        body=computes.InstallRequest,
        body_media=JSON,
        reply=(computes.ExecResult,),
        errors=_EXEC,
    ),
    Operation(
        "computes.register",
        "POST",
        "/v2/computes/register",
        "Make a machine known, or known again.",
        body=machines.RegisterCompute,
        body_media=JSON,
        reply=(computes.Compute,),
    ),
    Operation(
        "computes.heartbeat",
        "POST",
        f"{_COMPUTE}/heartbeat",
        "Tell that a registered machine is there.",
        body=machines.HeartbeatCompute,
        body_media=JSON,
        reply=(computes.Compute,),
        errors=(ComputeNotFound,),
    ),
    Operation(
        "computes.remove",
        "DELETE",
        _COMPUTE,
        "Forget a registered machine.",
        reply=(machines.RemovedCompute,),
        errors=(ComputeNotFound,),
    ),
    Operation(
        "computes.relay",
        "POST",
        f"{_COMPUTE}/exec",
        "Pass a request on to what listens beside a machine's relay.",
        body=machines.RelayRequest,
        body_media=JSON,
        reply=(machines.RelayReply,),
        errors=(ComputeNotFound, ProviderUnavailable),
    ),
)
