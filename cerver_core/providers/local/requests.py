"""Turn a command into the request that an agent understands."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from cerver_core.errors import FileMissing
from cerver_core.providers.base import Command
from cerver_core.providers.local.inside import wire
from cerver_core.providers.local.paths import walk
from cerver_core.providers.local.sandboxes import Sandbox

__all__ = ["keep_standing", "make_request", "standing", "wants_warm"]

_MEGABYTE = 1024 * 1024
_CWD_BYTES = 4096
_COLD_VARIABLES = re.compile(r"(PYTHON|LD_|LC_|LANG|TZ|MALLOC_|GLIBC_)")
"""Variables that an interpreter reads when it starts; one that is warm has started long ago."""

_PLAIN = re.compile(r"[\w\s./=:,@%+;|&()<>-]*")
_CHANGES_FOLDER = re.compile(r"\b(cd|chdir|pushd|popd|eval|source|alias)\b|(^|[\s;|&(])\.\s")


def standing(sandbox: Sandbox, command: Command) -> str:
    """Tell in which folder, as seen from inside, a command shall start.

    Raises:
        PathEscapesWorkspace: the asked folder is not in the workspace.
        FileMissing: the asked folder does not exist.
    """
    work = sandbox.layout.inside(sandbox.level).work
    if command.cwd is None:
        try:
            kept = sandbox.layout.cwd_file.read_bytes()[:_CWD_BYTES]
        except FileNotFoundError:
            return work
        return kept.decode(errors="surrogateescape") if kept.startswith(b"/") and b"\0" not in kept else work
    try:
        with walk(sandbox.layout.outside.work, command.cwd) as place:
            os.close(place.open_folder())
    except FileMissing:
        raise FileMissing(f"the folder {command.cwd!r} does not exist in the workspace") from None
    return f"{work}/{command.cwd}"


def make_request(sandbox: Sandbox, command: Command, env: Mapping[str, str], cwd: str) -> wire.Request:
    """Make the request."""
    inside = sandbox.layout.inside(sandbox.level)
    limits_heap = command.runtime == "node"
    return {
        "runtime": command.runtime,
        "code": command.code,
        "timeout_s": command.timeout_s,
        "env": {**env, **command.env},
        "cwd": cwd,
        "workspace": inside.work,
        # Node reserves far more address space than it uses, so its heap is limited instead.
        "memory_bytes": None if sandbox.memory_mb is None or limits_heap else sandbox.memory_mb * _MEGABYTE,
        "node_heap_mb": sandbox.memory_mb if limits_heap else None,
        "cwd_note": f"{inside.tmp}/.cwd" if command.runtime == "shell" and _may_change_folder(command.code) else None,
    }


def wants_warm(command: Command) -> bool:
    """Tell whether a command can be run by the warm Python."""
    return command.runtime == "python" and not any(_COLD_VARIABLES.match(name) for name in command.env)


def keep_standing(cwd_file: Path, cwd: bytes) -> None:
    """Keep where the shell stood at the end, for the next command of any process."""
    cwd_file.write_bytes(cwd)


def _may_change_folder(code: str) -> bool:
    """Tell whether the code could leave the shell elsewhere. Anything but plain words counts as yes."""
    return not _PLAIN.fullmatch(code) or _CHANGES_FOLDER.search(code) is not None
