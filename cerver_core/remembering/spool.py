"""The spool: where hooks leave notes, and from where one drainer at a time takes them; knows nothing of what they say.

An agent waits while a hook runs, so this loads next to nothing: no json, no pathlib, no typing.
"""

# pathlib alone takes longer to load than all of this.
# ruff: noqa: PTH103, PTH104, PTH108, PTH109, PTH111, PTH112, PTH116, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import fcntl
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Spool"]

_NOTE = ".note"
_TAKEN = ".taken"
_LOCK = "drainer.lock"
_LOG = "drainer.log"


class Spool:
    """A folder of notes under CERVER_HOME, one for each place that Cerver keeps sessions at.

    A note has a name; a newer one by the same name takes its place. What was taken stays on disk until it is done
    with, so that the death of whoever took it loses nothing.
    """

    __slots__ = ("folder", "home")

    def __init__(self, environ: Mapping[str, str]) -> None:
        home = environ.get("CERVER_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cerver")
        home = os.path.expanduser(home)
        self.home = home if home.startswith("/") else os.path.join(os.getcwd(), home)
        self.folder = os.path.join(self.home, "spool", _road(environ))

    def put(self, name: str, note: bytes) -> None:
        """Leave a note, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        draft = os.path.join(self.folder, f".{name}.{os.getpid()}")
        try:
            handle = _open_new(draft)
        except FileNotFoundError:
            for folder in (self.home, os.path.dirname(self.folder), self.folder):
                os.makedirs(folder, 0o700, exist_ok=True)
            handle = _open_new(draft)
        try:
            os.write(handle, note)
        finally:
            os.close(handle)
        os.rename(draft, self._path(name, _NOTE))

    def waiting(self) -> Sequence[str]:
        """Name the notes that nobody took yet."""
        return self._named(_NOTE)

    def taken(self) -> Sequence[str]:
        """Name the notes that were taken and are not done with."""
        return self._named(_TAKEN)

    def take(self, name: str) -> bool:
        """Take a note that waits; one that was taken before by this name gives way. False if another was quicker."""
        try:
            os.rename(self._path(name, _NOTE), self._path(name, _TAKEN))
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str) -> bytes:
        """Read a note that was taken; empty when it is gone."""
        try:
            with open(self._path(name, _TAKEN), "rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return b""

    def done(self, name: str) -> None:
        """Forget a note that was taken."""
        try:
            os.unlink(self._path(name, _TAKEN))
        except FileNotFoundError:
            return

    def sweep(self, before_s: float) -> None:
        """Remove what hooks that were killed had begun to write, if they began before that time (seconds, 1970)."""
        for name in os.listdir(self.folder) if os.path.isdir(self.folder) else ():
            draft = os.path.join(self.folder, name)
            try:
                if name.startswith(".") and os.stat(draft).st_mtime < before_s:
                    os.unlink(draft)
            except FileNotFoundError:
                continue

    def lock(self) -> int | None:
        """Become the drainer: give the descriptor that holds the lock, or null when there is one already.

        The lock is its holder's until every copy of the descriptor is closed, also by death.
        """
        handle = _open_lock(os.path.join(self.folder, _LOCK))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def sign(self, lock: int) -> None:
        """Say in the lock file which process drains, for a person who wonders."""
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def start_drainer(self) -> bool:
        """Start a drainer that outlives this process, unless there is one; tells whether it did.

        The drainer is born with the lock, so there is never a second one, and it looks at the notes again after it let
        the lock go, so that no note is left behind by one that is just about to end.
        """
        lock = self.lock()
        if lock is None:
            return False
        try:
            os.set_inheritable(lock, True)
            _spawn(
                [sys.executable, "-P", "-m", "cerver_core.cli", "hook", "drain", "--follow", str(lock)],
                os.path.join(self.folder, _LOG),
            )
        finally:
            os.close(lock)
        return True

    def _path(self, name: str, ending: str) -> str:
        return os.path.join(self.folder, name + ending)

    def _named(self, ending: str) -> Sequence[str]:
        try:
            names = os.listdir(self.folder)
        except OSError:  # none was left in a folder that is not there, or not to be read
            return []
        return sorted(name.removesuffix(ending) for name in names if name.endswith(ending) and name[0] != ".")


def _road(environ: Mapping[str, str]) -> str:
    """Name the place that sessions are kept at, so that no other account gets to drain what belongs to this one."""
    token = environ.get("CERVER_API_TOKEN")
    if not token:
        return "local"
    import hashlib  # noqa: PLC0415 - only for those who work over a gateway

    return hashlib.sha256(f"{environ.get('CERVER_GATEWAY_URL', '')}\0{token}".encode()).hexdigest()[:16]


def _open_new(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _open_lock(path: str) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if handle > 2:
        return handle
    # Where a standard stream was closed, the lock would stand in its place, and give way to it in a new process.
    try:
        return fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(handle)


def _spawn(command: list[str], log: str) -> None:
    """Start a process in a session of its own, with nothing of the hook's streams: the agent waits for their end."""
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    try:
        os.posix_spawn(command[0], command, os.environ, file_actions=streams, setsid=True)
    except NotImplementedError:
        os.posix_spawn(command[0], command, os.environ, file_actions=streams, setpgroup=0)
