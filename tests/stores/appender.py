"""A process that appends to one session for the tests: prints each acknowledgement, once it has it, as a line.

Arguments: the database, the session, a name for this process, how many tasks append, how many entries each appends.
"""

import os
import sys
from pathlib import Path

import anyio

from cerver_core.stores.base import AccountStore, EntryDraft
from cerver_core.stores.sqlite import SqliteStore


async def main() -> None:
    path, session_id, name, tasks, count = sys.argv[1:]
    async with SqliteStore(Path(path)) as store:
        account = store.account("acme")
        async with anyio.create_task_group() as group:
            for task in range(int(tasks)):
                group.start_soon(_append, account, session_id, f"{name}.{task}", int(count))


async def _append(account: AccountStore, session_id: str, name: str, count: int) -> None:
    for number in range(count):
        text = f"{name}.{number}"
        entry = EntryDraft(f'{{"content":"{text}"}}', text, b"same")
        appended = await account.transcripts.append(session_id, [entry])
        os.write(1, f"{appended.seqs[0]} {text}\n".encode())


if __name__ == "__main__":
    anyio.run(main)
