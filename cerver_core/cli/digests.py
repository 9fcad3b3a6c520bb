"""The command `cerver digest`: sessions in outline, one that is named or the last ones."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.render.digest import digest
from cerver_core.wire.digests import DEFAULT_DIGEST_TOKENS, DigestTranscripts

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("sessions", nargs="*", metavar="ID", help="which sessions (default: the last ones)")
    parser.add_argument("--since", metavar="WHEN", help="what was said since: a date, 3h, yesterday, May")
    parser.add_argument("--until", metavar="WHEN", help="what was said until then")
    parser.add_argument("--project", metavar="NAME", help="of one project")
    parser.add_argument("--limit", type=int, metavar="N", help="how many sessions (default: 5)")
    parser.add_argument("--max-tokens", type=int, metavar="N", help=f"how long (default: {DEFAULT_DIGEST_TOKENS:,})")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _digest(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    given = {name: getattr(args, name) for name in ("since", "until", "project", "limit", "max_tokens")}
    named = tuple([await cerver.sessions.resolve(reference) for reference in args.sessions])
    request = ask(DigestTranscripts, {**given, "sessions": named})
    found = await cerver.transcripts.digest(request)
    if args.json:
        terminal.json(found.model_dump(mode="json"))
    else:
        terminal.line(digest(found, now=datetime.now(UTC), max_tokens=request.max_tokens, typed=True))
    return exits.OK if found.sessions else exits.NOT_FOUND


COMMANDS: Commands = {"digest": Command(_arguments, connected(_digest))}
