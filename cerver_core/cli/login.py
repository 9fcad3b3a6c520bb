"""`cerver login`, `logout` and `whoami`: getting a key of a gateway, giving it back, and telling whose it is."""

import platform
from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import connected, perform
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import ConfigurationError
from cerver_core.wire.logins import DeviceLogin

__all__ = ["COMMANDS"]


def _login_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--gateway", metavar="URL", help="which gateway (default: CERVER_GATEWAY_URL)")
    parser.add_argument("--name", metavar="NAME", help="how the machine calls itself (default: its host name)")


def _login(args: Namespace, terminal: Terminal) -> int:
    """Print the settings to standard output, so that `eval "$(cerver login)"` takes them over."""
    from cerver_core.client.logins import log_in  # noqa: PLC0415 - only here

    url = args.gateway or Settings.from_environ().gateway_url
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError("--gateway must start with https:// or http://")

    def show(login: DeviceLogin) -> None:
        terminal.note(f"open {login.verification_uri}")
        terminal.note(f"and approve the code {login.user_code}; waiting for {login.expires_in // 60} minutes")

    async def work() -> int:
        key = await log_in(url, args.name or platform.node(), show)
        terminal.line(f"export CERVER_GATEWAY_URL={url.rstrip('/')}")
        terminal.line(f"export CERVER_API_TOKEN={key}")
        terminal.note("keep the key: it is not shown again")
        return exits.OK

    return perform(work)


def _nothing(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _logout(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    who = await cerver.account.whoami()
    if who.key is None:
        terminal.note("this Cerver runs embedded, without a key: there is nothing to log out of")
        return exits.OK
    await cerver.account.delete_key(who.key)
    if args.json:
        terminal.json({"revoked": who.key})
    terminal.note(f"the key {who.key} is revoked; take CERVER_API_TOKEN out of your environment")
    return exits.OK


async def _whoami(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    who = await cerver.account.whoami()
    if args.json:
        terminal.json(who.model_dump(mode="json"))
        return exits.OK
    told = {
        "account": who.account_id,
        "email": who.email or "",
        "key": who.key or "none: embedded",
        "project": who.project_slug or "all",
        "may": ", ".join(who.scopes) + (", operate" if who.is_operator else ""),
    }
    terminal.pairs({name: value for name, value in told.items() if value})
    return exits.OK


COMMANDS: Commands = {
    "login": Command(_login_arguments, _login),
    "logout": Command(_nothing, connected(_logout, sees_to_notes=False)),
    "whoami": Command(_nothing, connected(_whoami, sees_to_notes=False)),
}
