"""Start the command of a request as a new program: the shell, Node, or a Python that is not kept warm."""

from __future__ import annotations

import os
import shlex
import signal
import tempfile
from collections.abc import Mapping

from . import wire

__all__ = ["Programs", "start"]

Programs = Mapping[str, str]
"""Where `shell`, `python` and `node` are."""

_ARGUMENT_BYTES = 96 * 1024
"""Linux takes at most 128 KiB in one argument; longer code goes through a file."""

_DEFAULT_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
)


def start(programs: Programs, request: wire.Request, out: int, err: int) -> int:
    """Start the command, in a session of its own, with closed input; gives its process id."""
    argv = _argv(programs, request)
    env = request["env"]
    files = ((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, out, 1))
    files = (*files, (os.POSIX_SPAWN_DUP2, err, 2))
    spawn = os.posix_spawnp
    try:
        return spawn(argv[0], argv, env, file_actions=files, setsid=True, setsigmask=(), setsigdef=_DEFAULT_SIGNALS)
    except NotImplementedError:
        return spawn(argv[0], argv, env, file_actions=files, setpgroup=0, setsigmask=(), setsigdef=_DEFAULT_SIGNALS)


def _argv(programs: Programs, request: wire.Request) -> list[str]:
    runtime, code = request["runtime"], request["code"]
    if runtime == "argv":
        return list(request["argv"])
    program = programs[runtime]
    if runtime == "shell":
        return [program, "-c", "--", _shell_code(code, request)]
    if runtime == "python":
        return [program, "-c", _python_code(code, request)]
    return [program, *_node_options(request), f"--eval={_node_code(code, request)}"]


def _shell_code(code: str, request: wire.Request) -> str:
    if _is_long(code):
        code = f". {shlex.quote(_file(code, '.sh', request))}"
    note = request.get("cwd_note")
    if note is None:
        return code
    # The shell writes down where it stands when it ends; on the same line, so that line numbers stay true.
    tell = f"{{ command pwd -P >|{shlex.quote(f'{note}-{os.getpid()}')}; }} 2>/dev/null"
    return f"trap {shlex.quote(tell)} EXIT; {code}"


def _python_code(code: str, request: wire.Request) -> str:
    if not _is_long(code):
        return code
    return f"exec(compile(open({_file(code, '.py', request)!r}, encoding='utf-8').read(), '<string>', 'exec'))"


def _node_code(code: str, request: wire.Request) -> str:
    if not _is_long(code):
        return code
    path = _file(code, ".js", request).replace("\\", "\\\\").replace("'", "\\'")
    return f"(0, eval)(require('fs').readFileSync('{path}', 'utf8'))"


def _node_options(request: wire.Request) -> list[str]:
    heap = request.get("node_heap_mb")
    return [] if heap is None else [f"--max-old-space-size={heap}"]


def _is_long(code: str) -> bool:
    return len(code) * 4 > _ARGUMENT_BYTES and len(code.encode()) > _ARGUMENT_BYTES


def _file(code: str, suffix: str, request: wire.Request) -> str:
    """Put the code in a file, which the supervisor removes when the command has ended."""
    with tempfile.NamedTemporaryFile("w", suffix=suffix, prefix="code-", delete=False, encoding="utf-8") as file:
        file.write(code)
    request["spilled"] = file.name
    return file.name
