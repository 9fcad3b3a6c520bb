"""What can be wrong with a request to any provider, by its text alone; nothing here touches a file or a process."""

import os

from cerver_core.errors import InvalidInput, PathEscapesWorkspace
from cerver_core.providers.base import Command
from cerver_core.wire.computes import InstallRequest

__all__ = ["check_command", "check_names", "checked_path"]

_PATH_BYTES = 4096
_DEEPEST = 256


def check_command(command: Command) -> None:
    """Raise `InvalidInput` for what no process can be given: NUL bytes, a malformed variable, a negative timeout."""
    _check_text("the code", command.code)
    if not command.timeout_s > 0:
        raise InvalidInput(f"a timeout is a positive number of seconds; this one is {command.timeout_s}")
    for name, value in command.env.items():
        _check_text("the name of an environment variable", name)
        if not name or "=" in name:
            raise InvalidInput(f"{name!r} cannot be the name of an environment variable")
        _check_text(f"the environment variable {name}", value)


def check_names(request: InstallRequest) -> None:
    """Raise `InvalidInput` for a name that is empty, or is an option in disguise."""
    for name in request.packages:
        if not name.strip() or name.strip().startswith("-") or any(ord(sign) < 32 for sign in name):
            raise InvalidInput(f"{name!r} is not the name of a package: give a name, a requirement or a path")


def checked_path(path: str) -> str:
    """Give a path back if its text alone does not rule it out.

    Raises:
        PathEscapesWorkspace: it is absolute.
        InvalidInput: it holds a NUL character, is too long or too deep, or is no text.
    """
    if "\0" in path:
        raise InvalidInput("a path cannot hold a NUL character")
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the path {path!a} is not valid text") from error
    if size > _PATH_BYTES:
        raise InvalidInput(f"a path may have {_PATH_BYTES} bytes; this one has {size}")
    if path.count("/") > _DEEPEST:
        raise InvalidInput(f"a path may be {_DEEPEST} folders deep; this one is deeper")
    if path.startswith("/"):
        raise PathEscapesWorkspace(f"{path!r} is absolute; give it relative to the workspace")
    return path


def _check_text(what: str, text: str) -> None:
    if "\0" in text:
        raise InvalidInput(f"{what} holds a NUL character, which no process can be given")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{what} is not valid Unicode text") from error
