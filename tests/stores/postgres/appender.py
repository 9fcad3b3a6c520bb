"""A replica that appends to one session for the tests: prints each acknowledgement, once it has it, as a line.

Arguments: the database's URL, the session, a name for this process, how many tasks append. It goes on until its
standard input ends, whatever happens to the server; what was not acknowledged is not said again.
"""

import os
import sys

import anyio
import anyio.to_thread

from cerver_core.errors import DeadlineExceeded, StoreUnavailable
from cerver_core.stores.base import AccountStore, EntryDraft
from cerver_core.stores.postgres import PostgresStore


async def main() -> None:
    url, session_id, name, tasks = sys.argv[1:]
    async with PostgresStore(url) as store:
        account = store.account("acme")
        async with anyio.create_task_group() as group:
            for task in range(int(tasks)):
                group.start_soon(_append, account, session_id, f"{name}.{task}", task % 2 == 0)
            await anyio.to_thread.run_sync(sys.stdin.read)
            group.cancel_scope.cancel()


async def _append(account: AccountStore, session_id: str, name: str, has_ids: bool) -> None:
    number = 0
    while True:
        text = f"{name}.{number}"
        number += 1
        entry = EntryDraft(f'{{"content":"{text}"}}', text if has_ids else None, b"same" if has_ids else None)
        try:
            appended = await account.transcripts.append(session_id, [entry])
        except (StoreUnavailable, DeadlineExceeded):
            await anyio.sleep(0.01)
            continue
        os.write(1, f"{appended.seqs[0]} {text}\n".encode())


if __name__ == "__main__":
    anyio.run(main)
