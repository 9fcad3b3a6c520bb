"""The command `cerver redact`: takes secrets out of what is stored. No secret is ever on its command line."""

import sys
from argparse import ArgumentParser, Namespace

from cerver_core import plugins
from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import InvalidInput
from cerver_core.wire.redactions import RedactReport, RedactTranscripts

__all__ = ["COMMANDS"]

_SEQS_SHOWN = 20


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="ID", help="id, unique beginning of one, or name")
    parser.add_argument("--all", action="store_true", help="all sessions instead of one")
    parser.add_argument("--text-from-stdin", action="store_true", help="the text that standard input holds")
    parser.add_argument("--secret", action="append", default=[], metavar="NAME", help="the value of this secret")
    parser.add_argument("--detected", action="store_true", help="every credential that is recognised by its looks")
    parser.add_argument("--dry-run", action="store_true", help="say what would be replaced and change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _redact(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if (args.session is None) is not args.all:
        raise InvalidInput("name one session, or say --all")
    if not (args.secret or args.text_from_stdin or args.detected):
        raise InvalidInput("say what to take out: --detected, --secret NAME or --text-from-stdin")
    texts = await _values(args.secret)
    if args.text_from_stdin:
        texts.append(sys.stdin.read().rstrip("\r\n"))
    request = ask(
        RedactTranscripts,
        {
            "session_id": None if args.all else await cerver.sessions.resolve(args.session),
            "texts": tuple(texts),
            "detected": args.detected,
            "dry_run": args.dry_run,
        },
    )
    report = await cerver.transcripts.redact(request)
    if args.json:
        terminal.json(report.model_dump(mode="json"))
    else:
        _show(report, terminal)
    return exits.OK


async def _values(names: list[str]) -> list[str]:
    if not names:
        return []
    async with plugins.secret_backend(Settings.from_environ()) as secrets:
        return [(await secrets.fetch(name)).value for name in names]


def _show(report: RedactReport, terminal: Terminal) -> None:
    for session in report.sessions:
        places = [f"#{seq}" for seq in session.seqs[:_SEQS_SHOWN]]
        if len(session.seqs) > _SEQS_SHOWN:
            places.append(f"and {len(session.seqs) - _SEQS_SHOWN:,} more")
        terminal.line(f"{session.session_id}  {', '.join((*session.fields, *places))}")
    for kind, count in sorted(report.kinds.items()):
        terminal.line(f"{count:>7,} {kind}")
    done = "would be changed" if report.dry_run else "changed"
    terminal.note(
        f"{report.entries_changed:,} of {report.entries_read:,} entries {done}, "
        f"in {len(report.sessions):,} of {report.sessions_read:,} sessions"
    )


COMMANDS: Commands = {"redact": Command(_arguments, connected(_redact))}
