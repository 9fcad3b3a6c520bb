"""One module per resource: a handler for each of its operations, by the operation's name."""

from collections.abc import Mapping

from cerver_core.gateway.call import Handler
from cerver_core.gateway.routes import (
    account,
    computes,
    files,
    projects,
    routing,
    sandboxes,
    sessions,
    transcripts,
    vaults,
)

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    **sessions.HANDLERS,
    **transcripts.HANDLERS,
    **computes.HANDLERS,
    **files.HANDLERS,
    **routing.HANDLERS,
    **account.HANDLERS,
    **projects.HANDLERS,
    **vaults.HANDLERS,
    **sandboxes.HANDLERS,
}
