"""`cerver stress`: providers compared by one kind of work, with a table and a plot."""

from argparse import ArgumentParser, Namespace
from typing import get_args

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.placing import milliseconds, place_arguments, policy, requirements, usd
from cerver_core.cli.terminal import Terminal
from cerver_core.wire.stress import StressKind, StressReport, StressRequest, StressSamples

__all__ = ["COMMANDS"]

_PLOT_CHARS = 40


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=get_args(StressKind), default="cold_start", help="the work")
    parser.add_argument("--live", action="store_true", help="really run it (default: compare the estimates)")
    parser.add_argument("--samples", type=int, metavar="N", help="runs on each provider, 1 to 100 (default: 5)")
    parser.add_argument("--max-spend-usd", type=float, metavar="USD", help="stop before it costs more (default: 0.25)")
    parser.add_argument("--provider", action="append", metavar="NAME", help="these alone (repeat)")
    parser.add_argument("--seed", type=int, help="makes the order of runs repeatable (default: 0)")
    place_arguments(parser)


async def _stress(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    request = ask(
        StressRequest,
        {
            "kind": args.kind,
            "mode": "live" if args.live else "simulated",
            "workload": args.workload,
            "requirements": requirements(args),
            "policy": policy(args),
            "providers": args.provider,
            "sample_size": args.samples,
            "max_cost_usd": args.max_spend_usd,
            "seed": args.seed,
        },
    )
    report = await cerver.routing.stress_test(request)
    if args.json:
        terminal.json(report.model_dump(mode="json", by_alias=True))
        return exits.OK
    _show(report, terminal)
    return exits.OK


def _show(report: StressReport, terminal: Terminal) -> None:
    terminal.line(report.summary)
    terminal.line(report.report.guidance)
    if report.stopped_because:
        terminal.line(f"Stopped early: {report.stopped_because}.")
    terminal.line()
    columns = ("PROVIDER", "STATE", "N", "FAILED", "MEDIAN", "90 % INTERVAL", "COST", "PLOT")
    longest = max((row.high_ms or row.median_ms or 0.0 for row in report.results), default=0.0)
    terminal.table(columns, [_row(row, longest) for row in report.results])
    for row in report.results:
        for reason in row.reasons:
            terminal.line(f"{row.provider}: {reason}")


def _row(row: StressSamples, longest_ms: float) -> tuple[str, ...]:
    interval = "-" if row.low_ms is None else f"{milliseconds(row.low_ms)} to {milliseconds(row.high_ms)}"
    return (
        row.provider,
        row.temperature,
        str(row.n),
        str(row.failed),
        milliseconds(row.median_ms),
        interval,
        "" if row.cost_usd is None else usd(row.cost_usd),
        _plot(row, longest_ms),
    )


def _plot(row: StressSamples, longest_ms: float) -> str:
    """Draw the interval as a line and the median as a mark, on a scale from nothing to the longest."""
    if row.median_ms is None or longest_ms <= 0:
        return ""

    def position(value_ms: float) -> int:
        return min(_PLOT_CHARS - 1, round(value_ms / longest_ms * (_PLOT_CHARS - 1)))

    low, high = position(row.low_ms or row.median_ms), position(row.high_ms or row.median_ms)
    cells = ["-" if low <= number <= high else " " for number in range(_PLOT_CHARS)]
    cells[position(row.median_ms)] = "o"
    return "".join(cells).rstrip()


COMMANDS: Commands = {"stress": Command(_arguments, connected(_stress))}
