"""`LocalProvider`: the contract of providers, done on this machine by the modules beside it.

Every command runs under a resident agent, one for each sandbox and process. It is started by the first command and
ended when the sandbox is paused or destroyed, by whichever process, or when this process leaves or dies.
"""

import os
import platform
import shutil
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio.to_thread

from cerver_core import ids
from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.base import Command, CommandStream, SandboxRef, SandboxRequest
from cerver_core.providers.checks import check_command
from cerver_core.providers.local import files, folders, packages, requests
from cerver_core.providers.local.agents import Agent, AgentPlan, start_agent
from cerver_core.providers.local.execution import Execution, Start
from cerver_core.providers.local.layout import Layout
from cerver_core.providers.local.levels import LEVELS, Levels
from cerver_core.providers.local.registry import Registry
from cerver_core.providers.local.runtimes import Runtimes, find_runtimes
from cerver_core.providers.local.sandboxes import Sandbox, make_folders, plan_agent, remove_folder
from cerver_core.wire.computes import (
    Compute,
    Control,
    FileList,
    FolderReport,
    InstallRequest,
    Isolation,
    IsolationLevel,
)

__all__ = ["LocalProvider"]

T = TypeVar("T")


class LocalProvider:
    """This machine, as a compute. Satisfies `Provider` and `Pausable`."""

    def __init__(
        self, home: Path, *, isolation: IsolationLevel | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        """Keep workspaces under `home`. `isolation` is the level to use where the requirements ask for none.

        `environ` is where runtimes and language are looked up; null means this process's own environment.
        """
        self._home = home
        self._isolation: IsolationLevel | None = isolation
        self._environ = dict(os.environ if environ is None else environ)
        self._levels = Levels(home, self._environ)
        self._registry = Registry(home)
        self._agents: dict[str, tuple[Agent, AgentPlan]] = {}
        self._runtimes: Runtimes | None = None
        self._isolations: dict[tuple[IsolationLevel, bool, bool, bool], Isolation] = {}

    @property
    def name(self) -> str:
        """The provider's name on the wire."""
        return "local"

    @property
    def compute_id(self) -> str:
        """The id of this machine, for this home."""
        return ids.compute_id(self.name, f"{platform.node()}\0{self._home}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for sandbox_id in list(self._agents):
            self._end_own(sandbox_id)

    async def describe(self) -> Compute:
        """Say what this machine can do, and how well it isolates by default."""
        runtimes = await self._found_runtimes()
        findings = {level: await self._levels.finding(level, network=True) for level in LEVELS}
        unavailable = {level: finding.unavailable for level, finding in findings.items() if finding.unavailable}
        level: IsolationLevel = next(level for level in self._preferred() if level not in unavailable)
        return Compute(
            compute_id=self.compute_id,
            label=f"this machine ({socket.gethostname()})",
            provider=self.name,
            capabilities={
                "streaming": True,
                "persistence": True,
                "pause": True,
                "package_install": runtimes.npm is not None
                or (runtimes.python is not None and runtimes.python.pip != ()),
                "dev_servers": True,
                "git": shutil.which("git", path=self._environ.get("PATH", os.defpath)) is not None,
                "local_computer": True,
                "public_preview": False,
                "browser": False,
                "desktop": False,
                "worktrees": False,
                "cerver_provider": False,
            },
            runtimes=runtimes.reports(),
            isolation=Isolation(level=level, controls=findings[level].controls),
            unavailable_levels=unavailable,
        )

    async def create(self, request: SandboxRequest) -> SandboxRef:
        """Make the folders of a sandbox; nothing is started yet."""
        needs = request.requirements
        (await self._found_runtimes()).program(needs.runtime)
        level, is_weaker = await self._levels.choose(needs, self._isolation)
        sandbox_id, layout = self._free_place(request.session_id)
        try:
            await self._in_thread(make_folders, layout)
        except OSError as error:
            raise ProviderUnavailable(f"no workspace can be made under {self._home}: {error.strerror}") from error
        return SandboxRef(
            provider=self.name,
            sandbox_id=sandbox_id,
            compute_id=self.compute_id,
            data={
                "level": level,
                "network": needs.network,
                "memory_mb": needs.memory_mb,
                "weaker_than_asked": is_weaker,
                "path": layout.outside.work,
            },
        )

    async def isolation(self, ref: SandboxRef) -> Isolation | None:
        """Say which isolation holds for this sandbox, by what was found on this machine."""
        sandbox = Sandbox.of(self._home, ref)
        kind = (sandbox.level, sandbox.network, sandbox.memory_mb is None, sandbox.weaker_than_asked)
        if kind not in self._isolations:
            self._isolations[kind] = await self._isolation_of(sandbox)
        return self._isolations[kind]

    async def _isolation_of(self, sandbox: Sandbox) -> Isolation:
        finding = await self._levels.finding(sandbox.level, network=sandbox.network)
        controls = dict(finding.controls)
        if sandbox.memory_mb is None:
            controls["memory"] = Control(state="not_enforced", why="no memory_mb was asked for")
        return Isolation(level=sandbox.level, controls=controls, weaker_than_asked=sandbox.weaker_than_asked)

    def exec(self, ref: SandboxRef, command: Command) -> CommandStream:
        """Run a command; it may take SIGTERM and half a second of grace at its deadline, none when it is cancelled."""
        return Execution(partial(self._prepare, ref, command))

    def install(self, ref: SandboxRef, request: InstallRequest, *, timeout_s: float) -> CommandStream:
        """Install with pip or npm, under an agent of its own that also sees the host's indexes and certificates."""
        return Execution(partial(self._prepare_install, ref, request, timeout_s))

    async def write_file(self, ref: SandboxRef, path: str, content: bytes) -> None:
        """Write one file whole."""
        await self._in_thread(files.write_file, self._work(ref), path, content)

    async def read_file(self, ref: SandboxRef, path: str, *, max_bytes: int) -> bytes:
        """Read one file."""
        return await self._in_thread(partial(files.read_file, max_bytes=max_bytes), self._work(ref), path)

    async def list_files(self, ref: SandboxRef, path: str, *, recursive: bool) -> FileList:
        """List a folder."""
        return await self._in_thread(partial(files.list_folder, recursive=recursive), self._work(ref), path)

    async def upload(self, ref: SandboxRef, source: Path, path: str) -> FolderReport:
        """Copy a folder into the workspace."""
        return await self._in_thread(folders.upload, self._work(ref), source, path)

    async def download(self, ref: SandboxRef, path: str, target: Path) -> FolderReport:
        """Copy a folder out of the workspace."""
        return await self._in_thread(folders.download, self._work(ref), path, target)

    async def pause(self, ref: SandboxRef) -> None:
        """End every process of the sandbox, whichever process of this user started it; keep the workspace."""
        self._end_own(ref.sandbox_id)
        if not await self._in_thread(self._registry.end_all, ref.sandbox_id):
            raise ProviderUnavailable(f"a process of sandbox {ref.sandbox_id} could not be ended; try again")

    async def resume(self, ref: SandboxRef) -> None:
        """Check that the workspace is there; the agent comes with the next command."""
        Sandbox.of(self._home, ref).check()

    async def destroy(self, ref: SandboxRef) -> None:
        """End every process of the sandbox and remove its folder."""
        layout = Layout.of(self._home, ref.sandbox_id)
        await self.pause(ref)
        try:
            await self._in_thread(remove_folder, layout.folder)
        except OSError as error:
            raise ProviderUnavailable(f"{layout.folder} could not be removed: {error.strerror}") from error

    async def _prepare(self, ref: SandboxRef, command: Command) -> Start:
        check_command(command)
        sandbox = Sandbox.of(self._home, ref)
        sandbox.check()
        runtimes = await self._found_runtimes()
        runtimes.program(command.runtime)
        cwd = requests.standing(sandbox, command)
        agent, plan = await self._agent(sandbox, runtimes)
        return Start(
            agent=agent,
            request=requests.make_request(sandbox, command, plan.env, cwd),
            timeout_s=command.timeout_s,
            on_cwd=partial(requests.keep_standing, sandbox.layout.cwd_file),
            is_warm=requests.wants_warm(command),
        )

    async def _prepare_install(self, ref: SandboxRef, request: InstallRequest, timeout_s: float) -> Start:
        sandbox = Sandbox.of(self._home, ref)
        sandbox.check()
        runtimes = await self._found_runtimes()
        inside = sandbox.layout.inside(sandbox.level)
        argv = packages.install_command(request, inside, runtimes)
        agent, plan = await self._start(sandbox, runtimes, also_seen=packages.named_paths(self._environ))
        command = Command("", "shell", timeout_s, packages.install_environment(self._environ))
        asked = requests.make_request(sandbox, command, plan.env, inside.work)
        asked |= {"runtime": "argv", "argv": argv, "memory_bytes": None}
        return Start(agent, asked, timeout_s, on_end=partial(self._end, sandbox.sandbox_id, agent))

    async def _agent(self, sandbox: Sandbox, runtimes: Runtimes) -> tuple[Agent, AgentPlan]:
        known = self._agents.get(sandbox.sandbox_id)
        if known is None or not known[0].is_alive:
            self._end_own(sandbox.sandbox_id)
            bubblewrap = await self._levels.bubblewrap(sandbox.level, network=sandbox.network)
            known = self._agents.get(sandbox.sandbox_id)
            if known is None:
                plan = plan_agent(sandbox, self._environ, runtimes, bubblewrap)
                known = start_agent(plan), plan
                self._agents[sandbox.sandbox_id] = known
                self._registry.add(sandbox.sandbox_id, known[0].pid)
        await known[0].wait_ready()
        return known

    async def _start(
        self, sandbox: Sandbox, runtimes: Runtimes, *, also_seen: tuple[str, ...]
    ) -> tuple[Agent, AgentPlan]:
        bubblewrap = await self._levels.bubblewrap(sandbox.level, network=sandbox.network)
        plan = plan_agent(sandbox, self._environ, runtimes, bubblewrap, also_seen=also_seen)
        agent = start_agent(plan)
        try:
            self._registry.add(sandbox.sandbox_id, agent.pid)
            await agent.wait_ready()
        except BaseException:
            self._end(sandbox.sandbox_id, agent)
            raise
        return agent, plan

    def _end_own(self, sandbox_id: str) -> None:
        known = self._agents.pop(sandbox_id, None)
        if known is not None:
            self._end(sandbox_id, known[0])

    def _end(self, sandbox_id: str, agent: Agent) -> None:
        agent.kill()
        self._registry.remove(sandbox_id, agent.pid)

    async def _found_runtimes(self) -> Runtimes:
        if self._runtimes is None:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._runtimes = await self._in_thread(find_runtimes, self._environ, self._home / "runtimes.json")
        return self._runtimes

    def _preferred(self) -> tuple[IsolationLevel, ...]:
        if self._isolation is None:
            return LEVELS
        return (*LEVELS[LEVELS.index(self._isolation) :], "process")

    def _free_place(self, session_id: str) -> tuple[str, Layout]:
        """Find a place that no earlier sandbox of the session has."""
        names = (session_id if number == 1 else f"{session_id}-{number}" for number in range(1, 1000))
        for name in names:
            layout = Layout.of(self._home, name)
            if not layout.folder.exists():
                return name, layout
        raise ProviderUnavailable(f"session {session_id} has too many workspaces on this machine; remove some")

    def _work(self, ref: SandboxRef) -> str:
        sandbox = Sandbox.of(self._home, ref)
        sandbox.check()
        return sandbox.layout.outside.work

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await anyio.to_thread.run_sync(partial(work, *arguments))
