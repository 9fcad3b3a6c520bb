"""Asks the questions of a set and prints how often the right session is found: `python -m benchmarks.recall [FILE]`."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.recall.halves import reporting_half, tuning_half
from benchmarks.recall.run import Recall, ask_apart, ask_pooled


def main() -> None:
    """Read the arguments, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="a set in JSON (default: the reporting half of a made one)")
    parser.add_argument("--tune", action="store_true", help="the tuning half of the made set instead")
    parser.add_argument("--misses", action="store_true", help="name the questions whose right session is not first")
    arguments = parser.parse_args()
    if arguments.file is not None:
        sets = {arguments.file.stem: json.loads(arguments.file.read_text(encoding="utf-8"))}
    else:
        sets = tuning_half() if arguments.tune else reporting_half()
    for name, document in sets.items():
        apart = ask_apart(document)
        _print(name, {"per conversation": apart, "pooled": ask_pooled(document)})
        if arguments.misses:
            print("\n".join(apart.missed))


def _print(name: str, results: dict[str, Recall]) -> None:
    table = Table(box=None)
    for heading in (name, "questions", "first", "@5", "@10"):
        table.add_column(heading)
    for scope, one in results.items():
        table.add_row(scope, str(one.questions), *(f"{share:.1%}" for share in (one.first, one.five, one.ten)))
    Console().print(table)


if __name__ == "__main__":
    main()
