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
    table = Table(box=None, header_style="bold", pad_edge=False)
    for position, (name, *cells) in enumerate(zip(columns, *rows, strict=True)):
        width = max(map(len, (name, *cells))) if position < len(columns) - 1 else None
        style = "cyan" if position == 0 else None
        table.add_column(name, no_wrap=True, overflow="ellipsis", style=style, min_width=width)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(file=out).print(table)
