"""Turn a command into the arguments of the script that runs it; checks what can be wrong before anything is sent."""

import shlex

from cerver_core.errors import InvalidInput, PathEscapesWorkspace
from cerver_core.providers import checks
from cerver_core.providers.base import Command
from cerver_core.providers.shell.scripts import RUN
from cerver_core.wire.computes import InstallRequest, Runtime

__all__ = ["ARGUMENT_BYTES", "check_command", "checked", "code_argv", "install_argv", "is_long", "run_argv"]

ARGUMENT_BYTES = 96 * 1024
"""Linux takes at most 128 KiB in one argument; longer code goes through a file."""

_LONGEST_S = 10_000_000.0
_NAME_BYTES = 255
"""What Linux file systems take."""

_PROGRAMS: dict[Runtime, str] = {"shell": "/bin/sh", "python": "python3", "node": "node"}
_PIP = (
    "--upgrade", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--no-cache-dir",
    "--root-user-action", "ignore", "--target",
)  # fmt: skip
_NPM = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefix")


def check_command(command: Command) -> None:
    """Raise `InvalidInput` for what no process can be given, `PathEscapesWorkspace` for a folder outside."""
    checks.check_command(command)
    if command.cwd is not None:
        checked(command.cwd)


def checked(path: str) -> str:
    """Give a path of the workspace without `.` and empty names; links on it are for the sandbox to follow.

    Raises:
        PathEscapesWorkspace: it is absolute, or its own names lead out.
        InvalidInput: it is malformed, too long or too deep.
    """
    names = [name for name in checks.checked_path(path).split("/") if name not in ("", ".")]
    depth = 0
    for name in names:
        if len(name.encode()) > _NAME_BYTES:
            raise InvalidInput(f"a name in {path[:100]!r} has more than {_NAME_BYTES} bytes")
        depth += -1 if name == ".." else 1
        if depth < 0:
            raise PathEscapesWorkspace(f"{path!r} leaves the workspace")
    return "/".join(names)


def is_long(code: str) -> bool:
    """Tell whether code is too long for an argument."""
    return len(code) * 4 > ARGUMENT_BYTES and len(code.encode()) > ARGUMENT_BYTES


def run_argv(root: str, exec_id: str, command: Command, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Give the arguments of the script `RUN`, from the script on."""
    where = "" if command.cwd is None else checked(command.cwd) or "."
    limit_s = min(command.timeout_s, _LONGEST_S)
    return (RUN, "execution", root, exec_id, f"{limit_s:.2f}", argv[0], where, *argv)


def code_argv(root: str, command: Command, file: str | None) -> tuple[str, ...]:
    """Give the command line for a piece of code; `file` is where long code lies."""
    program, code = _PROGRAMS[command.runtime], command.code
    if command.runtime == "shell":
        tell = (
            f'{{ command cd -P -- "$PWD" && printf \'%s\\n\' "$PWD" >|{shlex.quote(f"{root}/run/cwd")}; }} 2>/dev/null'
        )
        text = code if file is None else f". {shlex.quote(file)}"
        # On one line with the code, so that its line numbers stay true.
        return (program, "-c", "--", f"trap {shlex.quote(tell)} EXIT; {text}")
    if command.runtime == "python":
        text = f"exec(compile(open({file!r}, encoding='utf-8').read(), '<string>', 'exec'))"
        return (program, "-c", code if file is None else text)
    path = "" if file is None else file.replace("\\", "\\\\").replace("'", "\\'")
    text = f"(0, eval)(require('fs').readFileSync('{path}', 'utf8'))"
    return (program, f"--eval={code if file is None else text}")


def install_argv(root: str, request: InstallRequest) -> tuple[str, ...]:
    """Give the command line of an installation into the workspace's own folders."""
    if request.installer == "npm":
        return ("npm", "install", *_NPM, root, "--", *request.packages)
    return ("python3", "-m", "pip", "install", *_PIP, f"{root}/packages", "--", *request.packages)
