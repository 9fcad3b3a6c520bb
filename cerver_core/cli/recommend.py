"""`cerver recommend`: where work should run, and why each other place lost."""

from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.placing import interval, milliseconds, place_arguments, policy, requirements, share, usd
from cerver_core.cli.terminal import Terminal
from cerver_core.wire.routing import CanaryReport, ProviderVerdict, Recommendation, RecommendRequest

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", default="", help="what the work is, in your words")
    place_arguments(parser)
    parser.add_argument("--canary", action="store_true", help="really run a small probe on the two best; it is charged")


async def _recommend(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    request = ask(
        RecommendRequest,
        {
            "task": args.task,
            "workload": args.workload,
            "requirements": requirements(args),
            "policy": policy(args),
            "canary": args.canary or None,
        },
    )
    report = await cerver.routing.recommend(request)
    if args.json:
        terminal.json(report.model_dump(mode="json"))
        return exits.OK
    _show(report, terminal)
    return exits.OK


def _show(report: Recommendation, terminal: Terminal) -> None:
    decision = report.decision
    terminal.line(report.human_summary.headline)
    terminal.line(decision.primary_reason)
    terminal.line(f"Confidence {decision.confidence}{_chance(report)}.")
    if decision.canary_because:
        terminal.line(f"Worth a canary (--canary): {decision.canary_because}.")
    if report.canary is not None:
        _show_canary(report.canary, terminal)
    terminal.line()
    columns = ("PROVIDER", "SCORE", "STARTS IN", "FAILS", "COSTS", "WHY NOT")
    terminal.table(columns, [_row(verdict) for verdict in report.providers])
    terminal.line()
    terminal.line(report.human_summary.next_action)


def _chance(report: Recommendation) -> str:
    chance = report.decision.p_best
    if chance is None:
        return ""
    said = "over 99%" if chance > 0.99 else f"{chance:.0%}"
    first = report.providers[0].estimates
    if first is None or first.failure_rate.n:
        return f": it is the best with a probability of {said}"
    return f": by published figures it is the best with a probability of {said}; none of its starts was seen yet"


def _row(verdict: ProviderVerdict) -> tuple[str, ...]:
    estimates = verdict.estimates
    return (
        verdict.name,
        "out" if verdict.score is None else f"{verdict.score:.2f}",
        "-" if estimates is None else interval(estimates.startup_ms),
        "-" if estimates is None else share(estimates.failure_rate.value),
        usd(verdict.estimated_cost_usd),
        verdict.lost_because or "",
    )


def _show_canary(canary: CanaryReport, terminal: Terminal) -> None:
    if canary.skipped:
        terminal.line(f"No canary was run: {canary.skipped}.")
        return
    for probe in canary.probes:
        came = f"answered after {milliseconds(probe.startup_ms)}" if probe.ok else f"failed: {probe.reason}"
        terminal.line(f"Canary on {probe.provider} {came}, {usd(probe.cost_usd)}.")


COMMANDS: Commands = {"recommend": Command(_arguments, connected(_recommend))}
