"""Keep the sessions of Claude's agent SDK in Cerver, where every other agent can recall them, and give them back."""

import anyio

from cerver_core.connect import connect
from cerver_core.remembering.claude_agent_sdk import ClaudeAgentSessions
from cerver_core.wire.search import SearchTranscripts


async def main() -> None:
    """Do by hand what `query(options=ClaudeAgentOptions(session_store=store))` does, and find it again."""
    async with connect() as cerver:
        store = ClaudeAgentSessions(cerver)
        key = {"project_key": "-srv-api", "session_id": "4a1e7d1c-7d14-4b8b-9d2e-1f2f3a4b5c6d"}
        line = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "Use pgbouncer from now on."}}
        await store.append(key, [line])
        await store.append(key, [line])  # the same uuid: nothing is added
        print(f"the same line back: {await store.load(key) == [line]}")
        page = await cerver.transcripts.search(SearchTranscripts(query="pgbouncer"))
        print(page.sessions[0].snippets[0].text)


if __name__ == "__main__":
    anyio.run(main)
