"""`cerver run`: code in, live output out, the exit code passed on."""

import math
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import get_args

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import InvalidInput
from cerver_core.wire.computes import (
    DEFAULT_TIMEOUT_MINUTES,
    ComputeChoice,
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecResult,
    IsolationLevel,
    Requirements,
    Runtime,
)
from cerver_core.wire.sessions import CreateSession

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("code", help="the code; - reads it from standard input, which the code itself does not get")
    parser.add_argument("--runtime", choices=get_args(Runtime), help="what runs it (default: shell)")
    parser.add_argument("--session", metavar="ID", help="the session to run in (default: a new one)")
    parser.add_argument("--provider", metavar="NAME", help="where to run it (new sessions; default: the best place)")
    parser.add_argument("--secret", action="append", metavar="NAME", help="put this secret in its environment (repeat)")
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="kill it after this long")
    parser.add_argument("--cwd", metavar="PATH", help="where to start, relative to the workspace")
    parser.add_argument("--isolation", choices=get_args(IsolationLevel), help="ask for this level (new sessions)")
    parser.add_argument("--no-network", action="store_true", help="cut it off from the network (new sessions)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object, at the end")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ArgumentTypeError("must be a number of seconds above 0")
    return seconds


async def _run(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    code = sys.stdin.read() if args.code == "-" else args.code
    request = ask(
        ExecRequest,
        {
            "code": code,
            "runtime": args.runtime,
            "timeout_s": args.timeout,
            "cwd": args.cwd,
            "secrets": args.secret,
        },
    )
    session_id = await _session(cerver, args, terminal)
    if args.json:
        result = await cerver.computes.exec(session_id, request)
        terminal.json(result.model_dump(mode="json"))
        return result.exit_code
    finished = await _follow(cerver, session_id, request, terminal)
    return exits.BROKEN_PIPE if finished is None else _conclude(finished, terminal)


async def _session(cerver: Cerver, args: Namespace, terminal: Terminal) -> str:
    if args.session is not None:
        if args.isolation or args.no_network or args.provider:
            raise InvalidInput(
                "--isolation, --no-network and --provider are settled when a session is made; leave out --session"
            )
        return await cerver.sessions.resolve(args.session)
    minutes = math.ceil((args.timeout or 0) / 60)
    requirements = ask(
        Requirements,
        {
            "runtime": args.runtime,
            "timeout_minutes": max(minutes, DEFAULT_TIMEOUT_MINUTES),
            "isolation": args.isolation,
            "network": not args.no_network,
        },
    )
    request = ask(
        CreateSession,
        {
            "requirements": requirements,
            "metadata": {"source": "cerver-cli"},
            "compute": None if args.provider is None else ask(ComputeChoice, {"provider": args.provider}),
        },
    )
    made = await cerver.sessions.create(request)
    terminal.note(f"session {made.session_id}")
    return made.session_id


async def _follow(cerver: Cerver, session_id: str, request: ExecRequest, terminal: Terminal) -> ExecResult | None:
    """Write the output as it comes; null when nobody reads it any more, and the execution is then killed."""
    async with cerver.computes.exec_stream(session_id, request) as events:
        async for event in events:
            if isinstance(event, ExecFinished):
                return event.result
            if isinstance(event, ExecOutput):
                try:
                    await terminal.live(event.text, to_err=event.stream == "stderr")
                except BrokenPipeError:
                    break
    return None


def _conclude(result: ExecResult, terminal: Terminal) -> int:
    for note in result.notes:
        terminal.note(f"cerver: note: {note}")
    if result.timed_out:
        terminal.complain("timeout", f"killed after {result.duration_ms / 1000:.1f} s")
    return result.exit_code


COMMANDS: Commands = {"run": Command(_arguments, connected(_run))}
