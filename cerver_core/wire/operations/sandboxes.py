"""The operations of the raw sandbox layer, as older clients ask them (wire contract §3.5)."""

from cerver_core.errors import (
    FileMissing,
    NoComputeAvailable,
    NotSupported,
    PathEscapesWorkspace,
    ProviderRefused,
    ProviderUnavailable,
    RuntimeMissing,
    TooLarge,
)
from cerver_core.wire import computes, sandboxes
from cerver_core.wire.operations.operation import EVENTS, JSON, STATE, Operation

__all__ = ["SANDBOXES"]

_SANDBOX = "/sandbox/{session_id}"
_RUN = (*STATE, RuntimeMissing, ProviderRefused, ProviderUnavailable)

SANDBOXES = (
    Operation(
        "sandboxes.create",
        "POST",
        "/sandbox",
        "Make a sandbox: a session with a compute and no task.",
        body=sandboxes.CreateSandbox,
        body_media=JSON,
        reply=(sandboxes.SandboxCreated,),
        errors=(NoComputeAvailable, ProviderRefused),
    ),
    Operation(
        "sandboxes.list",
        "GET",
        "/sandboxes",
        "List the sandboxes that are not over, newest activity first.",
        query=sandboxes.ListSandboxes,
        reply=(sandboxes.SandboxList,),
    ),
    Operation(
        "sandboxes.get",
        "GET",
        _SANDBOX,
        "Tell of one sandbox.",
        reply=(sandboxes.Sandbox,),
        errors=STATE,
    ),
    Operation(
        "sandboxes.delete",
        "DELETE",
        _SANDBOX,
        "Remove a sandbox with its files.",
        reply=(sandboxes.SandboxDone,),
        errors=(*STATE, ProviderRefused),
    ),
    Operation(
        "sandboxes.run",
        "POST",
        f"{_SANDBOX}/run",
        "Run code in a sandbox and wait for it.",
        body=sandboxes.RunSandbox,
        body_media=JSON,
        reply=(sandboxes.SandboxRan,),
        errors=_RUN,
    ),
    Operation(
        "sandboxes.run_stream",
        "POST",
        f"{_SANDBOX}/run/stream",
        "Run code in a sandbox and stream its output; closing the connection ends it.",
        body=sandboxes.RunSandbox,
        body_media=JSON,
        reply=(computes.ExecStarted, computes.ExecOutput, computes.ExecFinished),
        reply_media=EVENTS,
        errors=_RUN,
    ),
    Operation(
        "sandboxes.install",
        "POST",
        f"{_SANDBOX}/install",
        "Install a package in a sandbox.",
        body=sandboxes.InstallPackage,
        body_media=JSON,
        reply=(sandboxes.Installed,),
        errors=_RUN,
    ),
    Operation(
        "sandboxes.write_file",
        "POST",
        f"{_SANDBOX}/files",
        "Write one file of a sandbox.",
        body=sandboxes.WriteSandboxFile,
        body_media=JSON,
        reply=(sandboxes.SandboxDone,),
        errors=(*STATE, PathEscapesWorkspace, ProviderRefused),
    ),
    Operation(
        "sandboxes.files",
        "GET",
        f"{_SANDBOX}/files",
        "Read one file of a sandbox, or list them all.",
        query=sandboxes.TakeFile,
        reply=(sandboxes.SandboxFiles,),
        errors=(*STATE, PathEscapesWorkspace, FileMissing, ProviderRefused, TooLarge),
    ),
    Operation(
        "computes.set_lifetime",
        "POST",
        "/v2/sessions/{session_id}/timeout",
        "Let a session's sandbox live so long from now on, where its provider can say so.",
        body=sandboxes.Lifetime,
        body_media=JSON,
        reply=(sandboxes.SandboxDone,),
        errors=(*STATE, NotSupported, ProviderRefused, ProviderUnavailable),
        aliases=(f"{_SANDBOX}/timeout",),
    ),
    Operation(
        "computes.host",
        "GET",
        "/v2/sessions/{session_id}/host",
        "Tell where a port of a session's sandbox is reached, where its provider makes it reachable.",
        query=sandboxes.Port,
        reply=(sandboxes.PortHost,),
        errors=(*STATE, NotSupported, ProviderRefused, ProviderUnavailable),
        aliases=(f"{_SANDBOX}/host",),
    ),
)
