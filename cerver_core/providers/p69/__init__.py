"""A local provider server over HTTP: the surface `/api/cerver/provider` (wire contract §3.3)."""

from cerver_core.providers.p69.provider import P69Provider

__all__ = ["P69Provider"]
