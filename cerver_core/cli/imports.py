"""The command `import`: histories that other agents left on this machine, or one of Cerver's own exports."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread

from cerver_core.api import Cerver
from cerver_core.cli import exits
from cerver_core.cli.command import Command, Commands
from cerver_core.cli.connected import connected
from cerver_core.cli.import_report import Progress, Survey, report_json, show_import, show_survey, waiting
from cerver_core.cli.moments import moment_since
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.histories import HistoryImport, alone, made_searchable
from cerver_core.importers.base import Document, HistoryImporter
from cerver_core.importers.sources import SOURCES, history_importer

__all__ = ["COMMANDS"]

_PATIENCE_S = 10.0
"""How long to wait for another import: what hooks noted is brought in within a moment."""

_AT_ONCE_S = 0.5


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="SOURCE", help=f"{', '.join(SOURCES)}, or all of them; or a jsonl export (- reads one)"
    )
    parser.add_argument("--path", type=Path, help="a file or folder of the source (default: where it keeps them)")
    parser.add_argument("--since", metavar="WHEN", help="only what changed since: 2026-05-01, or 12h, 30d, 8w ago")
    parser.add_argument("--dry-run", action="store_true", help="show what there is, and import nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--name", help="for an export: a name for the new session (default: the one it had)")


async def _import(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.what != "all" and args.what not in SOURCES:
        return await _export(cerver, args, terminal)
    if args.name is not None:
        raise InvalidInput("--name is for an export: histories keep the names they have")
    settings = Settings.from_environ()
    since = moment_since(args.since)
    surveys = [
        await _survey(HistoryImport(cerver, importer), importer, settings, args.path, since)
        for importer in _importers(args)
    ]
    if args.dry_run:
        return _answer(surveys, args, terminal)
    async with alone(settings.home, patience_s=_PATIENCE_S):
        for survey in surveys:  # again: hooks may have brought in some of it meanwhile
            await survey.histories.look()
        with Progress(terminal, surveys) as progress:
            for survey in surveys:
                for document in survey.to_read:
                    survey.imported.append(
                        await survey.histories.bring_in(document, lambda at, it=document: progress.reach(it, at))
                    )
                    progress.finish(document)
    code = _answer(surveys, args, terminal)
    terminal.flush()  # all is kept: who has seen enough may leave now
    await _wait_until_searchable(cerver, terminal)
    return code


async def _wait_until_searchable(cerver: Cerver, terminal: Terminal) -> None:
    """Wait, also for what an import that was ended left behind; most of it is indexed while histories are read."""
    since = datetime.now(UTC)
    if await made_searchable(cerver, since, patience_s=_AT_ONCE_S):
        return
    with waiting(terminal, "making what is new searchable (Ctrl-C loses nothing: searches go on with it)"):
        is_done = await made_searchable(cerver, since)
    if not is_done:
        terminal.note("not all of it can be searched yet: the next searches go on with it")


def _importers(args: Namespace) -> Sequence[HistoryImporter]:
    if args.what != "all":
        return [history_importer(args.what)]
    if args.path is not None:
        raise InvalidInput("--path needs one source: name the one whose files these are")
    return [history_importer(name) for name in SOURCES]


async def _survey(
    histories: HistoryImport, importer: HistoryImporter, settings: Settings, path: Path | None, since: datetime | None
) -> Survey:
    home = Path(settings.environ.get("HOME") or Path.home())
    found = await to_thread.run_sync(_find, importer, home, settings, path)
    await histories.look()
    survey = Survey(importer.name, histories, is_asked_for=path is not None)
    for document in found:
        if since is None or document.modified_at >= since:
            expires_at = importer.expires_at(document, home, settings.environ)
            survey.add(document, histories.standing(document), expires_at)
    return survey


def _find(importer: HistoryImporter, home: Path, settings: Settings, path: Path | None) -> Sequence[Document]:
    if path is None:
        return importer.find(home, settings.environ)
    if not path.exists():
        raise FileMissing(f"there is no file or folder {path}")
    return importer.find_in(path.absolute())


def _answer(surveys: Sequence[Survey], args: Namespace, terminal: Terminal) -> int:
    if args.json:
        terminal.json(report_json(surveys))
        return exits.OK
    if args.dry_run:
        show_survey(terminal, surveys)
        return exits.OK
    show_import(terminal, surveys)
    return exits.OK if all(survey.is_fine for survey in surveys) else exits.FAILED


async def _export(cerver: Cerver, args: Namespace, terminal: Terminal) -> int:
    if args.path is not None or args.since is not None or args.dry_run or args.json:
        known = ", ".join([*SOURCES, "all"])
        raise InvalidInput(f"--path, --since, --dry-run and --json are for a source ({known}), not for {args.what}")
    reply = await cerver.transcripts.import_jsonl(_document(args.what), session_name=args.name)
    terminal.line(reply.session_id)
    terminal.flush()
    terminal.note(f"{reply.entries:,} entries")
    return exits.OK


def _document(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError as error:
        raise FileMissing(f"there is no file {name}; the sources are: {', '.join(SOURCES)}, all") from error
    except OSError as error:
        raise InvalidInput(f"cannot read {name}: {error.strerror or error}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text, so it is no export") from error


COMMANDS: Commands = {"import": Command(_arguments, connected(_import))}
