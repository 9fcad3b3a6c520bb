"""The `cerver` command: tells hooks, for which an agent waits, from all else, and loads only what that takes."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (or the process's own arguments) names; give the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["hook"] and arguments[1:2] not in (["drain"], ["-h"], ["--help"]):
        from cerver_core.cli.hook import hook  # noqa: PLC0415 - what follows takes longer than an agent likes to wait

        return hook(arguments[1:])
    from cerver_core.cli.dispatch import dispatch  # noqa: PLC0415 - as above

    return dispatch(arguments)
