"""Sandboxes of E2B, and of hosts that speak its wire."""

from cerver_core.providers.e2b.provider import E2bProvider

__all__ = ["E2bProvider"]
