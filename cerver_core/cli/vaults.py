"""`cerver vaults` and `cerver credentials`: what a gateway keeps encrypted; values come from variables."""

from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import InvalidInput
from cerver_core.wire.vaults import CreateVault, SetCredentials

__all__ = ["COMMANDS"]

_INFISICAL = {
    "token": "INFISICAL_TOKEN",
    "client_id": "INFISICAL_CLIENT_ID",
    "client_secret": "INFISICAL_CLIENT_SECRET",
    "project_id": "INFISICAL_PROJECT_ID",
    "environment": "INFISICAL_ENVIRONMENT",
    "site_url": "INFISICAL_SITE_URL",
}


def _vault_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", default="list", choices=("list", "add", "check", "remove"))
    parser.add_argument("name", nargs="?", metavar="NAME", help="add: a label; check, remove: the vault's id")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="VARIABLE",
        help="add: keep the value of this environment variable at the gateway, under its name (repeat)",
    )
    parser.add_argument("--default", action="store_true", help="add: the vault that sessions use unasked")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = "Without --secret, `add` connects the Infisical that the INFISICAL_* variables name."


async def _vaults(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.action == "add":
        return await _add(cerver, args, terminal)
    if args.action == "check":
        verified = await cerver.vaults.verify(_named(args))
        terminal.line(verified.message)
        return exits.OK if verified.ok else exits.FAILED
    if args.action == "remove":
        await cerver.vaults.delete(_named(args))
        return exits.OK
    found = (await cerver.vaults.list()).configs
    if args.json:
        terminal.json([vault.model_dump(mode="json") for vault in found])
        return exits.OK
    rows = [
        (
            vault.id,
            vault.provider,
            "yes" if vault.is_default else "",
            vault.last_verify_error or "",
            ", ".join(vault.secret_names),
            vault.label,
        )
        for vault in found
    ]
    terminal.table(("VAULT", "KIND", "DEFAULT", "PROBLEM", "HOLDS", "LABEL"), rows)
    return exits.OK


async def _add(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    label = _named(args)
    fields: dict[str, object] = {"label": label, "is_default": args.default}
    if args.secret:
        fields |= {"provider": "cerver", "secrets": _values(args.secret)}
    else:
        environ = Settings.from_environ().environ
        fields |= {name: environ.get(variable) or None for name, variable in _INFISICAL.items()}
    made = await cerver.vaults.create(ask(CreateVault, fields))
    terminal.line(made.id)
    terminal.flush()
    if made.verify_error is not None:
        terminal.note(f"it is kept, but does not answer: {made.verify_error}")
        return exits.FAILED
    return exits.OK


def _credential_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", default="list", choices=("list", "set", "remove"))
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="vercel, e2b, cloudflare, daytona, …")
    parser.add_argument("variables", nargs="*", metavar="VARIABLE", help="set: environment variables to take values of")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = "`cerver providers` names the variables of each. `set` replaces what was kept before."


async def _credentials(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.action == "list":
        found = (await cerver.vaults.list_credentials()).providers
        if args.json:
            terminal.json([one.model_dump(mode="json") for one in found])
        else:
            terminal.table(("PROVIDER", "KEEPS"), [(one.provider, ", ".join(one.credentials)) for one in found])
        return exits.OK
    if args.provider is None:
        raise InvalidInput("say which provider: `cerver providers` lists them")
    if args.action == "remove":
        await cerver.vaults.delete_credentials(args.provider)
        return exits.OK
    if not args.variables:
        raise InvalidInput(f"say which variables: `cerver providers {args.provider}` names them")
    kept = {name.lower(): value for name, value in _values(args.variables).items()}
    await cerver.vaults.set_credentials(ask(SetCredentials, {"provider": args.provider, "credentials": kept}))
    terminal.note(f"kept encrypted: {', '.join(kept)}")
    return exits.OK


def _named(args: Namespace) -> str:
    if args.name is None:
        raise InvalidInput(f"`cerver vaults {args.action}` needs a NAME; see `cerver vaults --help`")
    return str(args.name)


def _values(variables: list[str]) -> dict[str, str]:
    """Read values from the environment, so that none stands on a command line."""
    environ = Settings.from_environ().environ
    missing = [name for name in variables if not environ.get(name)]
    if missing:
        raise InvalidInput(f"not set in this environment: {', '.join(missing)}")
    return {name: environ[name] for name in variables}


COMMANDS: Commands = {
    "vaults": Command(_vault_arguments, connected(_vaults, sees_to_notes=False)),
    "credentials": Command(_credential_arguments, connected(_credentials, sees_to_notes=False)),
}
