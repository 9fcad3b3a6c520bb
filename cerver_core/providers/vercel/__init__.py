"""Sandboxes of Vercel."""

from cerver_core.providers.vercel.provider import VercelProvider

__all__ = ["VercelProvider"]
