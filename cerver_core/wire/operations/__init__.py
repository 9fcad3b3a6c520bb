"""The one HTTP map: every operation of the contract with its method, path, models, status and errors.

Routes, the client and the OpenAPI document are read from it. A path parameter stands in braces. The first path is the
one that is served and asked; `aliases` are older spellings that are served as well. `Unauthorized`, `RateLimited`,
`InvalidInput` and `Unavailable` can answer every operation and are not repeated. Each resource has a file of its own.
"""

from collections.abc import Mapping

from cerver_core.wire.operations.account import ACCOUNT
from cerver_core.wire.operations.computes import COMPUTES
from cerver_core.wire.operations.files import FILES
from cerver_core.wire.operations.operation import BINARY, EVENTS, JSON, TAR, Operation
from cerver_core.wire.operations.projects import PROJECTS
from cerver_core.wire.operations.routing import ROUTING
from cerver_core.wire.operations.sandboxes import SANDBOXES
from cerver_core.wire.operations.sessions import SESSIONS
from cerver_core.wire.operations.transcripts import TRANSCRIPTS
from cerver_core.wire.operations.vaults import VAULTS

__all__ = ["BINARY", "EVENTS", "JSON", "OPERATIONS", "TAR", "Operation"]

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (*SESSIONS, *TRANSCRIPTS, *COMPUTES, *FILES, *ROUTING, *ACCOUNT, *PROJECTS, *VAULTS, *SANDBOXES)
}
"""Every operation by its name, in the order in which the document shows them."""
