"""Shows an agent that begins the last sessions in its folder, in the form its hooks expect."""

import json
import sys

import anyio

from cerver_core.clock import SystemClock
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.errors import CerverError
from cerver_core.remembering.digest import digest

__all__ = ["show_digest"]


def show_digest(folder: str, session: str) -> None:
    """Print the digest of a folder for the session that begins there; nothing when there is none."""
    settings = Settings.from_environ()
    try:
        text = anyio.run(_digest, settings, folder, session)
    except CerverError as error:
        sys.stderr.write(f"cerver: no digest: {error.code}\n")
        return
    if text is not None:
        answer = {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


async def _digest(settings: Settings, folder: str, session: str) -> str | None:
    async with connect(settings) as cerver:
        return await digest(cerver, folder, now=SystemClock().now(), leave_out=session)
