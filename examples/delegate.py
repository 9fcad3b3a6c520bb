"""Hand a part of the work to a child session and read what it did from its transcript."""

import anyio

from cerver_core.connect import connect
from cerver_core.wire.computes import ExecRequest
from cerver_core.wire.sessions import CreateSession, ListSessions, SpawnSession
from cerver_core.wire.transcripts import ReadTranscript


async def main() -> None:
    """Spawn a child, let it work, find it through its parent."""
    async with connect() as cerver:
        parent = await cerver.sessions.create(CreateSession(session_name="parent"))
        child = await cerver.sessions.spawn(
            parent.session_id, SpawnSession(task="Count to three", session_name="counter")
        )
        await cerver.computes.exec(child.session_id, ExecRequest(code="seq 3"))
        children = await cerver.sessions.list(ListSessions(parent=parent.session_id))
        for record in children.sessions:
            print(f"{record.session_name}: {record.task}")
            page = await cerver.transcripts.read(record.session_id, ReadTranscript(tail=5))
            print("\n".join(f"  {entry.seq} {entry.role} {entry.kind}" for entry in page.entries))


if __name__ == "__main__":
    anyio.run(main)
