"""`cerver skill`: puts the packaged skill where an agent looks for it, never over a changed one unasked."""

import difflib
import importlib.resources
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import Conflict, InvalidInput

__all__ = ["COMMANDS", "default_folder", "packaged_skill"]


def packaged_skill() -> str:
    """Read the skill that this installation carries."""
    return (importlib.resources.files("cerver_mcp") / "skills" / "cerver" / "SKILL.md").read_text(encoding="utf-8")


def default_folder() -> Path:
    """Give the folder where Claude Code looks for the user's skill of this name."""
    return Path.home() / ".claude" / "skills" / "cerver"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=("install", "show"), help="put it in its folder, or print it")
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="the folder (default: ~/.claude/skills/cerver)")
    parser.add_argument("--yes", action="store_true", help="replace a changed copy without asking")


def _run(args: Namespace, terminal: Terminal) -> int:
    if args.action == "show":
        terminal.text(packaged_skill())
        return exits.OK
    folder: Path = default_folder() if args.dir is None else args.dir.expanduser()
    target = folder / "SKILL.md"
    new = packaged_skill()
    try:
        old = target.read_text(encoding="utf-8", errors="replace") if target.exists() else None
        if old == new:
            terminal.line(f"{target} is up to date")
            return exits.OK
        if old is not None:
            _agree_to_replace(target, old, new, args, terminal)
        _put(target, new)
    except OSError as error:
        raise InvalidInput(
            f"cannot write {target}: {error.strerror or error}; choose another folder with --dir"
        ) from error
    terminal.line(f"{target} {'installed' if old is None else 'replaced'}")
    return exits.OK


def _agree_to_replace(target: Path, old: str, new: str, args: Namespace, terminal: Terminal) -> None:
    """Show what would change, and go on only with leave.

    Raises:
        Conflict: it was refused, or nobody is there to ask.
    """
    names = (str(target), "the skill of this version")
    terminal.text("".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), *names)))
    terminal.flush()
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise Conflict(f"{target} differs, as shown, and was left as it is; replace it with --yes")
    terminal.err.write(f"Replace {target}? [y/N] ")
    terminal.err.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Conflict(f"{target} was left as it is")


def _put(target: Path, text: str) -> None:
    """Write the file whole, so that an agent never reads half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)


COMMANDS: Commands = {"skill": Command(_arguments, _run)}
