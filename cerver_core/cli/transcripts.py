"""The commands of transcripts: show, peek, append, export."""

import json
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import ask, connected
from cerver_core.cli.terminal import Terminal
from cerver_core.errors import Conflict, InvalidInput
from cerver_core.render.claude_code import claude_code_project
from cerver_core.render.escape import visible_line
from cerver_core.render.peek import DEFAULT_PEEK_TOKENS, peek
from cerver_core.render.transcripts import as_text, stamp
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import (
    AppendEntries,
    ExportFormat,
    ExportTranscript,
    NewEntry,
    ReadTranscript,
    Role,
    TranscriptPage,
)

__all__ = ["COMMANDS"]

_TAIL = 20
_PEEK = 10
_TOKENS = DEFAULT_PEEK_TOKENS
_NOTED = re.compile(r'"cerverKind":"([^"]*)"\}$', re.MULTILINE)


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="ID", help="id, unique beginning of one, or name")


def _show_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument("--tail", type=int, default=_TAIL, metavar="N", help=f"how many entries (default: {_TAIL})")
    parser.add_argument("--follow", action="store_true", help="go on with what is appended, until the session ends")
    parser.add_argument("--json", action="store_true", help="print JSON; with --follow, one entry a line")


async def _show(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    request = ask(ReadTranscript, {"tail": args.tail})
    session_id = await cerver.sessions.resolve(args.session)
    record = await cerver.sessions.get(session_id)
    page = await cerver.transcripts.read(session_id, request)
    if args.json:
        _show_json(record, page, args, terminal)
    else:
        _show_facts(record, terminal)
        _show_page(page, terminal)
    terminal.flush()
    if args.follow:
        await _follow(cerver, session_id, page.total, args, terminal)
    return exits.OK


def _show_json(record: SessionRecord, page: TranscriptPage, args: Namespace, terminal: Terminal) -> None:
    entries = [json.loads(text) for text in page.raw]
    if args.follow:
        for entry in entries:
            terminal.line(json.dumps(entry, ensure_ascii=False))
        return
    terminal.json({**record.model_dump(mode="json", by_alias=True), "transcript": entries})


def _show_facts(record: SessionRecord, terminal: Terminal) -> None:
    facts = {
        "session": record.session_id,
        "name": visible_line(record.session_name or "", 200),
        "status": record.status if record.end_reason is None else f"{record.status} ({record.end_reason})",
        "task": visible_line(record.task, 200),
        "created": stamp(record.created_at),
        "updated": stamp(record.updated_at),
        "compute": record.provider if record.compute_id is None else f"{record.provider} {record.compute_id}",
        "harness": record.harness or "",
        "parent": record.parent_session_id or "",
        "entries": f"{record.transcript_total:,}",
    }
    terminal.pairs({name: value for name, value in facts.items() if value})
    terminal.line()


def _show_page(page: TranscriptPage, terminal: Terminal) -> None:
    if page.more_before and page.first_seq is not None:
        terminal.line(f"[… {page.first_seq - 1:,} earlier entries; `cerver export` writes them all …]\n")
    terminal.text(as_text(page.entries))


async def _follow(cerver: Cerver, session_id: str, since: int, args: Namespace, terminal: Terminal) -> None:
    async with cerver.transcripts.follow(session_id, since=since) as entries:
        async for entry in entries:
            line = entry.model_dump_json(exclude_none=True) + "\n" if args.json else as_text([entry])
            try:
                await terminal.live(line)
            except BrokenPipeError:
                return


def _peek_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--last", type=int, metavar="N", help=f"the last N entries (default: {_PEEK})")
    where.add_argument("--since", type=int, metavar="SEQ", help="the entries after this seq")
    where.add_argument("--around", type=int, metavar="SEQ", help="the entries nearest to this seq")
    parser.add_argument("--kinds", metavar="KIND,…", help="only these: text,thinking,tool_use,tool_result")
    parser.add_argument("--max-tokens", type=int, metavar="N", help=f"how much to print (default: {_TOKENS:,})")
    parser.add_argument("--json", action="store_true", help="print the entries as a JSON array")


async def _peek(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    tail = _PEEK if args.last is None and args.since is None and args.around is None else args.last
    where = {"tail": tail, "since": args.since, "around": args.around, "limit": _TAIL, "kinds": args.kinds}
    request = ask(ReadTranscript, {**where, "max_tokens": args.max_tokens if args.json else None})
    session_id = await cerver.sessions.resolve(args.session)
    page = await cerver.transcripts.read(session_id, request)
    if args.json:
        terminal.json([json.loads(text) for text in page.raw])
        return exits.OK
    record = await cerver.sessions.get(session_id)
    most = args.max_tokens or _TOKENS
    terminal.line(peek(page, name=record.session_name, request=request, max_tokens=most, typed=True))
    return exits.OK


def _append_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument("content", nargs="?", default="-", help="the text; - or nothing reads standard input")
    parser.add_argument("--role", choices=get_args(Role), default="user", help="who says it (default: user)")
    parser.add_argument("--kind", help="what kind of entry (default: text)")
    parser.add_argument("--id", help="a name of your own for the entry, which makes a repeat harmless")
    parser.add_argument("--expected-seq", type=int, metavar="SEQ", help="refuse unless the transcript ends here")


async def _append(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    content = sys.stdin.read() if args.content == "-" else args.content
    entry = ask(NewEntry, {"role": args.role, "content": content, "kind": args.kind, "id": args.id})
    request = ask(AppendEntries, {"entries": (entry,), "expected_seq": args.expected_seq})
    reply = await cerver.transcripts.append(await cerver.sessions.resolve(args.session), request)
    terminal.line(str(reply.seqs[0]))
    return exits.OK


def _export_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument(
        "--format",
        choices=get_args(ExportFormat),
        help="jsonl loses nothing; claude-code is a session that Claude Code resumes (default: text)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file, whole or not at all")
    parser.add_argument("--yes", action="store_true", help="replace the file if there is one")


async def _export(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.output is not None and not args.yes:
        _check_free(args.output)
    session_id = await cerver.sessions.resolve(args.session)
    notes: Counter[str] = Counter()
    pieces = _pieces(cerver, session_id, args.format, notes)
    if args.output is not None:
        await _write_file(args.output, pieces)
        terminal.note(f"wrote {args.output}")
    else:
        async for piece in pieces:
            await terminal.live(piece)
    if args.format == "claude-code":
        _tell_how_to_resume(await cerver.sessions.get(session_id), notes, terminal)
    return exits.OK


def _check_free(target: Path) -> None:
    if os.path.lexists(target):
        raise Conflict(f"there is a file {target} already, and it was left as it is; replace it with --yes")


def _tell_how_to_resume(record: SessionRecord, notes: Counter[str], terminal: Terminal) -> None:
    if notes:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(notes.items()))
        terminal.note(f"left out of what the model is given, and kept as notes: {visible_line(kinds, 500)}")
    working_dir = record.metadata.get("working_dir")
    folder = working_dir if isinstance(working_dir, str) else "the folder to work in"
    project = claude_code_project(working_dir) if isinstance(working_dir, str) else "<that folder, with - for / and .>"
    terminal.note(
        f"to resume: put it at ~/.claude/projects/{visible_line(project, 200)}/{record.session_id}.jsonl and run "
        f"`claude --resume {record.session_id}` in {visible_line(folder, 500)}"
    )


async def _pieces(cerver: Cerver, session_id: str, form: str | None, notes: Counter[str]) -> AsyncIterator[str]:
    cursor: int | None = 0
    while cursor is not None:
        page = await cerver.transcripts.export(session_id, ask(ExportTranscript, {"format": form, "cursor": cursor}))
        if form == "claude-code":
            notes.update(_NOTED.findall(page.text))
        yield page.text
        cursor = page.next_cursor


async def _write_file(target: Path, pieces: AsyncIterator[str]) -> None:
    """Write beside the target and put it in its place at the end; only its owner can read it."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            async for piece in pieces:
                file.write(piece)
        draft.replace(target)
    except OSError as error:
        raise InvalidInput(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


COMMANDS: Commands = {
    "show": Command(_show_arguments, connected(_show)),
    "peek": Command(_peek_arguments, connected(_peek)),
    "append": Command(_append_arguments, connected(_append)),
    "export": Command(_export_arguments, connected(_export)),
}
