"""Where the parts of a sandbox lie on this machine, and what they are called inside; nothing here touches a file.

HOME/workspaces/<sandbox>/       0700, the host's own
    cwd                          where the session stands
    box/                         all that the sandbox may write
        work/                    the workspace: the user's files
        home/ tmp/               HOME and TMPDIR inside
        packages/                what pip installed
        node_modules/ …          what npm installed: Node looks for it upwards from the workspace
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cerver_core.errors import InvalidInput
from cerver_core.wire.computes import IsolationLevel

__all__ = ["INSIDE_BOX", "Box", "Layout"]

INSIDE_BOX = "/session"
"""Where the box lies inside a sandbox with mounts of its own."""


@dataclass(frozen=True, slots=True)
class Box:
    """The paths of a box, as seen from one side."""

    root: str

    @property
    def work(self) -> str:
        """The workspace."""
        return f"{self.root}/work"

    @property
    def home(self) -> str:
        """HOME of the commands."""
        return f"{self.root}/home"

    @property
    def tmp(self) -> str:
        """The folder for temporary files."""
        return f"{self.root}/tmp"  # noqa: S108 - a folder of our own

    @property
    def packages(self) -> str:
        """Where pip installs."""
        return f"{self.root}/packages"

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that must be there."""
        return (self.work, self.home, self.tmp, self.packages)


@dataclass(frozen=True, slots=True)
class Layout:
    """One sandbox on this machine."""

    folder: Path

    @classmethod
    def of(cls, home: Path, sandbox_id: str) -> "Layout":
        """Place a sandbox under Cerver's home.

        Raises:
            InvalidInput: the id is not usable as the name of a folder.
        """
        if not _ID.fullmatch(sandbox_id):
            raise InvalidInput(f"{sandbox_id!r} is not the id of a local sandbox: letters, digits, '.', '_' and '-'")
        return cls(home / "workspaces" / sandbox_id)

    @property
    def outside(self) -> Box:
        """The box as this process sees it."""
        return Box(str(self.folder / "box"))

    def inside(self, level: IsolationLevel) -> Box:
        """The box as commands at this level see it."""
        return Box(INSIDE_BOX) if level == "sandbox" else self.outside

    @property
    def cwd_file(self) -> Path:
        """Where the session's current folder is kept, out of the commands' reach."""
        return self.folder / "cwd"


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
