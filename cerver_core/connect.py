"""Assembly: one call gives a caller's Cerver, over the engine on this machine or over a gateway."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cerver_core.api import Cerver
from cerver_core.config import Settings

__all__ = ["connect"]


@asynccontextmanager
async def connect(settings: Settings | None = None) -> AsyncGenerator[Cerver]:
    """Open Cerver as the settings say, and close it afterwards.

    Raises:
        ConfigurationError: the settings contradict themselves.
        StoreUnavailable, StoreCorrupt, SchemaTooNew: the embedded store cannot be opened.
    """
    raise NotImplementedError
    yield
