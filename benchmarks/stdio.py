"""An MCP server on a raw pipe, timed from the start of its process, and the hello worlds to compare with."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["CERVER", "Server", "node_hello", "python_hello", "scratch"]

CERVER: Sequence[str] = (str(Path(sys.executable).with_name("cerver-mcp")),)

_PYTHON_HELLO = '''
from mcp.server.mcpserver import MCPServer

mcp = MCPServer("hello", version="0.1.0", log_level="WARNING")


@mcp.tool()
def hello(name: str) -> str:
    """Say hello."""
    return "hello " + name


mcp.run()
'''

_NODE_HELLO = """
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
const server = new McpServer({ name: "hello", version: "0.1.0" });
server.registerTool("hello", { description: "Say hello.", inputSchema: { name: z.string() } }, async ({ name }) => ({
  content: [{ type: "text", text: "hello " + name }],
}));
await server.connect(new StdioServerTransport());
"""

_NODE_PACKAGES = ("@modelcontextprotocol/sdk@1", "zod@3")
_HELLO: Mapping[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "0"},
}


class Server:
    """One running server; `asked_at_s` counts from before its process was started."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        env = {"PATH": os.environ["PATH"], "HOME": str(home)}
        self._started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
        )

    def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its reply."""
        assert self.process.stdout
        self._send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        result: dict[str, Any] = reply["result"]
        assert not result.get("isError"), result
        return result

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def shake_hands(self) -> float:
        """Do the handshake and list the tools, as every client does; give the milliseconds since the start."""
        self.ask("initialize", _HELLO)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.ask("tools/list", {})
        return self.elapsed_ms()

    def elapsed_ms(self) -> float:
        """Tell the milliseconds since the process was started."""
        return (time.perf_counter() - self._started) * 1000

    def leave(self) -> None:
        """Close the pipe and wait for the process to end."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def scratch() -> Generator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cerver-benchmark-") as folder:
        yield Path(folder)


def python_hello(folder: Path) -> Sequence[str]:
    """Write the official Python SDK's hello world; give its command."""
    script = folder / "hello.py"
    script.write_text(_PYTHON_HELLO, encoding="utf-8")
    return (sys.executable, str(script))


def node_hello() -> Sequence[str] | str:
    """Install the official Node SDK beside its hello world, once; give its command, or why there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "not measured: node and npm are not on PATH"
    folder = Path(tempfile.gettempdir()) / "cerver-benchmark-node"
    folder.mkdir(exist_ok=True)
    script = folder / "hello.mjs"
    if not (folder / "node_modules" / "@modelcontextprotocol" / "sdk").is_dir():
        install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *_NODE_PACKAGES]
        done = subprocess.run(install, capture_output=True, check=False, timeout=300)
        if done.returncode:
            return "not measured: npm cannot install @modelcontextprotocol/sdk here"
    script.write_text(_NODE_HELLO, encoding="utf-8")
    return (node, str(script))
