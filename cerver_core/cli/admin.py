"""`cerver admin`: what the operator of a gateway does: over it with an operator's key, or at its own store."""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, perform
from cerver_core.cli.dumps import move
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import CerverError, InvalidInput, NotSupported
from cerver_core.wire.account import CreateInvite, CreateKey, UsageQuery

__all__ = ["COMMANDS"]

_ACTIONS = ("accounts", "invite", "disable", "enable", "key", "rotate-key", "dump", "restore")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="an address to invite, an account, or a file (- for a pipe)"
    )
    parser.add_argument("--account", metavar="ID", help="invite: back into this account")
    parser.add_argument(
        "--days", type=int, metavar="N", help="invite: works for so many days; accounts: use of so many"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _admin(args: Namespace, terminal: Terminal) -> int:
    settings = Settings.from_environ()
    failure: list[CerverError] = []

    async def work() -> int:
        if args.action == "rotate-key":
            return await _rotate(settings, terminal)
        if args.action in {"dump", "restore"}:
            return await move(settings, args, terminal)
        async with _opened(settings) as cerver:
            try:
                return await _done(cerver, args, terminal)
            except CerverError as error:  # out of the engine's task group, which would wrap it
                failure.append(error)
        raise failure[0]

    return perform(work)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncGenerator[Cerver]:
    """Open the gateway with the key that is set; else the store itself, as its operator."""
    if settings.is_remote:
        from cerver_core.connect import connect  # noqa: PLC0415

        async with connect(settings) as cerver:
            yield cerver
        return
    from cerver_core.hosting import open_host  # noqa: PLC0415 - an optional part

    async with open_host(settings, is_local_compute=False) as host:
        yield host.cerver(await host.operator())


async def _rotate(settings: Settings, terminal: Terminal) -> int:
    from cerver_core.hosting import open_host  # noqa: PLC0415 - an optional part
    from cerver_core.sealing import MASTER_KEY_FILE, add_master_key  # noqa: PLC0415

    if settings.is_remote:
        raise NotSupported("the master key is rotated where the gateway's store is: unset CERVER_API_TOKEN there")
    in_file = not settings.environ.get("CERVER_MASTER_KEY")
    if in_file:
        add_master_key(settings.home)
    async with open_host(settings, is_local_compute=False) as host:
        done = await host.rotate()
    terminal.note(f"{done} rows are sealed under the newest master key")
    if in_file:
        terminal.note(
            f"older keys stay in {settings.home / MASTER_KEY_FILE}: take them out once backups need them no more"
        )
    else:
        terminal.note("take the older keys out of CERVER_MASTER_KEY once backups need them no more")
    return exits.OK


async def _done(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.action == "accounts":
        return await _accounts(cerver, args, terminal)
    if args.action == "invite":
        fields = {"email": args.name, "account_id": args.account, "expires_in_days": args.days}
        made = await cerver.admin.invite(ask(CreateInvite, fields))
        if args.json:
            terminal.json(made.model_dump(mode="json"))
        else:
            terminal.line(made.url)
            terminal.note(f"it works once, until {made.expires_at:%Y-%m-%d %H:%M} UTC; send it to that person alone")
        return exits.OK
    if args.action == "key":
        made_key = await cerver.account.create_key(CreateKey(label=args.name or "operator", scope="global"))
        terminal.line(made_key.key)
        terminal.note("an operator's key; keep it: it is not shown again")
        return exits.OK
    if args.name is None:
        raise InvalidInput(f"say which account to {args.action}: `cerver admin accounts` lists them")
    change = cerver.admin.disable if args.action == "disable" else cerver.admin.enable
    told = await change(args.name)
    terminal.note(f"{told.account_id} is {'stopped' if told.disabled else 'working'}")
    return exits.OK


async def _accounts(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    found = (await cerver.admin.usage(ask(UsageQuery, {"days": args.days}))).accounts
    if args.json:
        terminal.json([one.model_dump(mode="json") for one in found])
        return exits.OK
    rows = [
        (
            one.account_id,
            "stopped" if one.disabled else "working",
            str(one.sessions),
            f"{one.sandbox_ms_total / 1_000:.0f}",
            "never" if one.last_active is None else f"{one.last_active:%Y-%m-%d}",
            one.email or one.name,
        )
        for one in found
    ]
    terminal.table(("ACCOUNT", "STATE", "SESSIONS", "SANDBOX_S", "ACTIVE", "WHO"), rows)
    return exits.OK


COMMANDS: Commands = {"admin": Command(_arguments, _admin)}
