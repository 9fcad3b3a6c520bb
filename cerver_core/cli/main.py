"""The `cerver` command: tells hooks, for which an agent waits, from all else, and loads only what that takes."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COMMANDS", "main"]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("run", "run code in a session's sandbox, with live output"),
    "create": ("sessions", "open a session"),
    "sessions": ("sessions", "list sessions, newest activity first"),
    "spawn": ("sessions", "open a child of a session"),
    "pause": ("sessions", "free a session's processes; its files and memory stay"),
    "resume": ("sessions", "make a paused session ready again"),
    "end": ("sessions", "end a session for good; its transcript stays readable"),
    "metrics": ("sessions", "show what a session cost and how fast it answered"),
    "show": ("transcripts", "show a session and the end of its transcript; --follow it"),
    "peek": ("transcripts", "show the last entries, as an agent sees them"),
    "append": ("transcripts", "add an entry to a transcript"),
    "export": ("transcripts", "write a whole transcript: text, markdown or jsonl"),
    "redact": ("redactions", "take secrets out of what is stored; --dry-run first"),
    "search": ("search", "search every transcript for words, phrases and dates"),
    "import": ("imports", "bring in histories of other agents, or a jsonl export"),
    "hook": ("hooks", "note what an agent's hook tells, and bring its turns in"),
    "doctor": ("doctor", "say what works here, what does not, and what to do"),
    "skill": ("skill", "install the skill that tells agents how to use Cerver"),
    "mcp": ("mcp", "serve MCP over stdio, as cerver-mcp does"),
}
"""Each command: the module of `cerver_core.cli` that holds it, and what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (or the process's own arguments) names; give the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["hook"] and arguments[1:2] not in (["drain"], ["-h"], ["--help"]):
        from cerver_core.cli.hook import hook  # noqa: PLC0415 - what follows takes longer than an agent likes to wait

        return hook(arguments[1:])
    from cerver_core.cli.dispatch import dispatch  # noqa: PLC0415 - as above

    return dispatch(arguments)
