"""Tables for a person, drawn by rich; loaded only where a person looks."""

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["print_table"]


def print_table(out: TextIO, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table as wide as the window, of which the last column gives way.

    rich itself heeds `NO_COLOR` and dumb terminals.
    """
    table = Table(box=None, header_style="bold", pad_edge=False, expand=True)
    for position, (name, *cells) in enumerate(zip(columns, *rows, strict=True)):
        is_last = position == len(columns) - 1
        width = None if is_last else max(map(len, (name, *cells)))
        style = "cyan" if position == 0 else None
        ratio = 1 if is_last else None
        table.add_column(name, no_wrap=True, overflow="ellipsis", style=style, width=width, ratio=ratio)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(file=out).print(table)
