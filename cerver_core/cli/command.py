"""What a command is: its arguments, and what it does; loads nothing heavy."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cerver_core.cli.terminal import Terminal

__all__ = ["Command", "Commands"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `arguments` fills its parser, `run` does it and gives the exit code."""

    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Terminal], int]


Commands = Mapping[str, Command]
