"""The machines behind the stand-ins."""

from pathlib import Path

import anyio

from cerver_core.testing.clouds import Machines

WAIT_S = 30.0


async def test_what_is_sent_to_a_process_at_once_reaches_it(home: Path) -> None:
    async with Machines(home) as machines:
        machine = await machines.make()
        for _ in range(10):
            with anyio.fail_after(WAIT_S):
                job = await machine.start(["cat"], stdin=True)
                await job.write(b"sent\n")
                job.close_input()
                assert await job.wait() == 0
                assert b"".join([output.data async for output in job.follow()]) == b"sent\n"
