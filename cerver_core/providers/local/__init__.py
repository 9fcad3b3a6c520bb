"""This machine as a compute: `LocalProvider`."""

from cerver_core.providers.local.provider import LocalProvider

__all__ = ["LocalProvider"]
