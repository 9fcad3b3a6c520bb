"""Daytona's sandboxes, over its REST API and the toolbox in each sandbox."""

from cerver_core.providers.daytona.provider import DaytonaProvider

__all__ = ["DaytonaProvider"]
