"""Registered machines on the wire: what a relay tells of the machine it runs on (wire contract §3.1).

Relays of several ages send these; fields that are not known here are passed over, not refused.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from cerver_core.wire.model import Json, JsonObject, Name, Reply, Request

__all__ = ["OFFLINE_AFTER_S", "HeartbeatCompute", "RegisterCompute", "RelayReply", "RelayRequest", "RemovedCompute"]

OFFLINE_AFTER_S = 180
"""A machine that was not heard of for this long shows as offline (wire contract §3.1)."""

ComputeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")]


class RegisterCompute(Request):
    """Make a machine of the account's known, or known again; its relay chose the id."""

    model_config = ConfigDict(extra="ignore")

    compute_id: ComputeId
    label: Annotated[Name, Field(max_length=200)] = ""
    kind: Annotated[Name, Field(max_length=64)] = "local"
    provider: Annotated[Name, Field(min_length=1, max_length=64)] = "cerver_local_provider"
    capabilities: JsonObject = Field(default={})
    metadata: JsonObject = Field(default={})


class HeartbeatCompute(Request):
    """Tell that a registered machine is there. What is left out stays as it was."""

    model_config = ConfigDict(extra="ignore")

    status: Annotated[Name, Field(max_length=64)] = "online"
    capabilities: JsonObject | None = None
    metadata: JsonObject | None = None


class RemovedCompute(Reply):
    """A machine that is known no more."""

    compute_id: str
    status: Literal["removed"] = "removed"


class RelayRequest(Request):
    """One HTTP request to what listens beside a relay, on its own machine."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^/")]
    query: Mapping[str, str] = {}
    body: Json = None


class RelayReply(Reply):
    """The answer of what was asked."""

    status: int
    body: JsonValue = None
