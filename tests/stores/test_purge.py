import fcntl
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from cerver_core.errors import StoreUnavailable
from cerver_core.stores.base import EntryDraft, EntryRewrite, ReadWindow, StoredSession
from cerver_core.stores.sqlite import SqliteStore

_SECRET = "zq7kx9ww4plm2vbn"
_WRITER = """
import sys, anyio
from pathlib import Path
from cerver_core.stores.base import EntryRewrite
from cerver_core.stores.sqlite import SqliteStore
async def main():
    async with SqliteStore(Path(sys.argv[1])) as store:
        rows = store.account("me").transcripts
        for seq in range(1, 400):
            await rows.rewrite("s0", [EntryRewrite(seq, '{"content":"gone"}')])
            print(seq, flush=True)
anyio.run(main)
"""


def _files(path: Path) -> bytes:
    return b"".join(one.read_bytes().lower() for one in path.parent.iterdir())


def _replace_until_killed(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "60\n":
            assert process.poll() is None
        process.kill()


async def _fill(path: Path, entries: int) -> None:
    async with SqliteStore(path) as store:
        account = store.account("me")
        for session in ("s0", "s1"):
            await account.sessions.create(StoredSession(id=session, state="ready", created_at_us=1, updated_at_us=1))
        for number in range(entries):  # in turns, so that pages split
            body = f'{{"content":"{number} {_SECRET} {"y" * (number * 37 % 900)}"}}'
            await account.transcripts.append("s0", [EntryDraft(body)])
            await account.transcripts.append("s1", [EntryDraft('{"content":"other"}')])
        whole = f'{{"content":"{_SECRET}{"z" * 9_000}"}}'
        await account.transcripts.append("s0", [EntryDraft(whole, view=f'{{"content":"{_SECRET}"}}')])


async def _mend(path: Path, entries: int) -> None:
    async with SqliteStore(path) as store:
        rows = store.account("me").transcripts
        await rows.rewrite("s0", [EntryRewrite(seq, '{"content":"gone"}') for seq in range(1, entries + 2)])
        await rows.purge()
        assert _SECRET.encode() not in _files(path)
        page = await rows.read("s0", ReadWindow(from_seq=1, limit=1_000, whole=True))
        assert {entry.json.partition(",")[2] for entry in page.entries} == {'"content":"gone"}'}
        assert page.last_seq == entries + 1


async def test_after_a_purge_no_file_holds_what_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cerver.db"
    await _fill(path, 150)
    assert _SECRET.encode() in _files(path)
    await _mend(path, 150)
    assert _SECRET.encode() not in _files(path)


async def test_a_process_that_is_killed_while_it_replaces_leaves_whole_entries_and_a_second_run_ends_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cerver.db"
    await _fill(path, 400)
    _replace_until_killed(path)
    async with SqliteStore(path) as store:
        page = await store.account("me").transcripts.read("s0", ReadWindow(from_seq=1, limit=1_000))
        gone = [entry.seq for entry in page.entries if entry.json.endswith(',"content":"gone"}')]
        assert gone[:60] == list(range(1, 61))
        assert len(page.entries) == 401
        assert all(_SECRET in entry.json for entry in page.entries if entry.seq not in gone)
    await _mend(path, 400)


async def test_a_purge_may_take_longer_than_any_other_call(tmp_path: Path) -> None:
    path = tmp_path / "cerver.db"
    async with SqliteStore(path, answer_limit_s=0.2) as store:
        account = store.account("me")
        await account.sessions.create(StoredSession(id="s0", state="ready", created_at_us=1, updated_at_us=1))
        with (tmp_path / "cerver.db.lock").open("r+") as other:
            fcntl.flock(other, fcntl.LOCK_EX)  # a process that writes for a while
            with anyio.fail_after(30):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(account.transcripts.purge)
                    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.2 s"):
                        await account.transcripts.append("s0", [EntryDraft('{"content":"x"}')])
                    fcntl.flock(other, fcntl.LOCK_UN)
