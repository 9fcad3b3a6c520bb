"""Cerver: memory, compute and secrets for AI agents, behind one contract.

Importing this package is cheap. `cerver_core.connect.connect` opens a Cerver, and loads what that takes.
"""

from cerver_core.errors import CerverError

__version__ = "0.1.0"

__all__ = ["CerverError", "__version__"]
