"""The MCP tools and the `cerver` command, moved to a gateway by two variables of the environment."""

import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
from mcp import Client

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.redaction import KnownSecrets
from cerver_mcp.server import build
from tests.gateway.processes import CERVER
from tests.gateway.roads import Running


def environment(running: Running, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CERVER_GATEWAY_URL": running.url,
        "CERVER_API_TOKEN": running.token,
    }


def text_of(result: Any) -> str:
    assert not result.is_error, result
    return "\n".join(part.text for part in result.content)


async def test_the_mcp_tools_work_over_a_gateway(running: Running, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    settings = Settings.from_environ(environment(running, tmp_path))
    known = KnownSecrets()
    async with Client(build(partial(connect, settings, known=known), known)) as client:
        text_of(await client.call_tool("cerver_run", {"code": "echo over the wire"}))
        listed = text_of(await client.call_tool("cerver_session_list", {"limit": 5}))
    (newest,) = (await http.get("/v2/sessions", params={"limit": 1})).json()["sessions"]
    assert newest["sessionId"][:8] in listed
    entries = (await http.get(f"/v2/sessions/{newest['sessionId']}", params={"full": 1})).json()["transcript"]
    assert "over the wire" in entries[-1]["content"]
    assert not (tmp_path / ".cerver").exists()


async def test_the_command_works_over_a_gateway(running: Running, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    def cerver(*arguments: str) -> str:
        done = subprocess.run(
            [CERVER, *arguments],
            env=environment(running, tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def run(*arguments: str) -> str:
        return await anyio.to_thread.run_sync(cerver, *arguments)

    made = await run("create", "--name", "from-the-command-line")
    session_id = (await http.get("/v2/sessions", params={"limit": 1})).json()["sessions"][0]["sessionId"]
    assert session_id in made
    assert await run("run", "--session", "from-the-command-line", "echo $((6 * 7))") == "42\n"
    await run("append", session_id, "remember the milk")
    assert "remember the milk" in await run("show", session_id[:12])
    await run("end", session_id)
    assert (await http.get(f"/v2/sessions/{session_id}")).json()["status"] == "ended"
