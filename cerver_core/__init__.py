"""Cerver: memory, compute and secrets for AI agents, behind one contract.

Importing this package is cheap; the engine, the client and their libraries load when `connect` is first used.
"""

from typing import TYPE_CHECKING

from cerver_core.errors import CerverError

if TYPE_CHECKING:
    from cerver_core.connect import connect

__version__ = "0.1.0"

__all__ = ["CerverError", "__version__", "connect"]


def __getattr__(name: str) -> object:
    if name == "connect":
        from cerver_core.connect import connect  # noqa: PLC0415 - loads on first use

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
