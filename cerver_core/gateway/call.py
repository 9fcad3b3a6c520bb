"""One call of an operation: who asks for what, and what a handler needs to answer; doing it is the handler's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope

from cerver_core.api import Caller, Cerver, Host
from cerver_core.errors import Unauthorized
from cerver_core.gateway.limits import Limits
from cerver_core.gateway.live import Live
from cerver_core.gateway.ratelimits import RateLimits
from cerver_core.gateway.reading import body_model, query_model
from cerver_core.wire.model import Request
from cerver_core.wire.operations import Operation

__all__ = ["NO_KEY", "Answer", "Call", "Handler", "Serving"]

Model = TypeVar("Model", bound=Request)

NO_KEY = "no key was given: send the header `Authorization: Bearer <key>`"


@dataclass(frozen=True, slots=True)
class Serving:
    """What lives as long as the gateway: whom it serves, its limits, the live transcripts, who asked how often."""

    host: Host
    limits: Limits
    live: Live
    rates: RateLimits


@dataclass(slots=True)
class Call:
    """One call. `content` is its JSON body, read within the limits; other bodies are the handler's to read."""

    serving: Serving
    operation: Operation
    scope: Scope
    receive: Receive
    parameters: Mapping[str, str]
    caller: Caller | None
    token: str | None
    content: bytes = b""

    @property
    def cerver(self) -> Cerver:
        """Give the caller's own Cerver.

        Raises:
            Unauthorized: the call came without a key.
        """
        if self.caller is None:
            raise Unauthorized(NO_KEY)
        return self.serving.host.cerver(self.caller)

    @property
    def session_id(self) -> str:
        """Give the session that the path names."""
        return self.parameters["session_id"]

    def query(self, model: type[Model]) -> Model:
        """Read the query."""
        return query_model(model, self.scope)

    def body(self, model: type[Model]) -> Model:
        """Read the JSON body."""
        return body_model(model, self.content)


Answer = BaseModel | Response
"""A model is written as JSON with the operation's own status."""

Handler = Callable[[Call], Awaitable[Answer]]
