"""Walk a path inside the workspace without ever leaving it; opening what lies at its end is for `files`.

Every step is taken from an open folder, by name, without following links; links are read and walked in the same way.
So neither a symlink nor a race with a running command leads out.
"""

import errno
import os
from collections import deque
from types import TracebackType
from typing import Self

from cerver_core.errors import FileMissing, InvalidInput, PathEscapesWorkspace
from cerver_core.providers.checks import checked_path

__all__ = ["FOLDER_FLAGS", "Place", "walk"]

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40


class Place:
    """A name in an open folder of the workspace; `name` is empty for the workspace itself. Close it after use."""

    def __init__(self, folder: int, name: str, path: str) -> None:
        self.folder = folder
        self.name = name
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.folder)

    def open_folder(self) -> int:
        """Open what is here as a folder.

        Raises:
            FileMissing: nothing is here.
            InvalidInput: something else than a folder is here.
        """
        try:
            return os.open(self.name or ".", FOLDER_FLAGS, dir_fd=self.folder)
        except FileNotFoundError as error:
            raise FileMissing(f"{self.path!r} does not exist in the workspace") from error
        except (NotADirectoryError, OSError) as error:
            raise InvalidInput(f"{self.path!r} is not a folder that can be read") from error

    def kind(self) -> int | None:
        """Tell the mode of what is here; null for nothing."""
        try:
            return os.stat(self.name or ".", dir_fd=self.folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None


def walk(root: str, path: str, *, make: bool = False) -> Place:
    """Follow a relative path from the workspace's root to its last name, links included.

    With `make` the folders on the way are made. What the last name stands for may be missing; it is never a link.

    Raises:
        PathEscapesWorkspace: it is absolute, or leads out by `..` or by a link.
        FileMissing: a folder on the way is missing.
        InvalidInput: it holds a NUL byte, is too long, goes through a file, or links run in circles.
    """
    return _Walk(root, checked_path(path), make=make).run()


class _Walk:
    def __init__(self, root: str, path: str, *, make: bool) -> None:
        self._path = path
        self._make = make
        self._names = deque(_split(path))
        self._links = 0
        try:
            self._open = [os.open(root, FOLDER_FLAGS)]
        except FileNotFoundError as error:
            raise FileMissing("the workspace itself is gone") from error

    def run(self) -> Place:
        try:
            name = self._follow()
            return Place(self._open[-1], name, self._path)
        except OSError as error:
            os.close(self._open[-1])
            raise self._mapped(error) from error
        except BaseException:
            os.close(self._open[-1])
            raise
        finally:
            for folder in self._open[:-1]:
                os.close(folder)

    def _follow(self) -> str:
        while self._names:
            name = self._names.popleft()
            if name == "..":
                self._go_up()
                continue
            target = self._link(name)
            if target is not None:
                self._names.extendleft(reversed(_split(target)))
            elif self._names:
                self._enter(name)
            else:
                return name
        return ""

    def _go_up(self) -> None:
        if len(self._open) == 1:
            raise PathEscapesWorkspace(f"{self._path!r} leaves the workspace")
        os.close(self._open.pop())

    def _link(self, name: str) -> str | None:
        try:
            target = os.readlink(name, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise
        self._links += 1
        if self._links > _MOST_LINKS:
            raise InvalidInput(f"{self._path!r} goes through more than {_MOST_LINKS} links")
        if target.startswith("/"):
            raise PathEscapesWorkspace(f"{self._path!r} goes through a link to {target!r}, out of the workspace")
        return target

    def _enter(self, name: str) -> None:
        try:
            self._open.append(os.open(name, FOLDER_FLAGS, dir_fd=self._open[-1]))
        except FileNotFoundError:
            if not self._make:
                raise
            os.mkdir(name, 0o755, dir_fd=self._open[-1])
            self._open.append(os.open(name, FOLDER_FLAGS, dir_fd=self._open[-1]))

    def _mapped(self, error: OSError) -> Exception:
        if error.errno == errno.ENOENT:
            return FileMissing(f"{self._path!r} does not exist in the workspace")
        if error.errno == errno.ENOTDIR:
            return InvalidInput(f"{self._path!r} goes through something that is not a folder")
        if error.errno == errno.ENAMETOOLONG:
            return InvalidInput(f"a name in {self._path[:100]!r} is too long for this machine")
        return InvalidInput(f"{self._path!r} cannot be reached: {error.strerror}")


def _split(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]
