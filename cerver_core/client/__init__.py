"""The contract, asked of a gateway over HTTP."""

from cerver_core.client.client import Client

__all__ = ["Client"]
