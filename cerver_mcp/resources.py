"""Sessions as MCP resources: `cerver://sessions` and `cerver://sessions/{id}`."""

import re
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from cerver_core.api import Cerver
from cerver_core.errors import CerverError
from cerver_core.render.peek import peek
from cerver_core.render.sessions import rows
from cerver_core.wire.sessions import ListSessions
from cerver_core.wire.transcripts import ReadTranscript
from cerver_mcp.boundary import error_text, internal_error
from cerver_mcp.opener import Opener

__all__ = ["list_resources", "list_templates", "read_resource", "session_of"]

_LIST_URI = "cerver://sessions"
_ONE_URI = re.compile(r"cerver://sessions/([^/?#\s]{1,200})")
_RESOURCE_TOKENS = 8_000

_Context = ServerRequestContext[Opener, Any]


def session_of(uri: str) -> str | None:
    """Tell which session a URI addresses: an id, a prefix of one, or a name; null for any other URI."""
    match = _ONE_URI.fullmatch(uri)
    return match[1] if match else None


async def list_resources(_ctx: _Context, _params: PaginatedRequestParams | None) -> ListResourcesResult:
    """List the one resource that is always there."""
    listed = Resource(
        uri=_LIST_URI, name="sessions", description="The newest sessions, one line each", mime_type="text/plain"
    )
    return ListResourcesResult(resources=[listed])


async def list_templates(_ctx: _Context, _params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    """List how one session is addressed."""
    template = ResourceTemplate(
        uri_template="cerver://sessions/{id}",
        name="session",
        description="The end of a session's transcript, about 8,000 tokens; by id, unique prefix or name",
        mime_type="text/plain",
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(ctx: _Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    """Read one of them. Whatever goes wrong is told as the protocol says, with the address it is about."""
    uri = str(params.uri)
    match = _ONE_URI.fullmatch(uri)
    if uri != _LIST_URI and match is None:
        raise _refusal(uri, f"not_found: resources are {_LIST_URI} and cerver://sessions/ID")
    try:
        cerver = await ctx.lifespan_context.cerver()
        text = await (_session(cerver, match[1]) if match else _sessions(cerver))
    except CerverError as error:
        raise _refusal(uri, error_text(error)) from None
    except Exception as error:  # noqa: BLE001 - the MCP edge: logged with its traceback
        raise _refusal(uri, internal_error("reading a resource", error)) from None
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type="text/plain", text=text)])


async def _sessions(cerver: Cerver) -> str:
    request = ListSessions(limit=50)
    return rows(await cerver.sessions.list(request), now=datetime.now(UTC), request=request)


async def _session(cerver: Cerver, reference: str) -> str:
    session_id = await cerver.sessions.resolve(reference)
    page = await cerver.transcripts.read(session_id, ReadTranscript(tail=200))
    return peek(page, max_tokens=_RESOURCE_TOKENS)


def _refusal(uri: str, text: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=text, data={"uri": uri})
