"""Several replicas on one database: what was acknowledged stays, whoever is killed; followers hear of one another."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.engine import feed
from cerver_core.stores.base import AccountStore, ReadWindow
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.postgres import PostgresServer, postgres_programs
from cerver_core.testing.stores.ground import kept
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry

_APPENDER = Path(__file__).with_name("appender.py")


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Run a server that waits for the disk, and that the test may stop."""
    with PostgresServer(postgres_programs()[0], durable=True) as server:
        yield server


class _Replica:
    """A process that appends; what it acknowledges is read as it comes, so that it never waits for its reader."""

    def __init__(self, url: str, name: str) -> None:
        command = [sys.executable, str(_APPENDER), url, "5e55", name, "8"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lines: list[bytes] = []
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=f"reads {name}")
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self._lines.append(line)
                self._more.notify_all()

    def wait_for(self, more: int) -> None:
        """Wait until it has acknowledged so many more."""
        with self._more:
            enough = len(self._lines) + more
            assert self._more.wait_for(lambda: len(self._lines) >= enough, timeout=60)

    def end(self, *, kill: bool) -> list[tuple[int, str]]:
        """End it and give all that it acknowledged; of a killed process the last line may be cut."""
        assert self.process.stdin is not None
        if kill:
            self.process.kill()
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == (-9 if kill else 0)
        self._thread.join(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        lines = [line.decode().split() for line in self._lines if line.endswith(b"\n")]
        return [(int(seq), text) for seq, text in lines]


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


async def test_what_was_acknowledged_is_there_once_though_replicas_are_killed_and_the_server_restarts(
    own_server: PostgresServer,
) -> None:
    url = own_server.url()
    async with PostgresStore(url) as store:
        await store.account("acme").sessions.create(kept("5e55"))
    chance = random.Random(20_261_122)
    steady = _Replica(url, "steady")
    acknowledged: list[tuple[int, str]] = []
    for number in range(3):
        victim = _Replica(url, f"killed{number}")
        victim.wait_for(chance.randrange(1, 60))
        if number == 1:
            own_server.stop("immediate")
            own_server.start()
            steady.wait_for(20)
        acknowledged += victim.end(kill=True)
        steady.wait_for(20)
    acknowledged += steady.end(kill=False)
    async with PostgresStore(url) as store:
        texts = await _transcript(store.account("acme"))
    assert len(acknowledged) > 100
    assert len(dict(acknowledged)) == len(acknowledged)
    assert {seq: texts.get(seq) for seq, _ in acknowledged} == dict(acknowledged)
    assert len(set(texts.values())) == len(texts)


async def test_a_follower_in_one_replica_sees_at_once_what_another_appends(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LOOK_S", 1_000)
    monkeypatch.setattr(feed, "_LOOK_ANYWAY_S", 1_000)
    environ = {"CERVER_HOME": str(tmp_path), "HOME": str(tmp_path), "CERVER_DATABASE_URL": postgres_url}
    settings = Settings.from_environ(environ)
    seen: list[str] = []
    async with connect(settings) as reader, connect(settings) as writer:
        await _listening(postgres_url, 2)
        session_id = (await writer.sessions.create(CreateSession(compute=None))).session_id
        with anyio.fail_after(30):
            async with reader.transcripts.follow(session_id, since=0) as entries:
                for text in ("one", "two"):
                    entry = NewEntry(role="user", content=text)
                    await writer.transcripts.append(session_id, AppendEntries(entries=(entry,)))
                    seen.append((await anext(entries)).content)
    assert seen == ["one", "two"]


async def _listening(url: str, replicas: int) -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    async with PostgresStore(url) as store:
        owner = await store._database.connect(as_owner=True)
        with anyio.fail_after(20):
            while await owner.fetchval(asked) < replicas + 1:
                await anyio.lowlevel.checkpoint()
        await owner.close()
