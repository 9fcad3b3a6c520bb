"""What the SQLite store does on a full disk and in a home without the right to write, each in a process of its own."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cerver.db"


_PRELUDE = """
import os, resource, sys
from pathlib import Path
import anyio
from cerver_core.errors import CerverError
from cerver_core.stores.base import EntryDraft
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import kept

path = Path(sys.argv[1])
piece = EntryDraft('{"content":"' + "x" * 60_000 + '"}')

async def fill(account):
    acknowledged = 0
    try:
        for _ in range(1_000):
            acknowledged = (await account.transcripts.append("5e55", [piece])).last_seq
    except CerverError as error:
        print(type(error).__name__, error)
    return acknowledged

async def show(account, acknowledged):
    assert (await account.sessions.get("5e55")).last_seq == acknowledged
    assert (await account.transcripts.append("5e55", [piece])).last_seq == acknowledged + 1
    print("works again")
"""


def _run(script: str, path: Path) -> str:
    program = _PRELUDE + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_room_for_the_file_is_a_clear_error_and_passes(path: Path) -> None:
    output = _run(
        """
        async def main():
            async with SqliteStore(path) as store:
                account = store.account("acme")
                await account.sessions.create(kept("5e55"))
                resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
                acknowledged = await fill(account)
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                await show(account, acknowledged)

        anyio.run(main)
        """,
        path,
    )
    assert (
        output == f"StoreUnavailable the disk that holds {path} is full; free some space and try again\nworks again\n"
    )


def test_a_full_disk_is_a_clear_error_and_passes(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets us mount no small disk: {mounted.stderr.strip()}")
    try:
        path = disk / "home" / "cerver.db"
        output = _run(
            """
            async def main():
                filler = path.parent.parent / "filler"
                filler.write_bytes(bytes(1_000_000))
                async with SqliteStore(path) as store:
                    account = store.account("acme")
                    await account.sessions.create(kept("5e55"))
                    acknowledged = await fill(account)
                    filler.unlink()
                    await show(account, acknowledged)

            anyio.run(main)
            """,
            path,
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert (
        output == f"StoreUnavailable the disk that holds {path} is full; free some space and try again\nworks again\n"
    )


@pytest.mark.parametrize("place", ["folder", "file"])
def test_a_home_without_the_right_to_write_is_a_clear_error(tmp_path: Path, place: str) -> None:
    output = _run(
        f"""
        async def main():
            try:
                async with SqliteStore(path) as store:
                    await store.account("acme").sessions.create(kept("5e55"))
                    print("made")
            except CerverError as error:
                print(type(error).__name__, error)

        for folder in path.parent.parents:
            if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
                folder.chmod(0o755)
        if {place!r} == "file":
            anyio.run(main)
            path.chmod(0o444)
            (path.parent / "cerver.db.lock").chmod(0o666)
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o555)
        if os.geteuid() == 0:  # rights do not bind root
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        anyio.run(main)
        """,
        tmp_path / "home" / "cerver.db",
    )
    last = output.splitlines()[-1]
    assert last.startswith("StoreUnavailable the database")
    assert "cannot be opened for writing; make its folder writable or set CERVER_HOME to another" in last
