"""Another process of the user: serves the sandbox it is told to, says so, and stays until it is killed."""

import asyncio
import json
import os
import sys
from pathlib import Path

from cerver_core.providers.base import Command, Output, SandboxRef
from cerver_core.providers.local import LocalProvider

HOLD = """
import fcntl, os, signal, subprocess, sys, time
lock = os.open('lock', os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
sleep = ['sleep', '300']
deaf = [sys.executable, '-c', 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)']
subprocess.Popen(sleep, pass_fds=[lock])
subprocess.Popen(deaf, pass_fds=[lock], start_new_session=True)
subprocess.Popen(['nohup', 'setsid', *sleep], pass_fds=[lock])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(300)
    os._exit(0)
print('ready', flush=True)
time.sleep(300)
"""
"""A tree of six processes that share a lock: whoever can take it knows that all have ended."""


async def main() -> None:
    home, level, stored = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    assert level in ("process", "confined", "sandbox")
    async with (
        LocalProvider(home, isolation=level) as provider,
        provider.exec(SandboxRef(**stored), Command(HOLD, "python", 300)) as events,
    ):
        async for event in events:
            if isinstance(event, Output):
                os.write(1, event.data)


if __name__ == "__main__":
    asyncio.run(main())
