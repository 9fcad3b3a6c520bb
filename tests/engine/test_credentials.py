import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.engine.masking import LiveText
from cerver_core.errors import ConfigurationError
from cerver_core.wire.computes import ExecFinished, ExecOutput, ExecRequest
from cerver_core.wire.redactions import RedactTranscripts
from cerver_core.wire.sessions import CreateSession, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript

_KEY = "ghp_" + "x7Rk2mQ9vL4wT8nB3cY6zH1jF5dG0sPaEuKo"
_MARK = "[redacted:github-pat]"


@asynccontextmanager
async def _opened(home: Path, redact: str | None = None) -> AsyncGenerator[Cerver]:
    environ = {"CERVER_HOME": str(home), "PATH": "/usr/bin:/bin", "CERVER_ISOLATION": "process"}
    async with connect(Settings.from_environ({**environ, **({"CERVER_REDACT": redact} if redact else {})})) as cerver:
        yield cerver


def _stored(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.glob("*.db*"))


async def test_a_key_that_nobody_named_is_masked_at_every_way_in(tmp_path: Path) -> None:
    async with _opened(tmp_path) as cerver:
        made = await cerver.sessions.create(
            CreateSession(
                compute=None, session_name=f"n {_KEY}", task=f"use {_KEY}", metadata={"GITHUB_TOKEN": _KEY, "a": [_KEY]}
            )
        )
        session_id = made.session_id
        entries = (
            NewEntry(role="user", content=f"it is {_KEY}."),
            NewEntry(role="assistant", kind="tool_use", tool_input={"env": {"T": _KEY}}),
        )
        await cerver.transcripts.append(session_id, AppendEntries(entries=entries))
        await cerver.sessions.update(session_id, UpdateSession(metadata={"b": _KEY}))
        record = await cerver.sessions.get(session_id)
        page = await cerver.transcripts.read(session_id, ReadTranscript(full=True, whole=True))
    assert [entry.content for entry in page.entries] == [f"use {_MARK}", f"it is {_MARK}.", ""]
    assert page.entries[2].tool_input == {"env": {"T": _MARK}}
    assert (record.session_name, record.task) == (f"n {_MARK}", f"use {_MARK}")
    assert record.metadata == {"GITHUB_TOKEN": _MARK, "a": [_MARK], "b": _MARK}
    assert _KEY.encode() not in _stored(tmp_path)


async def test_output_is_masked_live_and_in_the_record_even_where_it_comes_in_pieces(tmp_path: Path) -> None:
    half = len(_KEY) // 2
    code = (
        "import sys, time\n"
        f"for piece in ({_KEY[:half]!r}, {_KEY[half:]!r}, ' end'):\n"
        "    sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.1)\n"
    )
    request = ExecRequest(code=code, runtime="python")
    async with _opened(tmp_path) as cerver:
        made = await cerver.sessions.create(CreateSession())
        async with cerver.computes.exec_stream(made.session_id, request) as events:
            seen = [event async for event in events]
        page = await cerver.transcripts.read(made.session_id, ReadTranscript(tail=1))
    live = "".join(event.text for event in seen if isinstance(event, ExecOutput))
    finished = next(event for event in seen if isinstance(event, ExecFinished))
    assert live == finished.result.stdout == f"{_MARK} end"
    assert _MARK in page.entries[0].content


async def test_a_repeat_is_the_same_under_another_setting(tmp_path: Path) -> None:
    request = AppendEntries(entries=(NewEntry(role="user", content=f"k {_KEY}", id="m1"),))
    async with _opened(tmp_path, "off") as cerver:
        session_id = (await cerver.sessions.create(CreateSession(compute=None))).session_id
        await cerver.transcripts.append(session_id, request)
    async with _opened(tmp_path, "on") as cerver:
        assert (await cerver.transcripts.append(session_id, request)).added == 0


@pytest.mark.parametrize(("redact", "warnings"), [("detect", ["kept as they are: 1 github-pat"]), ("off", [])])
async def test_the_text_stays_where_the_setting_says_so(
    tmp_path: Path, redact: str, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cerver_core"):
        async with _opened(tmp_path, redact) as cerver:
            session_id = (await cerver.sessions.create(CreateSession(compute=None))).session_id
            entries = (NewEntry(role="user", content=_KEY),)
            await cerver.transcripts.append(session_id, AppendEntries(entries=entries))
            page = await cerver.transcripts.read(session_id, ReadTranscript(full=True))
    assert page.entries[0].content == _KEY
    assert caplog.messages == warnings


async def test_what_was_stored_with_its_credentials_is_cleaned_of_them_to_the_last_file(tmp_path: Path) -> None:
    async with _opened(tmp_path, "off") as cerver:
        made = await cerver.sessions.create(CreateSession(compute=None, task=f"use {_KEY}"))
        said = [f"{number} {_KEY if number % 3 == 0 else 'nothing'}" for number in range(60)]
        entries = tuple(NewEntry(role="user", content=text, id=f"e{number}") for number, text in enumerate(said))
        tool = NewEntry(role="tool", kind="tool_use", tool_input={"url": "https://me:h0rse-9@git.local/r"})
        await cerver.transcripts.append(made.session_id, AppendEntries(entries=(*entries, tool)))
    async with _opened(tmp_path) as cerver:
        report = await cerver.transcripts.redact(RedactTranscripts(detected=True))
        stored = _stored(tmp_path).lower()
        page = await cerver.transcripts.read(made.session_id, ReadTranscript(full=True))
        again = await cerver.transcripts.redact(RedactTranscripts(detected=True))
    assert report.kinds == {"github-pat": 22, "uri-password": 1}
    assert (report.sessions[0].seqs[:3], report.sessions[0].fields) == ((1, 2, 5), ("task",))
    assert [entry.content for entry in page.entries[1:4]] == [f"0 {_MARK}", "1 nothing", "2 nothing"]
    assert page.entries[-1].tool_input == {"url": "https://me:[redacted:uri-password]@git.local/r"}
    assert _KEY.lower().encode() not in stored
    assert _KEY.lower().removeprefix("ghp_").encode() not in stored
    assert again.sessions == ()


def test_another_word_in_the_setting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CERVER_REDACT must be one of off, detect, on"):
        Settings.from_environ({"CERVER_REDACT": "yes"})


@pytest.mark.parametrize("size", [1, 3, 17, 400])
def test_live_text_is_the_masked_whole_however_it_is_cut(size: int) -> None:
    text = f"a {_KEY} b\n{_KEY}\n'{_KEY}' c"
    live = LiveText("on")
    pieces = [live.take(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join((*pieces, live.finish())) == f"a {_MARK} b\n{_MARK}\n'{_MARK}' c"
