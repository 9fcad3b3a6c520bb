"""Sessions on the wire: create requests, envelopes (snake_case) and records (camelCase); wire contract §2."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from cerver_core.wire.computes import ComputeChoice, FolderReport, Isolation, Requirements
from cerver_core.wire.model import CamelReply, JsonObject, Name, Reply, Request, UtcTime
from cerver_core.wire.routing import Policy, Repo, Routing

__all__ = [
    "STALE_AFTER_DAYS",
    "STATUS_WORDS",
    "AttachCompute",
    "CreateSession",
    "EngagementLabel",
    "Lifecycle",
    "ListSessions",
    "Metrics",
    "SessionEnvelope",
    "SessionMetrics",
    "SessionPage",
    "SessionRecord",
    "SessionType",
    "SpawnSession",
    "Status",
    "UpdateSession",
    "public_status",
    "states_filter",
    "status_filter",
]

Lifecycle = Literal["provisioning", "ready", "running", "idle", "paused", "terminated", "failed"]
Status = Literal["running", "idle", "ended"]
SessionType = Literal["coding", "chat", "transcript", "general"]
EngagementLabel = Literal["idle", "warming", "engaged", "deep"]

STALE_AFTER_DAYS = 14
"""A session without activity for this long shows as ended, with `endReason: stale`, and can still be resumed."""

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

_STATUS_OF: Mapping[Lifecycle, Status] = {
    "provisioning": "running",
    "running": "running",
    "ready": "idle",
    "idle": "idle",
    "paused": "idle",
    "terminated": "ended",
    "failed": "ended",
}

_FILTER_WORDS: Mapping[str, Status] = {
    "running": "running",
    "provisioning": "running",
    "starting": "running",
    "idle": "idle",
    "ready": "idle",
    "resting": "idle",
    "paused": "idle",
    "ended": "ended",
    "archived": "ended",
    "terminated": "ended",
    "failed": "ended",
    "completed": "ended",
}


_EXACT_WORDS: Mapping[str, frozenset[Lifecycle]] = {
    "provisioning": frozenset({"provisioning"}),
    "ready": frozenset({"ready", "idle"}),
    "paused": frozenset({"paused"}),
    "terminated": frozenset({"terminated"}),
    "failed": frozenset({"failed"}),
}


STATUS_WORDS = tuple(sorted(_FILTER_WORDS))
"""Every word for a status that any generation of the API used."""


def public_status(state: Lifecycle) -> Status:
    """Give the word a reader sees for a lifecycle state; staleness is judged apart, by time."""
    return _STATUS_OF[state]


def status_filter(word: str) -> Status | None:
    """Understand any status word of any generation of the API; null for a word that none of them used."""
    return _FILTER_WORDS.get(word.strip().lower())


def states_filter(word: str) -> frozenset[Lifecycle] | None:
    """Give the states that a word for one of them takes out of its status; null for a word that takes them all."""
    return _EXACT_WORDS.get(word.strip().lower())


def _in_one_line(value: object) -> object:
    return _CONTROL.sub(" ", value) if isinstance(value, str) else value


def _nothing(value: object) -> object:
    return None if value == "" else value


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SessionName = Annotated[str, BeforeValidator(_in_one_line), Field(max_length=200)]
"""What a session is called. Clients make it of a prompt: what would break the line becomes a space."""

Absent = BeforeValidator(_nothing)
"""Some clients send "" for what they leave out."""


class CreateSession(Request):
    """Open a session. Everything is optional.

    `compute` left out lets the router choose; `compute: null`, or `session_type: transcript`, makes a session that is
    memory alone, and so does `session_type: chat` that names no compute. What a publishable key opens is memory alone
    whatever it says. A non-empty `task` becomes the first entry, by the user. `parent_session_id` makes it a child of
    that session. `created_at` is for a conversation that began before it came here: the session is as old as that, and
    its last activity too until something is appended (a time still to come counts as now). `canary`
    really runs the declared probe on the two best places before choosing, and charges it.
    `agent` is a saved agent, whose settings hold where nothing else is said.
    `environment_slug` names an environment of the project: its vault and repos are the session's.
    `session_id` is for one that has an id from elsewhere, a UUID: it keeps it.
    """

    session_id: Annotated[str, Field(pattern=_UUID)] | None = None
    session_name: SessionName | None = None
    task: Annotated[str, Field(max_length=100_000)] = ""
    session_type: SessionType = "general"
    workload: Annotated[Name, Field(max_length=64)] = "general"
    harness: Annotated[Annotated[Name, Field(max_length=64)] | None, Absent] = None
    compute: ComputeChoice | None = None
    target_compute_id: Annotated[Annotated[Name, Field(max_length=200)] | None, Absent] = None
    repo: Repo | None = None
    requirements: Requirements = Requirements()
    policy: Policy = Policy()
    metadata: JsonObject = Field(default={})
    project_slug: Annotated[Annotated[Name, Field(max_length=200)] | None, Absent] = Field(
        default=None, validation_alias=AliasChoices("project_slug", "app_slug")
    )
    environment_slug: Annotated[Annotated[Name, Field(max_length=100)] | None, Absent] = None
    agent: Annotated[Annotated[Name, Field(max_length=200)] | None, Absent] = None
    parent_session_id: Annotated[Name, Field(max_length=200)] | None = None
    created_at: UtcTime | None = None
    canary: bool = False

    @property
    def is_transcript_only(self) -> bool:
        """Tell whether no compute is wanted, as the caller said or as it is in a chat."""
        said_null = "compute" in self.model_fields_set and self.compute is None
        is_bare_chat = self.session_type == "chat" and self.compute is None
        return (self.session_type == "transcript" or said_null or is_bare_chat) and self.target_compute_id is None


class SpawnSession(Request):
    """Open a child of a session. It inherits the parent's compute unless another is named; its workspace is its own."""

    task: Annotated[str, Field(min_length=1, max_length=100_000)]
    session_name: SessionName | None = None
    target_compute_id: Annotated[Name, Field(max_length=200)] | None = None
    metadata: JsonObject = Field(default={})


class UpdateSession(Request):
    """Merge keys into a session's metadata (a null value removes the key), and give it another name if one is told.

    It is no activity: the time of the last one stays.
    """

    metadata: JsonObject = Field(default={})
    session_name: Annotated[SessionName, Field(min_length=1)] | None = None


class AttachCompute(Request):
    """Put another compute under a session, or none; the transcript stays.

    `compute_priority` names computes instead, the best first: the first that can take the session does.
    `carry_workspace` copies the files along, where there are at most `max_carry_bytes`; else the workspace is empty.
    """

    compute: ComputeChoice | None = None
    compute_priority: Annotated[
        tuple[Annotated[Name, Field(min_length=1, max_length=200)], ...], Field(max_length=20)
    ] = ()
    carry_workspace: bool = False
    max_carry_bytes: Annotated[int, Field(ge=0, le=10 * 1024**3)] = 256 * 1024**2


class ListSessions(Request):
    """Which sessions: newest activity first, a page at a time.

    `status` takes any word of any generation (`running`, `idle`, `ended`, `resting`, `archived`, …). A word for one
    state takes that state alone: `paused`, `provisioning`, `failed`, `terminated`, and `ready` for what is at rest and
    not paused; without those that are stale, which are `ended`. `source` matches
    `metadata.source`. `cursor` comes from the page before.
    """

    status: Annotated[str, Field(json_schema_extra={"enum": list(STATUS_WORDS)})] | None = None
    source: Annotated[Name, Field(max_length=200)] | None = None
    project: Annotated[Name, Field(max_length=200)] | None = None
    parent: Annotated[Name, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    cursor: Annotated[str, Field(max_length=200)] | None = None


class Metrics(Reply):
    """What a session has cost and how fast it answered (wire contract §2.5). Times are milliseconds.

    `provision_time_ms`: how long the creation took, sandbox included. `time_to_first_exec_ms`: from creation to the
    start of the first execution; null before it. `last_exec_latency_ms`: how long the last one took.
    `average_exec_latency_ms`: over those not streamed. `average_stream_open_latency_ms`: from the request to the first
    event, over streamed ones. `total_exec_count`, `total_stream_count`: executions not streamed, and streamed.
    `interaction_count`: entries by a user plus executions. `session_length_ms`: now less the creation, until it ended.
    `cost_estimate_usd`: null when unknown; 0 on this machine. `uptime_percent`: from our own observations only, else
    null. `predicted_startup_ms`: what the advisor expected. `engagement_score`: 0 to 1, from length, interactions and
    executions; `engagement_label`: `warming` from creation, `engaged` from 0.5, `deep` from 0.75; `idle` after a
    day without any.
    """

    provision_time_ms: float | None = None
    time_to_first_exec_ms: float | None = None
    last_exec_latency_ms: float | None = None
    average_exec_latency_ms: float | None = None
    average_stream_open_latency_ms: float | None = None
    total_exec_count: int = 0
    total_stream_count: int = 0
    interaction_count: int = 0
    session_length_ms: float = 0
    cost_estimate_usd: float | None = None
    uptime_percent: float | None = None
    predicted_startup_ms: float | None = None
    engagement_score: float = 0
    engagement_label: EngagementLabel = "warming"


class SessionEnvelope(Reply):
    """The answer to create, pause, resume, spawn, attach and terminate; `status` is the lifecycle state.

    `carried` tells what of the workspace came along when the compute was changed.
    """

    session_id: str
    session_name: str | None = None
    status: Lifecycle
    provider: str = "none"
    compute_id: str | None = None
    sandbox_id: str | None = None
    harness: str | None = None
    parent_session_id: str | None = None
    metrics: Metrics = Metrics()
    routing: Routing | None = None
    isolation: Isolation | None = None
    workspace_kept_until: UtcTime | Literal["deleted_by_hand"] | None = None
    carried: FolderReport | None = None


class SessionRecord(CamelReply):
    """A session as a reader sees it; camelCase on the wire.

    `status` is `running`, `idle` or `ended`; `state` is the lifecycle value behind it. `end_reason` says why it ended
    (`stale` for one without activity for 14 days, which can still be resumed). `message_count` and
    `transcript_total` are the number of entries. `title` says in one line what it is about: its name,
    `metadata.title`, its task or its first words; empty where it has none of them.
    """

    session_id: str
    session_name: str | None = None
    title: str = ""
    status: Status
    state: Lifecycle
    end_reason: str | None = None
    created_at: UtcTime
    updated_at: UtcTime
    workload: str = "general"
    session_type: SessionType = "general"
    task: str = ""
    harness: str | None = None
    project_slug: str | None = None
    parent_session_id: str | None = None
    compute_id: str | None = None
    sandbox_id: str | None = None
    provider: str = "none"
    metadata: Mapping[str, JsonValue] = {}
    requirements: Requirements = Requirements()
    message_count: int = 0
    transcript_total: int = 0
    metrics: Metrics = Metrics()
    routing: Routing | None = None


class SessionPage(Reply):
    """One page of a list; `next_cursor` is null on the last."""

    sessions: tuple[SessionRecord, ...]
    next_cursor: str | None = None


class SessionMetrics(Reply):
    """The answer to a metrics call."""

    session_id: str
    provider: str
    status: Lifecycle
    routing: Routing | None = None
    metrics: Metrics
