"""The raw sandbox layer on the wire (wire contract §3.5): a sandbox is a session, named `sandbox_id` here.

The wire contract leaves the shapes of files, list and host open; these are ours.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, JsonValue

from cerver_core.wire.computes import Runtime
from cerver_core.wire.model import Name, Reply, Request, UtcTime

__all__ = [
    "CreateSandbox",
    "InstallPackage",
    "Installed",
    "Lifetime",
    "ListSandboxes",
    "Port",
    "PortHost",
    "RunSandbox",
    "Sandbox",
    "SandboxCreated",
    "SandboxDone",
    "SandboxFile",
    "SandboxFiles",
    "SandboxList",
    "SandboxRan",
    "TakeFile",
    "WriteSandboxFile",
]

_Timeout = Annotated[float, Field(gt=0, le=24 * 3600)]
_Path = Annotated[str, Field(min_length=1, max_length=4_096)]
Encoding = Literal["utf-8", "base64"]


class CreateSandbox(Request):
    """Make a sandbox; no body makes one with every default.

    `envs` are given to everything that runs in it, and lie in the sandbox, nowhere else. `timeout` is how many seconds
    it lives, where its provider can say so. `runtime` is what `code` is taken for when a run does not say.
    """

    envs: Annotated[Mapping[str, str], Field(max_length=1_000)] = {}
    timeout: _Timeout | None = None
    metadata: Mapping[str, JsonValue] = {}
    runtime: Runtime = "shell"
    provider: Annotated[Name, Field(max_length=64)] | None = None


class SandboxCreated(Reply):
    """A sandbox that was made."""

    sandbox_id: str
    provider: str
    status: str


class Sandbox(Reply):
    """One sandbox: `status` is `running`, `idle` or `ended`."""

    sandbox_id: str
    status: str
    provider: str
    created_at: UtcTime
    updated_at: UtcTime
    metadata: Mapping[str, JsonValue] = {}


class ListSandboxes(Request):
    """The query of a list: newest activity first, those that are not over."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SandboxList(Reply):
    """Sandboxes that were made over this layer."""

    sandboxes: tuple[Sandbox, ...]


class RunSandbox(Request):
    """Run code in a sandbox; `timeout` is in seconds. Files and the folder where it stands persist between runs."""

    code: Annotated[str, Field(min_length=1, max_length=4 * 1024 * 1024)]
    timeout: _Timeout | None = None
    envs: Mapping[str, str] = Field(default={}, validation_alias=AliasChoices("envs", "env"))
    runtime: Runtime | None = None


class SandboxRan(Reply):
    """What a run came to. `error` is its standard error, and says `timed out` when it did; `duration` is in seconds."""

    output: str
    error: str
    exit_code: int
    duration: float


class InstallPackage(Request):
    """Install one package."""

    package: Annotated[Name, Field(min_length=1, max_length=1_000)]
    installer: Literal["pip", "npm"] = "pip"


class Installed(Reply):
    """Whether a package was installed, and what the installer wrote."""

    success: bool
    output: str = ""
    error: str = ""


class WriteSandboxFile(Request):
    """Write one file; `content` is text, or base64 where `encoding` says so."""

    path: _Path
    content: str
    encoding: Encoding = "utf-8"


class TakeFile(Request):
    """The query of files: with `path` that file is read, without it the files are listed.

    A file that is no text comes as base64; `encoding=base64` asks for that in any case.
    """

    path: _Path | None = None
    encoding: Encoding = "utf-8"


class SandboxFile(Reply):
    """One entry of the list, without content; or one file that was read, with it."""

    path: str
    kind: str = "file"
    size_bytes: int
    content: str | None = None
    encoding: Encoding | None = None


class SandboxFiles(Reply):
    """What is in a sandbox, or the one file that was read: then `path`, `content` and `encoding` stand here too."""

    files: tuple[SandboxFile, ...]
    truncated: bool = False
    path: str | None = None
    content: str | None = None
    encoding: Encoding | None = None


class SandboxDone(Reply):
    """That something was done."""

    success: bool = True
    sandbox_id: str


class Lifetime(Request):
    """How many seconds a sandbox shall live from now on."""

    timeout: _Timeout = Field(validation_alias=AliasChoices("timeout", "timeout_s"))


class Port(Request):
    """The query that names a port of a sandbox."""

    port: Annotated[int, Field(ge=1, le=65535)]


class PortHost(Reply):
    """Where a port is reached. `headers` must go with each request; they may hold a token."""

    url: str
    host: str
    port: int
    headers: Mapping[str, str] = {}
