"""`cerver serve`: a gateway on this machine, in this process or in several that share a port."""

import gc
import os
import signal
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import anyio

from cerver_core.cli.command import Command, Commands
from cerver_core.cli.exits import OK
from cerver_core.cli.terminal import Terminal
from cerver_core.config import Settings
from cerver_core.errors import ConfigurationError, NotSupported

if TYPE_CHECKING:
    from socket import socket

    from cerver_core.gateway.server import Server

__all__ = ["COMMANDS"]

_HOST = "127.0.0.1"
_PORT = 8787
_MOST_WORKERS = 64
_SHARED_FIGURES = "PROMETHEUS_MULTIPROC_DIR"
"""Where the Prometheus client of several processes keeps figures; its own name (prometheus/client_python)."""
_LOOK_S = 1.0
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default=_HOST, help=f"the address to listen on (default {_HOST})")
    parser.add_argument("--port", type=_port, default=_PORT, help=f"the port, 0 for any free one (default {_PORT})")
    parser.add_argument(
        "--local-compute",
        action="store_true",
        help="let whoever has a key run code on this machine (for a single user; without it none runs here)",
    )
    parser.add_argument("--workers", type=_workers, default=1, help="how many processes share the port (default 1)")
    parser.add_argument("--listener", type=int, help=SUPPRESS)
    parser.epilog = (
        "Without settings everything is kept in SQLite under CERVER_HOME, and the first start makes a key and shows it "
        "once. CERVER_DATABASE_URL names a Postgres instead, which several machines may serve. SIGTERM ends it in "
        "order."
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError("must be a port, 0 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise ArgumentTypeError(f"must be a number of processes, 1 to {_MOST_WORKERS}")
    return int(text)


def _run(args: Namespace, terminal: Terminal) -> int:
    try:
        from cerver_core.gateway.logs import log_to_stderr  # noqa: PLC0415 - an optional part
        from cerver_core.gateway.server import bind, inherited  # noqa: PLC0415
    except ImportError as error:
        raise NotSupported(
            f"`cerver serve` needs the extra `gateway`, which is not installed ({error.name}): "
            "install cerver-mcp[gateway]"
        ) from error
    log_to_stderr()
    settings = Settings.from_environ()
    if args.listener is not None:
        return _in_a_loop(partial(_serve, settings, args, inherited(args.listener), None))
    try:
        listener = bind(args.host, args.port)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {args.host} port {args.port} ({error.strerror or error}): choose another --port"
        ) from error
    with listener:
        if args.workers > 1:
            return _in_a_loop(partial(_several, settings, args, listener, terminal))
        return _in_a_loop(partial(_serve, settings, args, listener, terminal))


def _in_a_loop(work: Callable[[], Awaitable[int]]) -> int:
    return anyio.run(work, backend_options={"use_uvloop": sys.platform != "win32"})


async def _serve(settings: Settings, args: Namespace, listener: "socket", terminal: Terminal | None) -> int:
    from cerver_core.gateway import create_app  # noqa: PLC0415 - an optional part
    from cerver_core.gateway.mounts import installed  # noqa: PLC0415
    from cerver_core.gateway.server import Server  # noqa: PLC0415
    from cerver_core.gateway.telemetry import Telemetry  # noqa: PLC0415
    from cerver_core.hosting import open_host  # noqa: PLC0415

    async with open_host(settings, is_local_compute=args.local_compute, url=_url(listener)) as host:
        key = None if terminal is None else await host.first_key()

        def announce() -> None:
            # What is there by now stays: the collector need not look through it again while requests wait.
            gc.collect()
            gc.freeze()
            if terminal is not None:
                _announce(terminal, args, listener, key)

        app = create_app(
            host,
            telemetry=Telemetry(_figures_of_all(settings)),
            beside=installed(),
            url=settings.environ.get("CERVER_PUBLIC_URL") or _url(listener),
            is_alone=terminal is not None and settings.database_url is None,
        )
        server = Server(app, on_started=announce)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_when_told, server)
            if terminal is None:
                tasks.start_soon(_stop_when_orphaned, server)
            await server.serve(sockets=[listener])
            tasks.cancel_scope.cancel()
    return OK


async def _several(settings: Settings, args: Namespace, listener: "socket", terminal: Terminal) -> int:
    """Make the key if there is none, then keep so many processes serving."""
    from cerver_core.cli.workers import supervise  # noqa: PLC0415 - only where there are several
    from cerver_core.hosting import open_host  # noqa: PLC0415

    async with open_host(settings, is_local_compute=False) as host:
        key = await host.first_key()
    _announce(terminal, args, listener, key)
    command = ["serve", "--listener", str(listener.fileno())]
    if args.local_compute:
        command.append("--local-compute")
    with TemporaryDirectory(prefix="cerver-figures-") as figures:
        return await supervise(command, args.workers, listener.fileno(), {_SHARED_FIGURES: figures})


def _figures_of_all(settings: Settings) -> Path | None:
    """Give the folder in which the processes of one gateway keep their figures; null when there is one process."""
    folder = settings.environ.get(_SHARED_FIGURES)
    return Path(folder) if folder else None


async def _stop_when_told(server: "Server") -> None:
    """Stop in order at the first signal, and at once at the second."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            server.force_exit = server.should_exit
            server.should_exit = True


async def _stop_when_orphaned(server: "Server") -> None:
    """Stop when the process that keeps the workers is gone: nobody else would end this one."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells an orphan
        await anyio.sleep(_LOOK_S)
    server.should_exit = True


def _url(listener: "socket") -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _announce(terminal: Terminal, args: Namespace, listener: "socket", key: str | None) -> None:
    url = _url(listener)
    terminal.line(f"Cerver serves at {url}")
    if args.local_compute:
        terminal.line("Code of whoever has a key runs on this machine (--local-compute).")
    else:
        terminal.line("No code runs on this machine; --local-compute would let it.")
    if args.host not in _HERE:
        terminal.line("Others can reach this address: put TLS before it (docs/hosting.md).")
    if key is not None:
        terminal.line("\nThe first key, an admin's, is shown this once:\n")
        terminal.line(f"  export CERVER_GATEWAY_URL={url} CERVER_API_TOKEN={key}\n")
    terminal.line("Ctrl-C ends it in order.")
    terminal.flush()


COMMANDS: Commands = {"serve": Command(_arguments, _run)}
