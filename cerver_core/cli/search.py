"""The command `cerver search`: finds the right session, and the right place in it."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import get_args

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.render.search import search
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.transcripts import Role

__all__ = ["COMMANDS"]

_FILTERS = ("since", "until", "session", "project", "role", "kind", "tool", "harness", "limit", "cursor")
_TOKENS = 4_000
"""A person can read more than a model should be made to."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("query", nargs="+", help='words, "a phrase", -without, begin*; dates count too')
    parser.add_argument("--since", metavar="WHEN", help="leave out what is older: a date, 3h, yesterday, May")
    parser.add_argument("--until", metavar="WHEN", help="leave out what is newer")
    parser.add_argument("--session", metavar="ID", help="within one session")
    parser.add_argument("--project", metavar="NAME", help="within one project")
    parser.add_argument("--role", choices=get_args(Role), help="entries by one role")
    parser.add_argument("--kind", help="entries of one kind, such as tool_result")
    parser.add_argument("--tool", help="calls of one tool")
    parser.add_argument("--harness", help="sessions of one harness")
    parser.add_argument("--children", action="store_true", help="list spawned sessions apart from their parents")
    parser.add_argument("--limit", type=int, metavar="N", help="how many sessions (default: 8)")
    parser.add_argument("--cursor", help="the next page, as the page before said")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _search(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    given = {name: getattr(args, name) for name in _FILTERS}
    if args.session is not None:
        given["session"] = await cerver.sessions.resolve(args.session)
    request = ask(SearchTranscripts, {**given, "query": " ".join(args.query), "include_children": args.children})
    page = await cerver.transcripts.search(request)
    if args.json:
        terminal.json(page.model_dump(mode="json"))
    else:
        terminal.line(search(page, now=datetime.now(UTC), request=request, max_tokens=_TOKENS, typed=True))
    return exits.OK if page.sessions else exits.NOT_FOUND


COMMANDS: Commands = {"search": Command(_arguments, connected(_search))}
