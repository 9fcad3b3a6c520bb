"""`cerver mcp`: becomes the MCP server, in this same process, so that signals and pipes are the server's own."""

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import NoReturn

from cerver_core.cli.command import Command, Commands
from cerver_core.cli.terminal import Terminal

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.epilog = "Settings come from the environment. `cerver-mcp` starts faster."


def _run(args: Namespace, terminal: Terminal) -> NoReturn:
    del args
    terminal.flush()
    os.execv(sys.executable, [sys.executable, "-m", "cerver_mcp"])  # noqa: S606 - our own interpreter and module


COMMANDS: Commands = {"mcp": Command(_arguments, _run)}
