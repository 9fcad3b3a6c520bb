"""What the doctor looks at: one function per thing, each giving findings; nothing here prints."""

import dataclasses
import importlib.metadata
import os
import platform
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cerver_core import __version__
from cerver_core.api import Cerver
from cerver_core.cli.skill import default_folder, packaged_skill
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import CerverError, ConfigurationError, SecretBackendMisconfigured
from cerver_core.plugins import opened_providers, secret_backend
from cerver_core.remembering.spool import Spool
from cerver_core.wire.computes import Compute, IsolationLevel
from cerver_core.wire.sessions import ListSessions

__all__ = ["Finding", "State", "examine"]

State = Literal["ok", "note", "problem"]

_LEVELS: tuple[IsolationLevel, ...] = ("sandbox", "confined", "process")
_PARTS = ("mcp", "apsw", "pydantic", "httpx2", "anyio", "rich")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A `problem` is something asked for that cannot work; a `note` is worth knowing."""

    about: str
    state: State
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Give the finding as a JSON object."""
        return dataclasses.asdict(self)


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order a reader wants it."""
    findings = [_versions(), _road(settings)]
    findings += [await _secrets(settings), *_providers(settings)]
    # The secret backend is judged above; a broken one shall not hide what else is right or wrong.
    without_secrets = dataclasses.replace(settings, secrets_backend="env")
    try:
        async with connect(without_secrets) as cerver:
            findings += await _reached(cerver, settings)
    except CerverError as error:
        findings.append(Finding("connection", "problem", error.message, _remedy(error, settings)))
    return [*findings, *_notes(settings), _skill()]


def _providers(settings: Settings) -> Iterator[Finding]:
    """Tell of those that the settings name and that cannot be made; the others are told of as computes."""
    if not settings.is_remote:
        for name, reason in opened_providers(settings)[1].items():
            yield Finding(f"provider {name}", "problem", reason, "correct its settings, or CERVER_PROVIDERS")


def _versions() -> Finding:
    parts = ", ".join(f"{name} {_version(name)}" for name in _PARTS)
    return Finding(
        "versions", "ok", f"cerver {__version__}, Python {platform.python_version()} ({sys.platform}), {parts}"
    )


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _road(settings: Settings) -> Finding:
    if settings.is_remote:
        return Finding("road", "ok", f"gateway {settings.gateway_url}, with the token in CERVER_API_TOKEN")
    remedy = ""
    if settings.environ.get("CERVER_GATEWAY_URL"):
        remedy = "CERVER_GATEWAY_URL has no effect without CERVER_API_TOKEN"
    return Finding("road", "note" if remedy else "ok", "embedded: the engine runs in this process", remedy)


async def _reached(cerver: Cerver, settings: Settings) -> list[Finding]:
    try:
        page = await cerver.sessions.list(ListSessions(limit=1))
        computes = (await cerver.computes.list()).computes
    except CerverError as error:
        return [Finding("connection", "problem", error.message, _remedy(error, settings))]
    latest = f"; the latest is {page.sessions[0].session_id}" if page.sessions else "; no session yet"
    findings = [Finding("connection", "ok", f"sessions can be read{latest}")]
    if not settings.is_remote:
        findings += _data(settings.home)
    if not computes:
        remedy = "sessions are memory alone until a compute is attached"
        findings.append(Finding("compute", "note", "there is none", remedy))
    for compute in computes:
        findings += _compute(compute, settings)
    return findings


def _data(home: Path) -> Iterator[Finding]:
    database = home / "cerver.db"
    sizes = [path.stat().st_size for path in home.glob("cerver.db*") if path.is_file()]
    yield Finding("data", "ok", f"{database} ({sum(sizes) / 1024:,.0f} KiB, schema up to date)")
    for path in (home, *sorted(home.glob("cerver.db*"))):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            yield Finding("data", "note", f"{path} is open to others ({mode:04o})", f"chmod go-rwx {path}")
    if not os.access(home, os.W_OK):
        yield Finding("data", "problem", f"{home} cannot be written", "set CERVER_HOME to a folder of your own")


def _compute(compute: Compute, settings: Settings) -> Iterator[Finding]:
    about = f"compute {compute.provider}"
    yield Finding(about, "ok", f"{compute.label} ({compute.compute_id}), {compute.status}")
    yield from _isolation(compute, settings.isolation)
    for runtime in compute.runtimes:
        if runtime.path is None:
            reason = runtime.missing or "not found"
            yield Finding("runtime", "note", f"{runtime.name}: {reason}", f"install {runtime.name} to run its code")
        else:
            version = f" {runtime.version}" if runtime.version else ""
            yield Finding("runtime", "ok", f"{runtime.name}{version} at {runtime.path}")


def _isolation(compute: Compute, asked: IsolationLevel | None) -> Iterator[Finding]:
    if asked is not None and compute.provider == "local" and asked in compute.unavailable_levels:
        reason = compute.unavailable_levels[asked]
        remedy = f"make it possible, or unset CERVER_ISOLATION to use the best level there is; {reason}"
        yield Finding("isolation", "problem", f"CERVER_ISOLATION={asked} cannot be had here", remedy)
    isolation = compute.isolation
    if isolation is None:
        yield Finding("isolation", "note", "this compute does not say how it isolates")
        return
    yield Finding("isolation", "ok", f"level {isolation.level}")
    for name, control in isolation.controls.items():
        by = f" by {control.by}" if control.by else ""
        why = f": {control.why}" if control.why else ""
        state: State = "ok" if control.state in {"enforced", "per_process"} else "note"
        yield Finding(f"  {name}", state, f"{control.state}{by}{why}")
    for level in _LEVELS:
        if level != asked and level in compute.unavailable_levels:
            yield Finding("isolation", "note", f"level {level} cannot be had: {compute.unavailable_levels[level]}")


async def _secrets(settings: Settings) -> Finding:
    name = settings.secrets_backend
    try:
        async with secret_backend(settings) as backend:
            answer = await backend.check()
    except (ConfigurationError, SecretBackendMisconfigured) as error:
        return Finding(
            "secrets", "problem", error.message, "set the missing variables, or unset CERVER_SECRETS_BACKEND"
        )
    except CerverError as error:
        return Finding("secrets", "problem", f"{name}: {error.message}", "check the credential and the network")
    return Finding("secrets", "ok", answer)


def _remedy(error: CerverError, settings: Settings) -> str:
    if settings.is_remote:
        return {
            "gateway_unreachable": "check CERVER_GATEWAY_URL and the network",
            "unauthorized": "check CERVER_API_TOKEN; unset it to work on this machine alone",
            "forbidden": "ask the owner of the account for the right",
        }.get(error.code, "unset CERVER_API_TOKEN to work on this machine alone")
    return {
        "store_corrupt": "move the file away and restore a copy; exports of sessions can be imported",
        "schema_too_new": "upgrade cerver-mcp, or set CERVER_HOME to another folder",
        "store_unavailable": "free space or permit writing, or set CERVER_HOME to another folder",
    }.get(error.code, "correct what the message names")


def _notes(settings: Settings) -> Iterator[Finding]:
    spool = Spool(settings.environ)
    if count := len({*spool.waiting(), *spool.taken()}):
        told = f"{count} noted {'transcript waits' if count == 1 else 'transcripts wait'} to be brought in"
        yield Finding("hooks", "note", told, "cerver hook drain does it now, and says what stands in the way")


def _skill() -> Finding:
    target = default_folder() / "SKILL.md"
    try:
        text = target.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Finding("skill", "note", f"not installed at {target}", "cerver skill install")
    except (OSError, UnicodeDecodeError) as error:
        return Finding("skill", "note", f"{target} cannot be read: {error}", "cerver skill install --dir FOLDER")
    if text == packaged_skill():
        return Finding("skill", "ok", f"installed at {target}")
    return Finding(
        "skill", "note", f"{target} differs from this version's", "cerver skill install shows the difference"
    )
