"""`cerver keys`: the keys of an account at a gateway; listed, made, revoked."""

from argparse import ArgumentParser, Namespace
from datetime import datetime

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import InvalidInput
from cerver_core.wire.account import CreateKey

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", default="list", choices=("list", "create", "revoke"))
    parser.add_argument("key", nargs="?", metavar="PREFIX", help="revoke: the key, by a beginning that fits it alone")
    parser.add_argument("--label", metavar="TEXT", help="create: what the key is for")
    parser.add_argument("--project", metavar="SLUG", help="create: bound to this project (default: the whole account)")
    parser.add_argument("--scope", action="append", choices=("read", "write", "admin"), help="create: a right it has")
    parser.add_argument("--publishable", action="store_true", help="create: for web pages; needs --project, --origin")
    parser.add_argument("--origin", action="append", default=[], metavar="URL", help="create: a page's origin")
    parser.add_argument("--days", type=int, metavar="N", help="create: it ends after so many days")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _keys(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.action == "create":
        return await _create(cerver, args, terminal)
    if args.action == "revoke":
        if args.key is None:
            raise InvalidInput("say which key to revoke, by its prefix: `cerver keys` lists them")
        await cerver.account.delete_key(args.key)
        terminal.note("the key is revoked: no call with it is let in any more")
        return exits.OK
    found = (await cerver.account.list_keys()).keys
    if args.json:
        terminal.json([key.model_dump(mode="json") for key in found])
        return exits.OK
    rows = [
        (
            key.prefix,
            key.project_slug or "all",
            "page" if key.kind == "publishable" else "+".join(key.scopes),
            _day(key.created_at),
            _day(key.last_used_at),
            key.label,
        )
        for key in found
    ]
    terminal.table(("KEY", "PROJECT", "MAY", "MADE", "USED", "LABEL"), rows)
    return exits.OK


async def _create(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    fields = {
        "label": args.label,
        "project_slug": args.project,
        "scope": "project" if args.project else "global",
        "kind": "publishable" if args.publishable else None,
        "scopes": tuple(args.scope) if args.scope else None,
        "allowed_origins": tuple(args.origin) or None,
        "expires_in_days": args.days,
    }
    made = await cerver.account.create_key(ask(CreateKey, fields))
    if args.json:
        terminal.json(made.model_dump(mode="json"))
    else:
        terminal.line(made.key)
        terminal.note("keep it: it is not shown again")
    return exits.OK


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else moment.strftime("%Y-%m-%d")


COMMANDS: Commands = {"keys": Command(_arguments, connected(_keys, sees_to_notes=False))}
