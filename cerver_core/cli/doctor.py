"""`cerver doctor`: prints what works here, what does not and what to do; the checks stand in `checks`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from cerver_core.cli import exits
from cerver_core.cli.checks import Finding, examine
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import perform
from cerver_core.cli.provider_trial import try_provider
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import ConfigurationError

__all__ = ["COMMANDS"]

_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument(
        "--provider", metavar="NAME", help="make a sandbox there with your own credentials, try it and remove it"
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    async def look() -> int:
        findings = await (examine(settings) if args.provider is None else try_provider(args.provider, settings))
        _print(findings, args, terminal)
        return _code(findings)

    try:
        settings = Settings.from_environ()
    except ConfigurationError as error:
        broken = [Finding("settings", "problem", error.message, "correct or unset the variable")]
        _print(broken, args, terminal)
        return _code(broken)
    return perform(look)


def _code(findings: Sequence[Finding]) -> int:
    return exits.FAILED if any(finding.state == "problem" for finding in findings) else exits.OK


def _print(findings: Sequence[Finding], args: Namespace, terminal: Terminal) -> None:
    if args.json:
        terminal.json({"ok": _code(findings) == exits.OK, "findings": [finding.as_json() for finding in findings]})
        return
    width = max(len(finding.about) for finding in findings)
    for finding in findings:
        terminal.line(f"{_MARKS[finding.state]:<8}{finding.about:<{width}}  {finding.text}")
        if finding.remedy:
            terminal.line(f"{'':<8}{'':<{width}}  → {finding.remedy}")
    problems = sum(finding.state == "problem" for finding in findings)
    terminal.line()
    terminal.line("everything asked for works" if not problems else f"{problems} asked for cannot work")


COMMANDS: Commands = {"doctor": Command(_arguments, _run)}
