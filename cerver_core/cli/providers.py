"""`cerver providers`: every place that Cerver knows, whether it works here, and what is known and observed of it."""

from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import connected
from cerver_core.cli.placing import interval
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import NotFound
from cerver_core.wire.providers import ProviderEntry, ShownFact

__all__ = ["COMMANDS"]

_STATUS = {"executable": "works", "not_configured": "not configured", "planned": "planned"}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("provider", nargs="?", help="one alone, with every figure and its source")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


async def _providers(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    catalog = await cerver.routing.providers()
    entries = [entry for entry in catalog.providers if args.provider in {None, entry.name}]
    if not entries:
        known = ", ".join(entry.name for entry in catalog.providers)
        raise NotFound(f"there is no provider {args.provider}; there are: {known}")
    if args.json:
        shown = entries[0] if args.provider else catalog
        terminal.json(shown.model_dump(mode="json"))
    elif args.provider:
        _show_one(entries[0], terminal)
    else:
        _show_all(entries, terminal)
    return exits.OK


def _show_all(entries: list[ProviderEntry], terminal: Terminal) -> None:
    columns = ("PROVIDER", "STATUS", "STARTS IN", "BILLED", "UPTIME", "OLD FIGURES", "MISSING")
    terminal.table(columns, [_row(entry) for entry in entries])


def _row(entry: ProviderEntry) -> tuple[str, ...]:
    status = _STATUS[entry.status] if entry.ejected_until is None else f"rests until {entry.ejected_until:%H:%M:%S} UTC"
    return (
        entry.name,
        status,
        "-" if entry.observed is None else interval(entry.observed.startup_ms),
        entry.billing or "unknown",
        "-" if entry.uptime_percent is None else f"{entry.uptime_percent:g} % of {entry.attempts}",
        f"{entry.stale_facts} of {len(entry.facts)}",
        entry.missing or "",
    )


def _show_one(entry: ProviderEntry, terminal: Terminal) -> None:
    terminal.line(f"{entry.title} ({entry.name}): {_STATUS[entry.status]}")
    if entry.missing:
        terminal.line(f"{entry.missing}.")
    for note in entry.notes:
        terminal.line(f"Note: {note}.")
    terminal.line(f"Own observations: {entry.answered} of {entry.attempts} starts answered.")
    terminal.line()
    rows = [_fact_row(name, fact) for name, fact in entry.facts.items()]
    terminal.table(("FIGURE", "VALUE", "SINCE", "SOURCE"), rows)


def _fact_row(name: str, fact: ShownFact) -> tuple[str, ...]:
    value = fact.value
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = ", ".join(map(str, value)) or "none"
    else:
        text = "none known" if value is None else f"{value} {fact.unit}"
    plan = f" ({fact.plan})" if fact.plan else ""
    since = f"{fact.as_of}{', old' if fact.stale else ''}"
    return (name.partition(".")[2] or name, f"{text}{plan}", since, f"{fact.source} [{fact.evidence}]")


COMMANDS: Commands = {"providers": Command(_arguments, connected(_providers))}
