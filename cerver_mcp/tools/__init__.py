"""The tools, in the order in which clients see them."""

from typing import Any

from cerver_mcp.tools.base import Tool
from cerver_mcp.tools.digest import DIGEST
from cerver_mcp.tools.run import RUN
from cerver_mcp.tools.search import SEARCH
from cerver_mcp.tools.secrets import SECRET_FETCH
from cerver_mcp.tools.sessions import CREATE, END, LIST, METRICS, SPAWN
from cerver_mcp.tools.transcripts import APPEND, EXPORT, PEEK

__all__ = ["TOOLS"]

TOOLS: tuple[Tool[Any], ...] = (
    *(LIST, SEARCH, PEEK, DIGEST, EXPORT),
    *(CREATE, APPEND, RUN, SPAWN, END, METRICS),
    SECRET_FETCH,
)
