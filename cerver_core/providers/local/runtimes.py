"""Find the runtimes of this machine and what must be seen to run them; starts no sandbox.

A name on PATH may be a shim of a version manager, so the interpreter itself is asked where it is, once a day.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cerver_core.errors import RuntimeMissing
from cerver_core.providers.local.private import keep
from cerver_core.wire.computes import Runtime, RuntimeFound

__all__ = ["Runtimes", "base_python", "find_runtimes", "parts_of"]

_ASK_PYTHON = """
import glob, importlib.util, json, os, sys
pip = ["-m", "pip"] if importlib.util.find_spec("pip") else []
bundle = importlib.util.find_spec("ensurepip")
if bundle and not pip:
    pip = [wheel + "/pip" for wheel in glob.glob(os.path.join(os.path.dirname(bundle.origin), "_bundled", "pip-*.whl"))]
print(json.dumps({"path": sys.executable, "version": sys.version.split()[0], "tag": sys.implementation.cache_tag,
    "prefixes": [sys.prefix, sys.base_prefix], "pip": pip}))
"""
_ASK_NODE = "console.log(JSON.stringify({path: process.execPath, version: process.version.slice(1)}))"
_ASK_TIMEOUT_S = 20
_FORMAT = 1
"""Of the cache; to be raised when what is kept changes."""

_DAY_S = 86_400
_GET = {
    "python": "install Python 3 so that `python3` is on PATH, for instance with `uv python install` or apt",
    "node": "install Node.js so that `node` is on PATH, from https://nodejs.org or with apt, brew or nvm",
    "shell": "/bin/sh must be there",
}
_SEEN_OF_PREFIX = ("bin", "lib", "lib64", "include", "pyvenv.cfg")


@dataclass(frozen=True, slots=True)
class _Program:
    path: str
    version: str
    prefixes: tuple[str, ...]
    tag: str = ""
    pip: tuple[str, ...] = ()
    """The arguments that make this Python run pip; none when it has none."""


@dataclass(frozen=True, slots=True)
class Runtimes:
    """What this machine can run."""

    python: _Program | None
    node: _Program | None
    npm: str | None

    def program(self, runtime: Runtime) -> str:
        """Give the path of a runtime.

        Raises:
            RuntimeMissing: it is not on this machine; the message says how to get it.
        """
        path = self.programs.get(runtime)
        if path is None:
            raise RuntimeMissing(f"this machine has no {runtime} runtime: {_GET[runtime]}", runtime=runtime)
        return path

    @property
    def programs(self) -> dict[str, str]:
        """The paths of those that were found."""
        found = {"python": self.python, "node": self.node}
        return {"shell": "/bin/sh", **{name: program.path for name, program in found.items() if program}}

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Where the found runtimes are installed."""
        return tuple(prefix for program in (self.python, self.node) if program for prefix in program.prefixes)

    @property
    def is_python_warm(self) -> bool:
        """Tell whether the Python is new enough to be kept warm."""
        return self.python is not None and _numbers(self.python.version) >= (3, 9)

    def reports(self) -> tuple[RuntimeFound, ...]:
        """Describe them for the wire."""
        return (RuntimeFound(name="shell", path="/bin/sh"), _report("python", self.python), _report("node", self.node))


def find_runtimes(environ: Mapping[str, str], cache: Path) -> Runtimes:
    """Find the runtimes, from the cache where it still holds. Blocks: the first time takes a few hundred ms."""
    path = _search_path(environ)
    names = {name: shutil.which(name, path=path) for name in ("python3", "node", "npm")}
    key = json.dumps(
        [_FORMAT, path, environ.get("PYENV_VERSION"), {n: _stamp(p) for n, p in names.items()}, sys.version]
    )
    known = _load(cache, key)
    if known is None:
        python = _ask(environ, names["python3"], ("-I", "-c", _ASK_PYTHON))
        node = _ask(environ, names["node"], ("-e", _ASK_NODE))
        known = Runtimes(python, node, names["npm"])
        _save(cache, key, known)
    return known


def _search_path(environ: Mapping[str, str]) -> str:
    """Give PATH without Cerver's own virtual environment, as long as a Python is left: that one is not the user's."""
    path = environ.get("PATH", os.defpath)
    own = os.path.realpath(Path(sys.prefix, "bin")) if sys.prefix != sys.base_prefix else None
    others = os.pathsep.join(part for part in path.split(os.pathsep) if os.path.realpath(part) != own)
    return others if shutil.which("python3", path=others) else path


def base_python() -> tuple[str, tuple[str, ...]]:
    """Give the interpreter that Cerver itself runs on, outside of any virtual environment, and its prefix."""
    candidates = (
        getattr(sys, "_base_executable", None),
        f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}",
        sys.executable,
    )
    return next(path for path in candidates if path and Path(path).exists()), (sys.base_prefix,)


def parts_of(prefixes: tuple[str, ...]) -> list[str]:
    """List the files and folders that a program installed under these prefixes needs to be seen.

    Only programs and libraries: a prefix may be a folder such as `~/.local`, which holds much else.
    """
    parts: dict[str, None] = {}
    for prefix in prefixes:
        for root in {prefix: None, os.path.realpath(prefix): None}:
            for name in _SEEN_OF_PREFIX:
                part = f"{root.rstrip('/')}/{name}"
                if root.startswith("/usr/") or root in ("/", "/usr") or not Path(part).exists():
                    continue
                parts[part] = None
    return list(parts)


def _ask(environ: Mapping[str, str], program: str | None, arguments: tuple[str, ...]) -> _Program | None:
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own runtime, as found on PATH
            [program, *arguments], env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_TIMEOUT_S,
            check=True,
        )  # fmt: skip
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    prefixes = facts.get("prefixes") or [str(Path(facts["path"]).parent.parent)]
    return _Program(facts["path"], facts["version"], tuple(prefixes), facts.get("tag", ""), tuple(facts.get("pip", ())))


def _report(name: Runtime, program: _Program | None) -> RuntimeFound:
    if program is None:
        return RuntimeFound(name=name, missing=_GET[name])
    return RuntimeFound(name=name, path=program.path, version=program.version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _stamp(path: str | None) -> list[object] | None:
    return None if path is None else [path, os.path.realpath(path), Path(path).stat().st_mtime_ns]


def _load(cache: Path, key: str) -> Runtimes | None:
    try:
        kept = json.loads(cache.read_bytes())
        if kept["key"] != key or not 0 <= time.time() - kept["at"] < _DAY_S:
            return None
        python, node = (None if kept[name] is None else _restored(kept[name]) for name in ("python", "node"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Runtimes(python, node, kept["npm"])


def _restored(kept: dict[str, Any]) -> _Program:
    return _Program(kept["path"], kept["version"], tuple(kept["prefixes"]), kept["tag"], tuple(kept["pip"]))


def _save(cache: Path, key: str, found: Runtimes) -> None:
    kept = {"key": key, "at": time.time(), **asdict(found)}
    try:
        keep(cache, json.dumps(kept))
    except OSError:
        return
