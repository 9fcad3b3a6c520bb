"""Drive the MCP server as an agent does, with the official client over stdio."""

import os
import sys
from pathlib import Path

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import TextContent


async def main() -> None:
    """List the tools, run code, and list the sessions."""
    command = Path(sys.executable).with_name("cerver-mcp")
    server = StdioServerParameters(command=str(command), env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as client:
        await client.initialize()
        tools = await client.list_tools()
        print(f"{len(tools.tools)} tools")
        result = await client.call_tool("cerver_run", {"code": "echo hello from a tool"})
        print(result.structured_content["stdout"] if result.structured_content else result, end="")
        listed = await client.call_tool("cerver_session_list", {"limit": 1})
        print("listed" if not listed.is_error and isinstance(listed.content[0], TextContent) else listed)


if __name__ == "__main__":
    anyio.run(main)
