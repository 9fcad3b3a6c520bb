"""Endings: by the deadline, by leaving early, by cancellation; none of them leaves a process behind."""

import anyio
import pytest

from cerver_core.providers.base import Command, Provider, SandboxRef
from cerver_core.testing.providers.ground import WAIT_S, ProviderGround, run, start
from cerver_core.wire.computes import Runtime

__all__ = ["TREE", "EndingsContract"]

TREE = """
sleep 300 & echo $! >> pids
(trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 300; done') &
nohup setsid sleep 301 > /dev/null 2>&1 & echo $! >> pids
(setsid sh -c 'sleep 302 & echo $! >> pids' &) &
trap '' TERM
while [ "$(wc -l < pids)" -lt 4 ]; do sleep 0.02; done
echo $$ >> pids
echo ready
while :; do sleep 303; done
"""
"""A tree that does not want to end: plain child, deaf to SIGTERM, detached, orphaned twice over."""

_ALIVE = """
import os
alive = []
for pid in map(int, open('pids')):
    try:
        os.kill(pid, 0)
        with open(f'/proc/{pid}/stat') as file:
            if file.read().rpartition(')')[2].split()[0] not in 'ZX':
                alive.append(pid)
    except (ProcessLookupError, FileNotFoundError):
        pass
print(len(alive))
"""


class EndingsContract(ProviderGround):
    """Commands that are ended."""

    async def test_the_deadline_ends_the_whole_tree(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, TREE, timeout_s=1.5)
        assert ran.stdout == b"ready\n"
        assert (ran.exited.exit_code, ran.exited.timed_out) == (124, True)
        assert await survivors(provider, ref) == "0"

    @pytest.mark.parametrize(
        ("runtime", "code"),
        [("shell", "echo some; sleep 300"), ("python", "import time; print('some', flush=True); time.sleep(300)")],
    )
    async def test_output_before_the_deadline_is_kept(
        self, provider: Provider, ref: SandboxRef, runtime: Runtime, code: str
    ) -> None:
        ran = await run(provider, ref, code, runtime, timeout_s=0.5)
        assert (ran.stdout, ran.exited.exit_code, ran.exited.timed_out) == (b"some\n", 124, True)
        assert ran.exited.duration_ms < 10_000

    async def test_a_command_may_clean_up_at_its_deadline(self, provider: Provider, ref: SandboxRef) -> None:
        ran = await run(provider, ref, "trap 'echo bye; exit 0' TERM; sleep 300 & wait", timeout_s=0.3)
        assert (ran.stdout, ran.exited.exit_code, ran.exited.timed_out) == (b"bye\n", 124, True)

    async def test_a_command_without_an_environment_ends_at_its_deadline(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        ran = await run(provider, ref, "echo up; exec env -i sleep 300", timeout_s=0.5)
        assert (ran.stdout, ran.exited.exit_code, ran.exited.timed_out) == (b"up\n", 124, True)
        assert ran.exited.duration_ms < 8_000

    async def test_a_command_that_ends_its_group_ends_itself_alone(self, provider: Provider, ref: SandboxRef) -> None:
        async with start(provider, ref, "echo $$ > pids; echo up; sleep 300"):
            ran = await run(provider, ref, "echo before; kill 0; sleep 300")
            assert (ran.stdout, ran.exited.exit_code, ran.exited.timed_out) == (b"before\n", 143, False)
            assert await survivors(provider, ref) == "1"

    async def test_leaving_early_ends_the_whole_tree(self, provider: Provider, ref: SandboxRef) -> None:
        async with start(provider, ref, TREE) as first:
            assert first == "ready"
            assert await survivors(provider, ref) == "5"
        assert await survivors(provider, ref) == "0"

    async def test_cancelling_ends_the_whole_tree(self, provider: Provider, ref: SandboxRef) -> None:
        with anyio.move_on_after(WAIT_S) as scope:
            async with provider.exec(ref, Command(TREE, "shell", WAIT_S)) as events:
                async for _ in events:
                    scope.cancel()
        assert scope.cancelled_caught
        assert await survivors(provider, ref) == "0"

    async def test_cancelling_python_ends_what_it_forked(self, provider: Provider, ref: SandboxRef) -> None:
        code = """
import os, subprocess, time
pids = [os.getpid(), subprocess.Popen(['sleep', '300'], start_new_session=True).pid]
if os.fork() == 0:
    os.setsid()
    pids.append(os.getpid())
    open('pids', 'w').write('\\n'.join(map(str, pids)))
    print('ready', flush=True)
time.sleep(300)
"""
        async with start(provider, ref, code, "python") as first:
            assert first == "ready"
            assert await survivors(provider, ref) == "3"
        assert await survivors(provider, ref) == "0"

    async def test_one_ending_leaves_the_other_commands_alone(self, provider: Provider, ref: SandboxRef) -> None:
        async with start(provider, ref, "echo $$ > pids; echo up; sleep 300"):
            async with start(provider, ref, "echo up; sleep 300"):
                pass
            assert (await run(provider, ref, "sleep 300", timeout_s=0.2)).exited.timed_out
            assert await survivors(provider, ref) == "1"

    async def test_what_was_put_in_the_background_lives_on_until_the_pause(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        ran = await run(provider, ref, "sleep 300 > /dev/null 2>&1 & echo $! > pids; echo started")
        assert (ran.text, ran.exited.exit_code, ran.exited.orphan_held_output) == ("started", 0, False)
        assert await survivors(provider, ref) == "1"

    async def test_a_background_process_that_holds_the_output_does_not_hold_the_answer(
        self, provider: Provider, ref: SandboxRef
    ) -> None:
        ran = await run(provider, ref, "sleep 300 & echo started")
        assert (ran.text, ran.exited.exit_code, ran.exited.orphan_held_output) == ("started", 0, True)
        assert ran.exited.duration_ms < 5_000


async def survivors(provider: Provider, ref: SandboxRef) -> str:
    """Count those of the processes listed in `pids` that are alive, from inside the sandbox."""
    return (await run(provider, ref, _ALIVE, "python", cwd=".")).text
