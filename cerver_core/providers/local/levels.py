"""Choose an isolation level by what was found here; findings are kept for a day, for every process of the user."""

import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

import cerver_core
from cerver_core.errors import IsolationUnavailable
from cerver_core.providers.local.private import keep
from cerver_core.providers.local.probes import Finding, probe
from cerver_core.providers.local.sandboxes import Bubblewrap
from cerver_core.wire.computes import Control, IsolationLevel, Requirements

__all__ = ["LEVELS", "Levels"]

LEVELS: tuple[IsolationLevel, ...] = ("sandbox", "confined", "process")
"""Strongest first."""

_DAY_S = 86_400


class Levels:
    """The levels of this machine."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._home = home
        self._environ = environ
        self._bubblewrap = Bubblewrap.find(environ)
        self._cache = home / "isolation.json"
        self._found: dict[str, Finding] | None = None
        self._lock = anyio.Lock()

    async def finding(self, level: IsolationLevel, *, network: bool) -> Finding:
        """Say what holds at this level; probes when it is not known."""
        key = f"{level} {'with' if network else 'without'} network"
        async with self._lock:
            if self._found is None:
                self._found = self._load()
            if key not in self._found:
                self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._found[key] = await probe(self._home, self._environ, self._bubblewrap, level, network=network)
                self._save()
            return self._found[key]

    async def bubblewrap(self, level: IsolationLevel, *, network: bool) -> Bubblewrap:
        """Give the program that makes the namespaces of a level, and how to use it here."""
        if level != "sandbox":
            return self._bubblewrap
        return Bubblewrap(self._bubblewrap.path, (await self.finding(level, network=network)).nesting)

    async def choose(
        self, requirements: Requirements, configured: IsolationLevel | None
    ) -> tuple[IsolationLevel, bool]:
        """Choose the asked level, else the strongest there is; and tell whether it is weaker than asked.

        Raises:
            IsolationUnavailable: it cannot be had; `detail["reasons"]` says why, level by level.
        """
        asked = requirements.isolation or configured
        wanted = LEVELS if asked is None else LEVELS[LEVELS.index(asked) :]
        reasons: dict[str, str] = {}
        for level in wanted:
            finding = await self.finding(level, network=requirements.network)
            reason = finding.unavailable or _open_network(finding, requirements)
            if reason is None:
                return level, asked is not None and level != asked
            reasons[level] = reason
            if asked is not None and not requirements.allow_weaker:
                break
        if requirements.allow_weaker and "process" in reasons:
            return "process", True
        raise IsolationUnavailable(
            f"this machine cannot isolate as asked: {'; '.join(f'{level}: {why}' for level, why in reasons.items())}. "
            "Ask for a weaker level, or allow one with allow_weaker",
            asked=asked,
            reasons=reasons,
        )

    def _load(self) -> dict[str, Finding]:
        try:
            kept = json.loads(self._cache.read_bytes())
            if kept["key"] != self._key():
                return {}
            fresh = {name: item for name, item in kept["findings"].items() if 0 <= time.time() - item["at"] < _DAY_S}
            return {name: _restore(item) for name, item in fresh.items()}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _save(self) -> None:
        assert self._found is not None
        # What cannot be had is tried again by the next process: its user may have mended it in the meantime.
        findings = {name: _store(finding) for name, finding in self._found.items() if finding.unavailable is None}
        kept = {"key": self._key(), "findings": findings}
        try:
            keep(self._cache, json.dumps(kept))
        except OSError:
            return

    def _key(self) -> list[object]:
        path = self._bubblewrap.path
        stamp = Path(path).stat().st_mtime_ns if path else 0
        return [platform.platform(), os.geteuid(), cerver_core.__version__, path, stamp, self._environ.get("HOME")]


def _open_network(finding: Finding, requirements: Requirements) -> str | None:
    control = finding.controls.get("network")
    if requirements.network or control is None or control.state != "not_enforced":
        return None
    return f"the network cannot be cut off at this level ({control.why})"


def _store(finding: Finding) -> dict[str, object]:
    controls = {name: control.model_dump() for name, control in finding.controls.items()}
    return {"at": finding.at, "controls": controls, "nesting": finding.nesting}


def _restore(kept: Mapping[str, Any]) -> Finding:
    controls = {name: Control.model_validate(control) for name, control in kept["controls"].items()}
    return Finding(controls, nesting=kept["nesting"], at=kept["at"])
