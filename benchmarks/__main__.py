"""Run the benchmarks: prints a table of medians and ratios, and writes them as JSON."""

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure

__all__ = ["main"]

_FOLDER = Path(__file__).parent
_MEASURES = "\ndef measure("


class _Benchmark(Protocol):
    def measure(self) -> list[Figure]: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the named benchmarks, or all; exit code 1 when a figure misses its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (default: all)")
    parser.add_argument("--list", action="store_true", help="list the names and end")
    parser.add_argument("--output", type=Path, help="where to write the JSON (default: benchmarks/results/<time>.json)")
    args = parser.parse_args(argv)
    known = _known()
    if args.list:
        print("\n".join(known))
        return 0
    unknown = set(args.names) - set(known)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    # Python without its bytecode cache starts several times slower; nobody runs it so.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    results = {name: _measured(name) for name in args.names or known}
    _print(results)
    _write(results, args.output)
    missed = [figure for figures in results.values() for figure in figures if figure.is_reached is False]
    return 1 if missed else 0


def _known() -> list[str]:
    """Name the modules beside this one that measure something."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if _MEASURES in path.read_text(encoding="utf-8"))


def _measured(name: str) -> list[Figure]:
    with Console(stderr=True).status(f"measuring {name}"):
        benchmark = cast("_Benchmark", importlib.import_module(f"benchmarks.{name}"))
        return benchmark.measure()


def _print(results: Mapping[str, Sequence[Figure]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("figure", "measured", "rival", "ratio", "to reach", ""):
        table.add_column(heading, justify="left" if heading in {"figure", "rival", ""} else "right")
    for name, figures in results.items():
        table.add_row(f"[bold]{name}[/bold]")
        for figure in figures:
            table.add_row(*_row(figure))
    Console().print(table)


def _row(figure: Figure) -> tuple[str, ...]:
    against = "" if figure.against is None else f"{figure.rival} {figure.against:,.3g} {figure.unit}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    bound = "" if figure.to_reach is None else f"{'≤' if figure.at_most else '≥'} {figure.to_reach:g}"
    verdict = {True: "[green]reached[/green]", False: "[red]missed[/red]", None: ""}[figure.is_reached]
    return (f"  {figure.name}", f"{figure.value:,.3g} {figure.unit}", against, ratio, bound, verdict)


def _write(results: Mapping[str, Sequence[Figure]], output: Path | None) -> None:
    now = datetime.now(UTC)
    target = output or _FOLDER / "results" / f"{now:%Y%m%dT%H%M%SZ}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": now.isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "figures": {
            name: [{**asdict(figure), "ratio": figure.ratio, "is_reached": figure.is_reached} for figure in figures]
            for name, figures in results.items()
        },
    }
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    Console(stderr=True).print(f"wrote {target}")


if __name__ == "__main__":
    sys.exit(main())
