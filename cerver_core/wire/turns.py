"""Turns on the wire: what is said to a session, how it stands, and which tool answers (wire contract §2.1, §2.4)."""

from typing import Annotated, Literal

from pydantic import AliasChoices, ConfigDict, Field, JsonValue

from cerver_core.wire.computes import ComputeChoice
from cerver_core.wire.model import Name, Reply, Request
from cerver_core.wire.sessions import STATUS_WORDS

__all__ = ["TOOL_SWITCH", "LlmDelta", "LlmUsage", "ReportStatus", "RunLlm", "SendInput", "SwitchTool"]

TOOL_SWITCH = "tool_switch"
"""The kind of the entry that a switch of the tool appends: by `system`, with `tool_input` = `{"from": …, "to": …}`,
each of them an object of `harness`, `cli_tool` and `cli_model`. Our choice."""

Word = Annotated[Name, Field(max_length=200)]


class SendInput(Request):
    """Say something to a session: exactly one entry is appended. A publishable key speaks as `user` alone."""

    content: Annotated[str, Field(min_length=1)]
    role: Literal["user", "assistant", "system"] = "user"


class ReportStatus(Request):
    """Tell how a session stands: any word of any generation of the API.

    `running`, `provisioning` and `starting` mean that a turn is under way; `idle`, `ready`, `resting` and `completed`
    that it is over; `failed` ends the session with `end_reason`; `ended`, `terminated` and `archived` terminate it.
    """

    status: Annotated[Name, Field(min_length=1, max_length=64, json_schema_extra={"enum": list(STATUS_WORDS)})]
    end_reason: Annotated[str, Field(max_length=2_000)] | None = None


_SOMETHING_TO_SWITCH: list[JsonValue] = [
    {"required": [name]} for name in ("cli_tool", "cli_model", "harness", "compute")
]


class SwitchTool(Request):
    """Go on with another tool or model under the same session.

    What is left out stays; `cli_model: ""` is the tool's own default. `compute` moves the session as well. `content`
    is said to it next; without, the switch waits for the next input.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": _SOMETHING_TO_SWITCH})

    cli_tool: Annotated[Word, Field(min_length=1)] | None = None
    cli_model: Word | None = None
    harness: Annotated[Word, Field(min_length=1)] | None = None
    compute: ComputeChoice | None = None
    content: Annotated[str, Field(max_length=4_000_000)] = ""


class RunLlm(Request):
    """Ask a model once; the caller keeps the conversation."""

    input: Annotated[str, Field(min_length=1)]
    model: Word | None = None
    system_prompt: str | None = Field(
        default=None,
        validation_alias=AliasChoices("systemPrompt", "system_prompt"),
        serialization_alias="systemPrompt",
    )


class LlmDelta(Reply):
    """A piece of a model's answer (the event `text_delta`)."""

    content: str


class LlmUsage(Reply):
    """What an answer cost, last (the event `usage`); null is unknown."""

    cost_estimate_usd: float | None = None
