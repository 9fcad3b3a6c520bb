"""Computes on the wire: what work needs, what a place offers, and executions (wire contract §2.1, §3.1, §3.5)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, JsonValue

from cerver_core.wire.model import Name, Reply, Request, UtcTime

__all__ = [
    "DEFAULT_TIMEOUT_MINUTES",
    "Compute",
    "ComputeChoice",
    "ComputeList",
    "Control",
    "ExecEvent",
    "ExecFinished",
    "ExecOutput",
    "ExecRequest",
    "ExecResult",
    "ExecStarted",
    "FileEntry",
    "FileList",
    "FolderReport",
    "InstallRequest",
    "Isolation",
    "IsolationLevel",
    "PersistenceLevel",
    "Requirements",
    "Runtime",
    "RuntimeFound",
    "WriteFile",
]

Runtime = Literal["shell", "python", "node"]
IsolationLevel = Literal["process", "confined", "sandbox"]
PersistenceLevel = Literal["low", "medium", "high"]
ControlState = Literal["enforced", "per_process", "best_effort", "not_enforced"]
Stream = Literal["stdout", "stderr"]

DEFAULT_TIMEOUT_MINUTES = 20
"""The default and the maximum time of an execution, unless the requirements say otherwise (wire contract §2.2)."""


class Requirements(Request):
    """What the work needs of its compute.

    `timeout_minutes` is both the default and the maximum of one execution. `persistence_level` says how long the
    workspace outlives the session: `low` not at all, `medium` 24 hours, `high` until it is deleted by hand.
    `isolation` left out means the strongest level the machine can do; asked for and not to be had, it is refused
    unless `allow_weaker`. `network: false` cuts the sandbox off.
    """

    runtime: Runtime = "shell"
    package_install: bool = False
    public_preview: bool = False
    browser: bool = False
    desktop: bool = False
    persistence_level: PersistenceLevel = "medium"
    timeout_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = DEFAULT_TIMEOUT_MINUTES
    isolation: IsolationLevel | None = None
    allow_weaker: bool = False
    network: bool = True
    memory_mb: Annotated[int, Field(ge=64)] | None = None


class ComputeChoice(Request):
    """Where a session shall run: a fresh sandbox of a provider, or one particular compute.

    `credentials` are the caller's own of that provider (`vercel_token`, `e2b_api_key`, `daytona_api_key`,
    `modal_api_key`), kept sealed for this session alone.
    """

    provider: Annotated[Name, Field(min_length=1, max_length=64)] | None = None
    compute_id: Annotated[Name, Field(min_length=1, max_length=200)] | None = None
    credentials: Annotated[Mapping[str, str], Field(max_length=10)] | None = Field(default=None, repr=False)


class Control(Reply):
    """How well one promise of isolation holds here: found by a probe, with the mechanism and the reason."""

    state: ControlState
    by: str | None = None
    why: str | None = None


class Isolation(Reply):
    """The isolation in force: its level, and each control by name (filesystem, network, processes, memory, …).

    `weaker_than_asked` is set when `allow_weaker` let a lower level stand in for the asked one.
    """

    level: IsolationLevel
    controls: Mapping[str, Control] = {}
    weaker_than_asked: bool = False


class RuntimeFound(Reply):
    """One runtime of a compute: where it is, or why it is not."""

    name: Runtime
    path: str | None = None
    version: str | None = None
    missing: str | None = None


class Compute(Reply):
    """One place where code can run.

    `status` is `ready`, or `offline` for a registered machine that was not heard of for three minutes. `owner_id` is
    the account that registered it; null for a compute that nobody registered.
    """

    compute_id: str
    label: str
    provider: str
    status: str = "ready"
    scope: str = "private"
    kind: str = "local"
    last_heartbeat_at: UtcTime | None = None
    owner_id: str | None = None
    capabilities: Mapping[str, JsonValue] = {}
    runtimes: tuple[RuntimeFound, ...] = ()
    isolation: Isolation | None = None
    unavailable_levels: Mapping[str, str] = {}


class ComputeList(Reply):
    """The computes of the account."""

    computes: tuple[Compute, ...]


class ExecRequest(Request):
    """One execution of code in a session's sandbox.

    `timeout_s` defaults to, and may not exceed, the session's `timeout_minutes`. `cwd` is relative to the workspace;
    left out, the execution starts where the last one of the session ended (for the shell runtime). `secrets` names
    what is resolved now, put in this process's environment alone, and redacted from what comes back.
    """

    code: Annotated[str, Field(min_length=1, max_length=4 * 1024 * 1024)]
    runtime: Runtime | None = None
    timeout_s: float | None = Field(default=None, gt=0, validation_alias=AliasChoices("timeout_s", "timeout"))
    env: Mapping[str, str] = Field(default={}, validation_alias=AliasChoices("env", "envs"))
    secrets: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    cwd: Annotated[Name, Field(max_length=4_096)] | None = None


class ExecResult(Reply):
    """What an execution came to.

    `exit_code` is 124 after a timeout and 128 + N for a process that died of signal N, as shells say it. `stdout` and
    `stderr` are redacted text; beyond the cap they hold head and tail, and `*_bytes` tell the true totals.
    `output_truncated_by_orphan`: a process left behind still held the pipe, and what it wrote later is not here.
    """

    session_id: str
    stdout: str
    stderr: str
    exit_code: int
    duration_ms: float
    timed_out: bool = False
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    truncated: bool = False
    output_truncated_by_orphan: bool = False
    provider: str = "local"
    isolation_level: IsolationLevel | None = None
    tool_id: str | None = None
    seq: int | None = None
    notes: tuple[str, ...] = ()


class ExecStarted(Reply):
    """The first event of a stream: the command is running. `stream_latency_ms` is how long the opening took."""

    type: Literal["started"] = "started"
    session_id: str
    provider: str
    stream_latency_ms: float


class ExecOutput(Reply):
    """Redacted text, as it came."""

    type: Literal["output"] = "output"
    stream: Stream
    text: str


class ExecFinished(Reply):
    """The last event of a stream; its result holds the whole output, capped as in `ExecResult`."""

    type: Literal["finished"] = "finished"
    result: ExecResult


ExecEvent = ExecStarted | ExecOutput | ExecFinished


class WriteFile(Request):
    """Write one file of the workspace; parents are made as needed. `path` is relative to the workspace."""

    path: Annotated[str, Field(min_length=1, max_length=4_096)]
    content: bytes


class FileEntry(Reply):
    """One entry of a folder."""

    path: str
    kind: Literal["file", "folder", "symlink", "other"]
    size_bytes: int = 0


class FileList(Reply):
    """The entries of a folder, sorted by path; `truncated` when there were more than the limit."""

    path: str
    entries: tuple[FileEntry, ...]
    truncated: bool = False


class FolderReport(Reply):
    """What a folder transfer moved, and what it left out with the reason (symlinks that leave, special files)."""

    files: int
    bytes: int
    skipped: Mapping[str, str] = {}


class InstallRequest(Request):
    """Install packages into the workspace, never into the user's environment."""

    packages: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    installer: Literal["pip", "npm"] = "pip"
    timeout_s: Annotated[float, Field(gt=0)] | None = None
