"""A follower sees what other processes append, when they append it."""

import subprocess
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from cerver_core.connect import connect
from cerver_core.engine import feed
from cerver_core.stores.sqlite import watch
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from tests.engine.roads import embedded, settings_for

_APPENDS_ON_DEMAND = """
import sys, anyio
from pathlib import Path
from cerver_core.connect import connect
from cerver_core.wire.transcripts import AppendEntries, NewEntry
from tests.engine.roads import settings_for

async def main():
    async with connect(settings_for(Path(sys.argv[1]))) as cerver:
        print("up", flush=True)
        for line in sys.stdin:
            entry = NewEntry(role="user", content=line.strip())
            await cerver.transcripts.append(sys.argv[2], AppendEntries(entries=(entry,)))

anyio.run(main)
"""


async def _told_by_another(home: Path) -> list[str]:
    """Follow a session while another process appends to it twice, the second time after the first was seen."""
    seen: list[str] = []
    async with connect(settings_for(home)) as cerver:
        session_id = (await cerver.sessions.create(CreateSession(compute=None))).session_id
        command = [sys.executable, "-c", _APPENDS_ON_DEMAND, str(home), session_id]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: ASYNC220
            assert other.stdin is not None
            assert other.stdout is not None
            with anyio.fail_after(60):
                await anyio.to_thread.run_sync(other.stdout.readline)
                async with cerver.transcripts.follow(session_id, since=0) as entries:
                    for text in ("one", "two"):
                        other.stdin.write(text + "\n")
                        other.stdin.flush()
                        seen.append((await anext(entries)).content)
            other.stdin.close()
    return seen


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="the platform cannot tell of another's writes")
async def test_an_append_of_another_process_wakes_a_follower_that_would_not_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LOOK_S", 1_000)
    monkeypatch.setattr(feed, "_LOOK_ANYWAY_S", 1_000)
    assert await _told_by_another(tmp_path) == ["one", "two"]


def _cannot_tell(*_: object) -> None:
    return None


async def test_where_the_platform_cannot_tell_a_follower_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_watched", _cannot_tell)
    assert await _told_by_another(tmp_path) == ["one", "two"]


async def test_two_callers_of_one_engine_wake_each_other_s_followers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LOOK_S", 1_000)
    monkeypatch.setattr(feed, "_LOOK_ANYWAY_S", 1_000)
    async with embedded(tmp_path) as cerver, embedded(tmp_path) as other:
        session_id = (await cerver.sessions.create(CreateSession(compute=None))).session_id
        with anyio.fail_after(20):
            async with cerver.transcripts.follow(session_id, since=0) as entries:
                for text in ("one", "two", "three"):
                    entry = NewEntry(role="user", content=text)
                    await other.transcripts.append(session_id, AppendEntries(entries=(entry,)))
                    assert (await anext(entries)).content == text
