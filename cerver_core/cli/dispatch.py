"""Finds the module of a command, runs it, and turns errors into one line and an exit code."""

import importlib
import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from cerver_core import __version__
from cerver_core.cli import exits
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import CerverError, InvalidInput

if TYPE_CHECKING:
    from cerver_core.cli.command import Commands

__all__ = ["COMMANDS", "OVERVIEW", "dispatch"]

_log = logging.getLogger(__name__)

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
    "digest": ("digests", "outline sessions: decided, written, failed, still to do"),
    "import": ("imports", "bring in histories of other agents, or a jsonl export"),
    "push": ("moving", "copy this machine's sessions to the gateway"),
    "pull": ("moving", "copy the gateway's sessions to this machine"),
    "recommend": ("recommend", "say where work should run, and why each other place lost"),
    "providers": ("providers", "list the places: which work here, what is missing, what was seen"),
    "policies": ("policies", "show or set the rules that choose model, harness and compute"),
    "stress": ("stress", "compare providers by one kind of work, from estimates or really"),
    "hook": ("hooks", "note what an agent's hook tells, and bring its turns in"),
    "doctor": ("doctor", "say what works here, what does not, and what to do"),
    "skill": ("skill", "install the skill that tells agents how to use Cerver"),
    "mcp": ("mcp", "serve MCP over stdio, as cerver-mcp does"),
    "login": ("login", "get a key of a gateway: a person approves it in a browser"),
    "logout": ("login", "give the key that is set back"),
    "whoami": ("login", "tell whose key is set and what it may do"),
    "keys": ("keys", "list, make and revoke keys of a gateway"),
    "billing": ("account", "show what was used and spent; set a monthly limit"),
    "audit": ("account", "show who did what with which key of the account"),
    "vaults": ("vaults", "connect secret stores to a gateway"),
    "credentials": ("vaults", "keep the credentials of cloud providers at a gateway"),
    "projects": ("projects", "list and make projects, their environments and repos"),
    "admin": ("admin", "operate a gateway: accounts, invitations, the master key"),
    "serve": ("serve", "host Cerver over HTTP, for many people and machines"),
}
"""Each command: the module of `cerver_core.cli` that holds it, and what it does."""

OVERVIEW: Sequence[tuple[str, str]] = (
    ("run", "run code in a session's sandbox, with live output"),
    ("create spawn", "open a session, or a child of one"),
    ("sessions metrics", "list sessions; what one cost and how fast it answered"),
    ("pause resume end", "free a session's processes, take it up again, end it"),
    ("show peek", "a session and the end of its transcript; --follow it"),
    ("append redact", "add an entry; take secrets out of what is stored"),
    ("search digest", "find words and dates in all transcripts; outline them"),
    ("import export", "bring histories in; write a whole transcript"),
    ("push pull", "copy sessions to the gateway, or from it"),
    ("recommend", "where work should run, and why each other place lost"),
    ("policies", "the rules that choose model, harness and compute"),
    ("providers stress", "the places, and what was seen of them; compare them"),
    ("hook skill mcp", "what agents use: hooks, the skill, MCP over stdio"),
    ("login logout whoami", "get a key of a gateway; give it back; whose it is"),
    ("keys billing audit", "the account's keys; what was spent; who did what"),
    ("projects", "projects, their environments and repos"),
    ("vaults credentials", "what a gateway keeps encrypted for you"),
    ("serve admin", "host Cerver over HTTP, for many people and machines"),
    ("doctor", "say what works here, what does not, and what to do"),
)
"""The commands as the overview shows them, in groups, so that all of them fit a screen."""

_HEADER = """\
Memory, compute and secrets for AI agents. Usage: cerver COMMAND [...]
"""
_FOOTER = """
A session goes by its id, a unique beginning of it, or its name.
`cerver COMMAND --help` says more about each.
"""


class _Usage(InvalidInput):
    code = "usage"


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{message}; see `{self.prog} --help`")


def dispatch(arguments: Sequence[str]) -> int:
    """Run the command that the arguments begin with; give the exit code."""
    terminal = Terminal.standard()
    try:
        code = _run(list(arguments), terminal)
        terminal.flush()
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else exits.OK
    except CerverError as error:
        terminal.complain_of(error)
        return exits.exit_code_of(error)
    except Exception as error:  # noqa: BLE001 - the edge: whatever broke becomes one line and a code
        _log.exception("the command broke")
        terminal.complain("bug", f"{type(error).__name__}: {error}")
        return exits.FAILED
    return code


def _run(arguments: list[str], terminal: Terminal) -> int:
    name = arguments[0] if arguments else "--help"
    if name in {"-h", "--help", "help"}:
        terminal.text(_overview())
        return exits.OK
    if name in {"-V", "--version", "version"}:
        terminal.line(f"cerver {__version__}")
        return exits.OK
    if name not in COMMANDS:
        close = get_close_matches(name, COMMANDS, n=1)
        raise _Usage(f"no command {name!r}" + (f"; did you mean {close[0]!r}?" if close else "; see `cerver --help`"))
    module, summary = COMMANDS[name]
    commands: Commands = importlib.import_module(f"cerver_core.cli.{module}").COMMANDS
    command = commands[name]
    parser = _Parser(prog=f"cerver {name}", description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False)
    command.arguments(parser)
    return command.run(parser.parse_intermixed_args(arguments[1:]), terminal)


def _overview() -> str:
    lines = [f"  {names:<21}{what}" for names, what in OVERVIEW]
    return "\n".join([_HEADER, *lines, _FOOTER])


def _unread() -> int:
    """Keep the interpreter from failing once more when it flushes a pipe that nobody reads."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(null, stream.fileno())
    os.close(null)
    return exits.BROKEN_PIPE
