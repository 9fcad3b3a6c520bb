"""`cerver policies`: the rules that choose model, harness and compute; shown, set from a file or by name, cleared."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import cast

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import InvalidInput
from cerver_core.wire.policies import PolicyReply, PutPolicy, RoutingPolicy, Rule

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the policies that come with Cerver")
    what.add_argument("--use", metavar="NAME", help="set one that comes with Cerver")
    what.add_argument("--set", metavar="FILE", help="set the policy in a JSON file; - reads standard input")
    what.add_argument("--clear", action="store_true", help="have none")
    parser.add_argument("--project", metavar="SLUG", help="the project's policy (default: the account's)")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


async def _policies(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.list:
        return await _list(cerver, args, terminal)
    if args.use or args.set or args.clear:
        request = await _asked(cerver, args)
        put = cerver.routing.put_policy
        reply = await (cerver.routing.put_project_policy(args.project, request) if args.project else put(request))
    elif args.project:
        reply = await cerver.routing.project_policy(args.project)
    else:
        reply = await cerver.routing.policy()
    _show(reply, args, terminal)
    return exits.OK


async def _list(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    found = await cerver.routing.community_policies()
    if args.json:
        terminal.json(found.model_dump(mode="json", exclude_unset=True))
        return exits.OK
    rows = [(one.slug, str(len(one.routing_policy.rules)), one.routing_policy.description) for one in found.policies]
    terminal.table(("NAME", "RULES", "WHAT IT DOES"), rows)
    return exits.OK


async def _asked(cerver: Cerver, args: Namespace) -> PutPolicy:
    if args.clear:
        return PutPolicy(routing_policy=None)
    if args.use:
        found = (await cerver.routing.community_policies()).policies
        for one in found:
            if one.slug == args.use:
                return PutPolicy(routing_policy=one.routing_policy)
        raise InvalidInput(f"there is no policy {args.use}; there are: {', '.join(one.slug for one in found)}")
    return PutPolicy(routing_policy=ask(RoutingPolicy, _read(args.set)))


def _read(source: str) -> dict[str, object]:
    """Read a policy from a file or standard input: by itself, or as the contract wraps it."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        said: object = json.loads(text)
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"{source} is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise InvalidInput(f"{source} holds no JSON object")
    policy = cast("dict[str, object]", said)
    inner = policy.get("routing_policy")
    return cast("dict[str, object]", inner) if isinstance(inner, dict) else policy


def _show(reply: PolicyReply, args: Namespace, terminal: Terminal) -> None:
    policy = reply.routing_policy
    if args.json:
        terminal.json(reply.model_dump(mode="json"))
        return
    if policy is None:
        terminal.note("no policy: every session is placed by its own requirements; see `cerver policies --list`")
        return
    terminal.line(f"{policy.name}: {policy.description}" if policy.description else policy.name)
    rows = [(rule.name, _when(rule), _where(rule.route.model_dump())) for rule in policy.rules]
    terminal.table(("RULE", "WHEN", "LEADS TO"), [*rows, ("default", "otherwise", _where(policy.default.model_dump()))])
    for note in reply.notes:
        terminal.note(f"{note}.")


def _when(rule: Rule) -> str:
    said = [f"{key} is {json.dumps(value)}" for key, value in rule.match.metadata.items()]
    if rule.match.prompt_over_chars is not None:
        said.append(f"the prompt is over {rule.match.prompt_over_chars} characters")
    if rule.match.turns_over is not None:
        said.append(f"over {rule.match.turns_over} turns")
    return " and ".join(said) or "always"


def _where(route: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {value}" for name, value in route.items() if value) or "left open"


COMMANDS: Commands = {"policies": Command(_arguments, connected(_policies))}
