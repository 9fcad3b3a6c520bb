"""Hold a transcript without a sandbox: write turns, safely repeated, and read the end of it."""

import anyio

from cerver_core.connect import connect
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript


async def main() -> None:
    """Remember two turns, one of them sent twice."""
    async with connect() as cerver:
        session = await cerver.sessions.create(CreateSession(session_name="chat", session_type="transcript"))
        question = NewEntry(id="turn-1", role="user", content="Which database shall we use?")
        answer = NewEntry(id="turn-2", role="assistant", content="SQLite, one file is enough.")
        await cerver.transcripts.append(session.session_id, AppendEntries(entries=(question,)))
        reply = await cerver.transcripts.append(session.session_id, AppendEntries(entries=(question, answer)))
        print(f"{reply.added} added, {reply.last_seq} in all")
        page = await cerver.transcripts.read(session.session_id, ReadTranscript(tail=10))
        for entry in page.entries:
            print(f"{entry.seq} {entry.role}: {entry.content}")


if __name__ == "__main__":
    anyio.run(main)
