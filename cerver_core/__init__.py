"""Cerver: memory, compute and secrets for AI agents, behind one contract.

Importing this package is cheap. `cerver_core.connect.connect` opens a Cerver, and loads what that takes.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cerver_core.errors import CerverError

__version__ = "0.1.0"

__all__ = ["CerverError", "__version__"]


def __getattr__(name: str) -> object:
    # An agent waits for its hooks, and the errors alone double the time that one takes to start.
    if name != "CerverError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cerver_core.errors import CerverError  # noqa: PLC0415 - as above

    return CerverError
