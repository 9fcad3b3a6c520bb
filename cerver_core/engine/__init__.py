"""The contract, done on this machine: over a store, some providers and a secret backend that are handed in."""

from cerver_core.engine.engine import Engine

__all__ = ["Engine"]
