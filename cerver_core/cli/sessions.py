"""The commands of sessions: create, list, spawn, pause, resume, end, metrics."""

from argparse import ArgumentParser, Namespace
from typing import get_args

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import AmbiguousReference, CerverError
from cerver_core.render.escape import visible_line
from cerver_core.wire.computes import ComputeChoice, IsolationLevel, PersistenceLevel, Requirements, Runtime
from cerver_core.wire.sessions import (
    CreateSession,
    ListSessions,
    Metrics,
    SessionEnvelope,
    SessionRecord,
    SessionType,
    SpawnSession,
)

__all__ = ["COMMANDS"]


def _json_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _id_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="ID", help="id, unique beginning of one, or name")
    _json_argument(parser)


def _create_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--name", help="a name to find it by")
    parser.add_argument("--task", default="", help="what it is for; becomes the first entry of the transcript")
    parser.add_argument("--type", choices=get_args(SessionType), help="what kind of session (default: general)")
    parser.add_argument("--harness", help="who drives the conversation, such as claude or codex")
    parser.add_argument("--project", metavar="SLUG", help="the project it belongs to")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--compute", metavar="ID", help="the compute it shall run on")
    place.add_argument("--provider", metavar="NAME", help="the kind of place: local, e2b, … (default: the best)")
    place.add_argument("--no-compute", action="store_true", help="memory alone: a transcript without a sandbox")
    parser.add_argument("--runtime", choices=get_args(Runtime), help="what runs its code (default: shell)")
    parser.add_argument("--isolation", choices=get_args(IsolationLevel), help="ask for this level of isolation")
    parser.add_argument("--allow-weaker", action="store_true", help="take a weaker level where that cannot be had")
    parser.add_argument("--no-network", action="store_true", help="cut its sandbox off from the network")
    parser.add_argument("--persistence", choices=get_args(PersistenceLevel), help="how long its files outlive it")
    _json_argument(parser)


async def _create(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    requirements = ask(
        Requirements,
        {
            "runtime": args.runtime,
            "isolation": args.isolation,
            "allow_weaker": args.allow_weaker,
            "network": not args.no_network,
            "persistence_level": args.persistence,
        },
    )
    fields: dict[str, object] = {
        "session_name": args.name,
        "task": args.task,
        "session_type": "transcript" if args.no_compute and args.type is None else args.type,
        "harness": args.harness,
        "project_slug": args.project,
        "compute": _choice(args),
        "requirements": requirements,
        "metadata": {"source": "cerver-cli"},
    }
    request = ask(CreateSession, fields)
    if args.no_compute:
        request = CreateSession.model_validate({**request.model_dump(exclude_unset=True), "compute": None})
    code = _show_envelope(await cerver.sessions.create(request), args, terminal)
    await _note_a_twin(cerver, args.name, terminal)
    return code


async def _note_a_twin(cerver: Cerver, name: str | None, terminal: Terminal) -> None:
    """Say so when a new session is not the only one that its name finds."""
    try:
        if name:
            await cerver.sessions.resolve(name)
    except AmbiguousReference:
        terminal.note(f"cerver: note: other sessions go by {visible_line(name or '', _NAME_CHARS)!r} too: use its id")
    except CerverError:
        return  # the session is made: a look that fails shall not make it seem otherwise


def _choice(args: Namespace) -> ComputeChoice | None:
    if args.compute is None and args.provider is None:
        return None
    return ask(ComputeChoice, {"compute_id": args.compute, "provider": args.provider})


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--status", help="running, idle or ended; or one state: ready, paused, terminated, failed")
    parser.add_argument("--project", metavar="SLUG", help="only this project's")
    parser.add_argument("--source", help="only those made by this source, such as cerver-cli")
    parser.add_argument("--limit", type=int, help="how many, 1 to 200 (default: 20)")
    parser.add_argument("--cursor", help="go on where the page before ended")
    _json_argument(parser)


async def _list(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    names = ("status", "project", "source", "limit", "cursor")
    page = await cerver.sessions.list(ask(ListSessions, {name: getattr(args, name) for name in names}))
    if args.json:
        terminal.json(page.model_dump(mode="json", by_alias=True))
        return exits.OK
    if not page.sessions:
        terminal.note("no sessions; `cerver run` makes one")
        return exits.OK
    rows = [_row(record, brief=terminal.is_watched) for record in page.sessions]
    terminal.table(("ID", "NAME", "STATUS", "UPDATED", "ENTRIES", "TASK"), rows)
    if page.next_cursor:
        terminal.note(f"more: cerver sessions --cursor {page.next_cursor}")
    return exits.OK


def _row(record: SessionRecord, *, brief: bool) -> tuple[str, ...]:
    """Give the cells of a row; a person gets as much of an id as there is to type."""
    return (
        record.session_id[:_ID_CHARS] if brief else record.session_id,
        visible_line(record.session_name or "-", _BRIEF_NAME_CHARS if brief else _NAME_CHARS),
        record.status if record.end_reason is None else f"{record.status} ({record.end_reason})",
        record.updated_at.astimezone().strftime("%Y-%m-%d %H:%M"),
        str(record.transcript_total),
        visible_line(record.task or ("" if record.session_name else record.title), _TASK_CHARS),
    )


def _spawn_arguments(parser: ArgumentParser) -> None:
    _id_arguments(parser)
    parser.add_argument("--task", required=True, help="what the child is for")
    parser.add_argument("--name", help="a name to find it by")
    parser.add_argument("--compute", metavar="COMPUTE_ID", help="where it shall run (default: where its parent does)")


async def _spawn(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    fields = {"task": args.task, "session_name": args.name, "target_compute_id": args.compute}
    request = ask(SpawnSession, fields)
    parent = await cerver.sessions.resolve(args.session)
    code = _show_envelope(await cerver.sessions.spawn(parent, request), args, terminal)
    await _note_a_twin(cerver, args.name, terminal)
    return code


async def _pause(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    return await _change(cerver, "pause", args, terminal)


async def _resume(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    return await _change(cerver, "resume", args, terminal)


def _end_arguments(parser: ArgumentParser) -> None:
    _id_arguments(parser)
    actions = ("pause", "resume", "terminate")
    parser.add_argument("--action", choices=actions, default="terminate", help="(default: terminate)")


async def _end(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    return await _change(cerver, args.action, args, terminal)


async def _change(cerver: Cerver, action: str, args: Namespace, terminal: Terminal) -> int:
    session_id = await cerver.sessions.resolve(args.session)
    sessions = cerver.sessions
    change = {"pause": sessions.pause, "resume": sessions.resume, "terminate": sessions.terminate}[action]
    return _show_envelope(await change(session_id), args, terminal)


def _show_envelope(envelope: SessionEnvelope, args: Namespace, terminal: Terminal) -> int:
    """Print the id alone on standard output, for `$(cerver create)`; the rest is beside it."""
    if args.json:
        terminal.json(envelope.model_dump(mode="json"))
        return exits.OK
    terminal.line(envelope.session_id)
    facts = [envelope.status, f"on {envelope.provider}"]
    if envelope.isolation is not None:
        weaker = " (weaker than asked)" if envelope.isolation.weaker_than_asked else ""
        facts.append(f"isolation {envelope.isolation.level}{weaker}")
    if envelope.workspace_kept_until is not None:
        facts.append(_kept(envelope))
    terminal.flush()
    terminal.note(", ".join(facts))
    return exits.OK


def _kept(envelope: SessionEnvelope) -> str:
    until = envelope.workspace_kept_until
    if until is None or isinstance(until, str):
        return "files kept until you delete them"
    return f"files kept until {until.astimezone():%Y-%m-%d %H:%M}"


async def _metrics(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    answer = await cerver.sessions.metrics(await cerver.sessions.resolve(args.session))
    if args.json:
        terminal.json(answer.model_dump(mode="json"))
        return exits.OK
    values = answer.metrics.model_dump()
    terminal.pairs({name: _figure(values[name]) for name in Metrics.model_fields})
    return exits.OK


def _figure(value: object) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


_ID_CHARS = 8
_BRIEF_NAME_CHARS = 24
_NAME_CHARS = 60
_TASK_CHARS = 60

COMMANDS: Commands = {
    "create": Command(_create_arguments, connected(_create)),
    "sessions": Command(_list_arguments, connected(_list)),
    "spawn": Command(_spawn_arguments, connected(_spawn)),
    "pause": Command(_id_arguments, connected(_pause)),
    "resume": Command(_id_arguments, connected(_resume)),
    "end": Command(_end_arguments, connected(_end)),
    "metrics": Command(_id_arguments, connected(_metrics)),
}
