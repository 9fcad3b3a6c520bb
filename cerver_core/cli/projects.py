"""`cerver projects`: projects, their environments and repos; listed, made, archived."""

from argparse import ArgumentParser, Namespace

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import InvalidInput
from cerver_core.wire.projects import AddRepo, CreateEnvironment, CreateProject

__all__ = ["COMMANDS"]

_ACTIONS = ("list", "create", "archive", "envs", "add-env", "archive-env", "repos", "add-repo", "remove-repo")
_NEEDS = {
    "create": 1,
    "archive": 1,
    "envs": 1,
    "add-env": 2,
    "archive-env": 2,
    "repos": 2,
    "add-repo": 3,
    "remove-repo": 3,
}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", default="list", choices=_ACTIONS)
    parser.add_argument("names", nargs="*", metavar="NAME", help="project, then environment, then repo (URL or id)")
    parser.add_argument("--slug", metavar="SLUG", help="create: the short name (default: made of the name)")
    parser.add_argument("--ref", metavar="REF", help="add-repo: branch, tag or commit")
    parser.add_argument("--default", action="store_true", help="add-env: the environment that sessions get unasked")
    parser.add_argument("--vault", metavar="ID", help="add-env: the vault of the environment")
    parser.add_argument("--primary", action="store_true", help="add-repo: where work begins")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def _projects(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    wanted = _NEEDS.get(args.action, 0)
    if len(args.names) != wanted:
        raise InvalidInput(
            f"`cerver projects {args.action}` takes {wanted} names: project, environment, repo, in this order"
        )
    if args.action == "list":
        return await _list(cerver, args, terminal)
    if args.action in {"envs", "repos"}:
        return await _list_within(cerver, args, terminal)
    done = await _change(cerver, args)
    if args.json and done is not None:
        terminal.json(done)
    elif done is None:
        terminal.note("done")
    else:
        terminal.line(str(done.get("slug") or done.get("id")))
    return exits.OK


async def _change(cerver: Cerver, args: Namespace) -> dict[str, object] | None:
    projects, names = cerver.projects, args.names
    if args.action == "create":
        made = (await projects.create(ask(CreateProject, {"name": names[0], "slug": args.slug}))).project
        return made.model_dump(mode="json")
    if args.action == "archive":
        return (await projects.archive(names[0])).model_dump(mode="json")
    if args.action == "add-env":
        fields = {"slug": names[1], "is_default": args.default, "infisical_config_id": args.vault}
        added = await projects.create_environment(names[0], ask(CreateEnvironment, fields))
        return added.environment.model_dump(mode="json")
    if args.action == "archive-env":
        return (await projects.archive_environment(names[0], names[1])).environment.model_dump(mode="json")
    if args.action == "add-repo":
        fields = {"repo_url": names[2], "repo_ref": args.ref, "is_primary": args.primary}
        return (await projects.add_repo(names[0], names[1], ask(AddRepo, fields))).repo.model_dump(mode="json")
    await projects.remove_repo(names[0], names[1], names[2])
    return None


async def _list(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    found = (await cerver.projects.list()).projects
    if args.json:
        terminal.json([one.model_dump(mode="json") for one in found])
        return exits.OK
    rows = [
        (one.slug, str(one.session_count_mtd), f"{one.total_usd_mtd:.3f}", str(one.api_key_count), one.name)
        for one in found
    ]
    terminal.table(("PROJECT", "SESSIONS", "USD", "KEYS", "NAME"), rows)
    return exits.OK


async def _list_within(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.action == "envs":
        found = (await cerver.projects.list_environments(args.names[0])).environments
        rows = [(one.slug, "yes" if one.is_default else "", str(one.repo_count), one.name) for one in found]
        columns, told = ("ENVIRONMENT", "DEFAULT", "REPOS", "NAME"), [one.model_dump(mode="json") for one in found]
    else:
        repos = (await cerver.projects.list_repos(args.names[0], args.names[1])).repos
        rows = [(one.id, "yes" if one.is_primary else "", one.repo_ref or "", one.repo_url) for one in repos]
        columns, told = ("REPO", "PRIMARY", "REF", "URL"), [one.model_dump(mode="json") for one in repos]
    if args.json:
        terminal.json(told)
    else:
        terminal.table(columns, rows)
    return exits.OK


COMMANDS: Commands = {"projects": Command(_arguments, connected(_projects, sees_to_notes=False))}
