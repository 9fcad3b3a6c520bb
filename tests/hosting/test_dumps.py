"""`cerver admin dump` and `restore`: a gateway goes on from a file as if nothing had happened, also after a kill."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import anyio.to_thread
import pytest

from cerver_core import plugins
from cerver_core.config import Settings
from cerver_core.dumping import dump
from cerver_core.hosting import open_host
from cerver_core.stores.base import EntryDraft
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.ground import kept
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import CreateSession, ListSessions
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript
from cerver_core.wire.vaults import CreateVault
from tests.hosting.roads import Person

Environ = Mapping[str, str]
_ADMIN = (sys.executable, "-m", "cerver_core.cli", "admin")


def _environ(home: Path, **more: str) -> Environ:
    kept_ = {name: value for name, value in os.environ.items() if not name.startswith("CERVER_")}
    return {**kept_, "CERVER_HOME": str(home), **more}


def _run(environ: Environ, *args: str, given: bytes = b"") -> tuple[int, bytes, str]:
    done = subprocess.run([*_ADMIN, *args], env=environ, input=given, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


async def _admin(environ: Environ, *args: str, given: bytes = b"") -> tuple[int, bytes, str]:
    """Run `cerver admin` in a process of its own; gives its exit code and what it said."""
    return await anyio.to_thread.run_sync(partial(_run, environ, *args, given=given))


def _rows(file: bytes) -> list[bytes]:
    return gzip.decompress(file).splitlines()[1:-1]


@pytest.fixture(params=["sqlite", "postgres"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Environ:
    """Give the environment of an empty store of either kind, for a second gateway."""
    if request.param == "sqlite":
        return _environ(tmp_path / "there")
    return _environ(tmp_path / "there", CERVER_DATABASE_URL=request.getfixturevalue("postgres_url"))


async def test_a_gateway_goes_on_from_a_dump_that_was_made_while_it_ran(tmp_path: Path, there: Environ) -> None:
    here, file = _environ(tmp_path / "here"), tmp_path / "backup.dump"
    async with open_host(Settings.from_environ(here), is_local_compute=False) as host:
        key = await host.first_key()
        assert key is not None
        cerver = await Person(host, key, "local").cerver()
        vault = await cerver.vaults.create(CreateVault(provider="cerver", label="v", secrets={"A": "a-s3cret-value"}))
        parent = (
            await cerver.sessions.create(CreateSession(session_name="parent", session_type="transcript"))
        ).session_id
        spawned = CreateSession(session_name="child", session_type="transcript", parent_session_id=parent)
        child = (await cerver.sessions.create(spawned)).session_id
        said = tuple(NewEntry(role="user", content=f"a zebra {n}", id=f"id-{n}") for n in range(3))
        await cerver.transcripts.append(parent, AppendEntries(entries=said))
        code, told, notes = await _admin(here, "dump", str(file), "--json")
        assert (code, notes) == (0, "")
        (key_id,) = json.loads(told)["master_key_ids"]
        assert json.loads(told)["missing_master_key_ids"] == []
        await cerver.transcripts.append(parent, AppendEntries(entries=(NewEntry(role="user", content="too late"),)))
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"a-s3cret-value" not in gzip.decompress(file.read_bytes())

    code, told, notes = await _admin(there, "restore", str(file))
    assert (code, told) == (0, b"")
    assert "2 sessions, 3 entries" in notes
    assert f"not here is {key_id}: set CERVER_MASTER_KEY" in notes
    there = {**there, "CERVER_MASTER_KEY": (tmp_path / "here" / "master.key").read_text().strip()}
    async with open_host(Settings.from_environ(there), is_local_compute=False) as host:
        assert await host.first_key() is None
        cerver = await Person(host, key, "local").cerver()
        assert (await cerver.vaults.verify(vault.id)).ok
        listed = (await cerver.sessions.list(ListSessions())).sessions
        assert {one.session_id: one.parent_session_id for one in listed} == {parent: None, child: parent}
        page = await cerver.transcripts.read(parent, ReadTranscript(tail=10))
        assert [(entry.seq, entry.content) for entry in page.entries] == [(n + 1, f"a zebra {n}") for n in range(3)]
        (found,) = (await cerver.transcripts.search(SearchTranscripts(query="zebra"))).sessions
        assert found.session_id == parent
        more = AppendEntries(entries=(said[2], NewEntry(role="user", content="a quagga")), expected_seq=3)
        assert (await cerver.transcripts.append(parent, more)).seqs == (3, 4)
    code, told, notes = await _admin(there, "restore", str(file))
    assert (code, told) == (4, b"")
    assert "holds something already" in notes


async def test_pipes_lead_from_one_kind_of_store_to_the_other_and_back(tmp_path: Path, postgres_url: str) -> None:
    here, back = _environ(tmp_path / "here"), _environ(tmp_path / "back")
    there = _environ(tmp_path / "there", CERVER_DATABASE_URL=postgres_url)
    assert (await _admin(here, "key"))[0] == 0
    code, first, _ = await _admin(here, "dump", "-")
    assert code == 0
    assert (await _admin(there, "restore", "-", given=first))[0] == 0
    second = (await _admin(there, "dump", "-"))[1]
    assert (await _admin(back, "restore", "-", given=second))[0] == 0
    assert _rows(first) == _rows(second) == _rows((await _admin(back, "dump", "-"))[1])
    assert len(_rows(first)) > 10


async def test_a_restoration_that_was_killed_left_nothing_and_can_be_run_again(
    tmp_path: Path, there: Environ, postgres_server: PostgresServer
) -> None:
    settings, file = Settings.from_environ(_environ(tmp_path / "here")), tmp_path / "backup.dump"
    chance = random.Random(20_261_122)
    async with plugins.store(settings) as store:
        account = store.account("acme")
        await account.sessions.create(kept("5e55"))
        for _ in range(40):
            await account.transcripts.append("5e55", [EntryDraft(f'{{"a":"{chance.randbytes(100_000).hex()}"}}')])
        with file.open("wb") as opened:
            await dump(store, opened, ManualClock().now())
    half = file.read_bytes()[: file.stat().st_size // 2]
    await anyio.to_thread.run_sync(_kill_in_the_middle, there, half, partial(_has_written, there, postgres_server))
    code, told, notes = await _admin(there, "restore", str(file), "--json")
    assert (code, notes) == (0, "")
    assert json.loads(told)["rows"]["entries"] == 40


def _kill_in_the_middle(environ: Environ, half: bytes, has_written: Callable[[], bool]) -> None:
    with subprocess.Popen([*_ADMIN, "restore", "-"], env=environ, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(half)
        process.stdin.flush()
        end = time.monotonic() + 30
        while not has_written():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=10) == -signal.SIGKILL


def _has_written(environ: Environ, server: PostgresServer) -> bool:
    """Tell whether rows stand in the store's files that are not committed."""
    url = environ.get("CERVER_DATABASE_URL")
    if url is not None:
        return int(server.execute("SELECT pg_relation_size('entries')", urlsplit(url).path[1:])) > 0
    log = Path(environ["CERVER_HOME"]) / "cerver.db-wal"
    return log.exists() and log.stat().st_size > 1_000_000
