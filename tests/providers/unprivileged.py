"""Run by an ordinary user: say which levels there are, and what a command in each of them says of itself."""

import asyncio
import json
import sys
from pathlib import Path

from cerver_core.providers.base import Command, Output, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.providers.local.levels import LEVELS
from cerver_core.wire.computes import Requirements


async def main() -> None:
    said: dict[str, str] = {}
    async with LocalProvider(Path(sys.argv[1])) as provider:
        unavailable = (await provider.describe()).unavailable_levels
        for level in LEVELS:
            if level in unavailable:
                said[level] = f"unavailable: {unavailable[level]}"
                continue
            ref = await provider.create(SandboxRequest(f"by-{level}", Requirements(isolation=level)))
            async with provider.exec(ref, Command("echo $(id -u) > file; cat file", "shell", 30)) as events:
                async for event in events:
                    if isinstance(event, Output):
                        said[level] = said.get(level, "") + event.data.decode()
            await provider.destroy(ref)
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    asyncio.run(main())
