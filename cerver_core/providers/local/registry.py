"""Remember which processes serve a sandbox, so that any process of the user can end them; starts none."""

import shutil
from pathlib import Path

from cerver_core.providers.local.inside import tree
from cerver_core.providers.local.private import keep

__all__ = ["Registry"]


class Registry:
    """One small file for each agent: `agents/<sandbox>/<process id>`, holding when that process started."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "agents"

    def add(self, sandbox_id: str, pid: int) -> None:
        """Remember an agent that this process has started."""
        folder = self._folder / sandbox_id
        for level in (self._folder, folder):
            level.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep(folder / str(pid), tree.start_time(pid) or "")

    def remove(self, sandbox_id: str, pid: int) -> None:
        """Forget an agent that has ended."""
        (self._folder / sandbox_id / str(pid)).unlink(missing_ok=True)

    def end_all(self, sandbox_id: str) -> bool:
        """End every process of the sandbox, whoever started it. Blocks, a few seconds at most.

        False when some process could not be ended. A process that merely got the id of an earlier agent is let be.
        """
        folder = self._folder / sandbox_id
        all_ended = True
        for record in folder.glob("*"):
            pid = int(record.name) if record.name.isdigit() else 0
            started = record.read_text() if pid else ""
            if started and tree.start_time(pid) == started:
                all_ended = tree.end_tree(pid, with_root=True) and all_ended
            record.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        return all_ended
