"""The warm Python: what runs in it cannot tell it from `python3 -c`."""

import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from cerver_core.providers.base import SandboxRef, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.testing.providers import run
from cerver_core.wire.computes import Requirements


@pytest.fixture
async def provider(home: Path) -> AsyncGenerator[LocalProvider]:
    async with LocalProvider(home) as provider:
        yield provider


@pytest.fixture
async def ref(provider: LocalProvider) -> AsyncGenerator[SandboxRef]:
    ref = await provider.create(SandboxRequest(str(uuid.uuid4()), Requirements()))
    yield ref
    await provider.destroy(ref)


CASES = {
    "nothing": "pass",
    "output without a line end": "print('x', end='')",
    "output on both streams": "import sys; print('out'); print('err', file=sys.stderr)",
    "a syntax error": "def f(:\n  pass",
    "an error in a function": "def f(x):\n    return 1 / x\n\nf(0)",
    "a chain of errors": "try:\n    1/0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
    "a large exit code": "import sys; sys.exit(300)",
    "a negative exit code": "import sys; sys.exit(-1)",
    "an exit with an object": "import sys; sys.exit(['a', 1])",
    "an interrupt": "raise KeyboardInterrupt",
    "death by a signal": "import os; os.kill(os.getpid(), 9)",
    "an immediate exit": "import os; print('lost', end=''); os._exit(3)",
    "exit functions": "import atexit; atexit.register(print, 'at exit'); print('before')",
    "a thread to wait for": "import threading as t\nt.Timer(.05, print, ['late']).start()",
    "a thread not to wait for": "import threading as t\nt.Thread(target=t.Event().wait, daemon=True).start()",
    "a file left open": "file = open('left', 'w'); file.write('kept')",
    "the file left open": "print(open('left').read())",
    "names": "print(__name__, __doc__, __package__, __spec__, '__file__' in globals(), sorted(globals()))",
    "arguments": "import sys; print(sys.argv, sys.path[0], sys.orig_argv[1] == '-c', sys.flags)",
    "signals": "import signal; print([signal.getsignal(n) for n in (2, 13, 15, 17)])",
    "streams": "import sys; print(sys.stdin.read() == '', sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.errors)",
    "process": "import os, threading; print(os.getpid() == os.getpgrp() == os.getsid(0), threading.active_count())",
    "descriptors": "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))",
    "a pool": "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))",
    "an event loop": "import asyncio; asyncio.run(asyncio.sleep(0)); print('ran')",
    "a child": "import subprocess; print(subprocess.run(['echo', 'hi'], capture_output=True, check=True).stdout)",
    "modules of ours": "import sys; print([n for n in sys.modules if 'cerver' in n])",
    "a closed output": "import sys; sys.stdout.close()",
    "an error hook": "import sys; sys.excepthook = lambda *a: print('hook', a[0].__name__); 1/0",
    "text that is not ASCII": "print('ünï ✓', ascii('\u2713'))",
    "a pickle": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__module__)",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nprint(A(1))",
    "annotations": "x: int = 1\nprint(__annotations__)",
}


@pytest.mark.parametrize("name", CASES)
async def test_it_behaves_as_the_interpreter_started_anew(provider: LocalProvider, ref: SandboxRef, name: str) -> None:
    if name == "the file left open":
        await run(provider, ref, CASES["a file left open"], "python")
    warm = await run(provider, ref, CASES[name], "python")
    cold = await run(provider, ref, CASES[name], "python", env={"PYTHONSAFEPATH": ""})
    assert (warm.stdout, warm.stderr, warm.exited.exit_code) == (cold.stdout, cold.stderr, cold.exited.exit_code)


async def test_variables_that_are_read_at_the_start_are_heeded(provider: LocalProvider, ref: SandboxRef) -> None:
    code = "import sys; print(sys.flags.optimize, hash('a'))"
    first = await run(provider, ref, code, "python", env={"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "7"})
    again = await run(provider, ref, code, "python", env={"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "7"})
    assert first.text.startswith("2 ")
    assert first.text == again.text


async def test_modules_of_the_workspace_can_be_imported(provider: LocalProvider, ref: SandboxRef) -> None:
    await run(provider, ref, "pass", "python")
    await provider.write_file(ref, "mine.py", b"VALUE = 1")
    assert (await run(provider, ref, "import mine; print(mine.VALUE)", "python")).text == "1"


async def test_a_warm_python_that_was_killed_comes_back(provider: LocalProvider, ref: SandboxRef) -> None:
    # The parent of the command is its supervisor, whose parent is the warm Python.
    code = "import os, signal\nparent = open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]\n"
    for _ in range(5):
        await run(provider, ref, code + "os.kill(int(parent), signal.SIGKILL)", "python", timeout_s=5)
        # The next one may still be served by a supervisor that is about to follow its parent.
        texts = [(await run(provider, ref, "print('back')", "python", timeout_s=20)).text for _ in range(2)]
        assert texts[1] == "back"
