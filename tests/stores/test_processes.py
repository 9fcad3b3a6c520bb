"""Several processes on one file, and processes that are killed."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cerver_core.stores.base import AccountStore, ReadWindow
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.stores.sqlite.connection import open_reader
from cerver_core.testing.stores.ground import kept

_APPENDER = Path(__file__).with_name("appender.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cerver.db"


@pytest.fixture
async def account(path: Path) -> AsyncIterator[AccountStore]:
    async with SqliteStore(path) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        yield account


@contextmanager
def _appender(path: Path, name: str, *, tasks: int, count: int) -> Generator["subprocess.Popen[bytes]"]:
    command = [sys.executable, str(_APPENDER), str(path), "5e55", name, str(tasks), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _acknowledged(output: bytes) -> dict[int, str]:
    """Understand whole lines; of a killed process the last one may be cut."""
    lines = output.decode().splitlines(keepends=True)
    return {int(seq): text for seq, text in (line.split() for line in lines if line.endswith("\n"))}


async def _transcript(account: AccountStore) -> dict[int, str]:
    """Read all texts, and see that they are numbered from 1 without gaps."""
    texts: dict[int, str] = {}
    while True:
        page = await account.transcripts.read("5e55", ReadWindow(from_seq=len(texts) + 1, limit=5_000))
        for entry in page.entries:
            assert entry.seq == len(texts) + 1
            texts[entry.seq] = entry.json.split('"content":"')[1].removesuffix('"}')
        if len(texts) == page.last_seq:
            return texts


async def test_eight_processes_on_one_session_leave_no_gap_and_lose_nothing(path: Path, account: AccountStore) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(_appender(path, f"p{number}", tasks=4, count=25)) for number in range(8)]
        outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    acknowledged = [_acknowledged(output) for output in outputs]
    assert [len(lines) for lines in acknowledged] == [100] * 8
    texts = await _transcript(account)
    assert texts == {seq: text for lines in acknowledged for seq, text in lines.items()}
    assert len(set(texts.values())) == 800


async def test_what_was_acknowledged_survives_kill_9_at_any_point(path: Path, account: AccountStore) -> None:
    chance = random.Random(20_261_122)
    acknowledged: dict[int, str] = {}
    texts: dict[int, str] = {}
    for round_number in range(6):
        with (
            _appender(path, f"r{round_number}a", tasks=4, count=100_000) as first,
            _appender(path, f"r{round_number}b", tasks=1, count=100_000) as second,
        ):
            for victim in (first, second):
                acknowledged |= _read_and_kill(victim, lines=chance.randrange(1, 60))
        texts = await _transcript(account)
        assert {seq: texts.get(seq) for seq in acknowledged} == acknowledged
    assert len(set(texts.values())) == len(texts)
    assert open_reader(path).execute("PRAGMA integrity_check").get == "ok"


def _read_and_kill(process: "subprocess.Popen[bytes]", *, lines: int) -> dict[int, str]:
    """Kill a process when it has acknowledged so many appends; give all that it acknowledged."""
    assert process.stdout is not None
    seen = b"".join(process.stdout.readline() for _ in range(lines))
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = _acknowledged(seen + process.stdout.read())
    assert len(acknowledged) >= lines
    assert process.wait(timeout=10) == -signal.SIGKILL
    return acknowledged


async def test_the_death_of_every_process_loses_nothing(path: Path) -> None:
    async with SqliteStore(path) as store:
        await store.account("acme").sessions.create(kept("5e55"))
    for name in ("first", "second"):
        with _appender(path, name, tasks=2, count=100_000) as process:
            acknowledged = _read_and_kill(process, lines=30)
        async with SqliteStore(path) as store:
            texts = await _transcript(store.account("acme"))
        assert {seq: texts.get(seq) for seq in acknowledged} == acknowledged


_MAKER = """
import sys, anyio
from pathlib import Path
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import kept

async def main():
    async with SqliteStore(Path(sys.argv[1])) as store:
        await store.account("acme").sessions.create(kept(sys.argv[2]))

anyio.run(main)
"""


def _make_at_once(path: Path, names: list[str]) -> list[int]:
    commands = [[sys.executable, "-c", _MAKER, str(path), name] for name in names]
    processes = [subprocess.Popen(command) for command in commands]
    return [process.wait(timeout=60) for process in processes]


async def test_many_processes_may_make_the_file_at_once(path: Path) -> None:
    names = ["id-1", "id-2", "id-3", "id-4"]
    assert _make_at_once(path, names) == [0] * 4
    async with SqliteStore(path) as store:
        assert [(await store.account("acme").sessions.get(name)).id for name in names] == names
