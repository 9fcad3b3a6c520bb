"""The warm Python: the user's own interpreter, forked for every execution, so that nobody waits for its start.

What runs must not be able to tell the difference from `python3 -c`: a `__main__` of its own, the same arguments,
tracebacks, exit codes and clean-up at exit.
"""

from __future__ import annotations

import atexit
import gc
import importlib.machinery
import os
import signal
import sys
import types
from collections.abc import Mapping
from typing import Any

from . import dispatcher, privileges, wire

__all__ = ["main"]

_LINES_SHOWN_SINCE = (3, 13)
"""From this version on, tracebacks of `python -c` show the source line."""


_EXIT_CANNOT_FLUSH = 120
_PUT_AWAY: list[types.ModuleType] = []


def main(settings: Mapping[str, Any]) -> None:
    """Serve Python executions until the host goes away."""
    privileges.adopt_orphans()
    channel = settings["python_channel"]
    serving = dispatcher.Dispatcher(channel)
    compile("pass", "<string>", "exec")  # the first one in a process takes 3 ms more
    gc.collect()
    gc.freeze()
    serving.supervise(channel, _start)
    serving.serve()


def _start(request: wire.Request, out: int, err: int) -> int:
    pid = os.fork()
    if pid == 0:
        _become(request, out, err)
    return pid


def _become(request: wire.Request, out: int, err: int) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, 1024)
    _take_environment(request["env"])
    code = request["code"]
    sys.argv = ["-c"]
    sys.orig_argv = [sys.executable, "-c", code]
    space = _fresh_main()
    _leave(_run(code, space), space)


def _take_environment(env: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name not in env]:
        del os.environ[name]
    for name, value in env.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _leave(status: object, space: dict[str, object]) -> None:
    """End as the interpreter does: wait for threads, run exit functions, let go of what the code made, flush.

    Taking the whole interpreter apart, as it would do next, costs ten times all the rest and is seen by nobody.
    """
    code = _exit_code(status)
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what the interpreter calls
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter calls
    space.clear()
    gc.collect()
    os._exit(code if _flush() else _EXIT_CANNOT_FLUSH)


def _exit_code(status: object) -> int:
    if status is None:
        return 0
    if isinstance(status, int):
        return status & 0xFF
    print(status, file=sys.stderr)  # noqa: T201 - what the interpreter prints
    return 1


def _flush() -> bool:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError):
            return False
    return True


def _fresh_main() -> dict[str, object]:
    module = types.ModuleType("__main__")
    module.__loader__ = importlib.machinery.BuiltinImporter
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    if sys.version_info < (3, 14):
        module.__dict__["__annotations__"] = {}  # noqa: RUF063 - as the interpreter makes it
    own = __package__ or ""
    # Out of sight, yet kept: freeing them would copy many shared pages.
    _PUT_AWAY.append(sys.modules["__main__"])
    _PUT_AWAY.extend(sys.modules.pop(name) for name in list(sys.modules) if name.startswith(own))
    sys.modules["__main__"] = module
    return module.__dict__


def _run(code: str, space: dict[str, object]) -> object:
    """Run the code; gives what to exit with. Frames of ours are taken off the tracebacks."""
    try:
        exec(_compile(code), space)  # noqa: S102 - running given code is what this is for
    except SystemExit as leaving:
        return leaving.code
    except KeyboardInterrupt as error:
        _show(error)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException as error:  # noqa: BLE001 - what `python -c` prints and turns into exit code 1
        _show(error)
        return 1
    return 0


def _compile(code: str) -> types.CodeType:
    if sys.version_info >= _LINES_SHOWN_SINCE:
        import linecache  # noqa: PLC0415 - only where the interpreter itself does so

        linecache.cache["<string>"] = (len(code), None, code.splitlines(keepends=True), "<string>")
    return compile(code, "<string>", "exec", dont_inherit=True)


def _show(error: BaseException) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
