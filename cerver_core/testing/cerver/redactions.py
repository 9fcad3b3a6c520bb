"""The part of the suite about taking secrets out of what is stored."""

import base64
import json

import pytest
from pydantic import ValidationError

from cerver_core.api import Cerver
from cerver_core.errors import SessionNotFound
from cerver_core.testing.cerver.road import Road, memory, read_all, said
from cerver_core.wire.redactions import RedactTranscripts
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry, ReadTranscript

__all__ = ["RedactionContract"]

_TEXT = "h0rse/battery+st4ple ☃"
_MARK = "[redacted:text]"
_SPELLINGS = (
    _TEXT,
    json.dumps(_TEXT)[1:-1],
    base64.b64encode(_TEXT.encode()).decode(),
    _TEXT.encode().hex(),
    "h0rse%2Fbattery%2Bst4ple%20%E2%98%83",
)


class RedactionContract(Road):
    """Redactions."""

    async def test_a_given_text_is_taken_out_in_every_spelling_and_all_else_stays(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("before", *(f"<{one}>" for one in _SPELLINGS), "after"))
        before = await read_all(cerver, session_id)
        record = await cerver.sessions.get(session_id)
        report = await cerver.transcripts.redact(RedactTranscripts(session_id=session_id, texts=(_TEXT,)))
        (touched,) = report.sessions
        assert (touched.session_id, touched.seqs, touched.fields) == (session_id, (2, 3, 4, 5, 6), ())
        assert (report.entries_changed, dict(report.kinds)) == (5, {"text": 5})
        after = await read_all(cerver, session_id)
        assert [entry.content for entry in after] == ["before", *[f"<{_MARK}>"] * 5, "after"]
        assert [(one.seq, one.at, one.role) for one in after] == [(one.seq, one.at, one.role) for one in before]
        now = await cerver.sessions.get(session_id)
        assert (now.updated_at, now.transcript_total) == (record.updated_at, 7)
        again = await cerver.transcripts.redact(RedactTranscripts(session_id=session_id, texts=(_TEXT,)))
        assert (again.sessions, again.entries_read) == ((), 7)

    async def test_names_tasks_metadata_and_tool_inputs_are_gone_through_too(self, cerver: Cerver) -> None:
        made = await cerver.sessions.create(
            CreateSession(
                compute=None, session_name=f"n {_TEXT}", task=f"t {_TEXT}", metadata={"k": [_TEXT], f"x{_TEXT}": 1}
            )
        )
        entry = NewEntry(role="assistant", kind="tool_use", tool_input={"argv": ["-p", _TEXT]}, id="e1")
        await cerver.transcripts.append(made.session_id, AppendEntries(entries=(entry,)))
        report = await cerver.transcripts.redact(RedactTranscripts(texts=(_TEXT,)))
        (touched,) = report.sessions
        assert (touched.seqs, touched.fields) == ((1, 2), ("name", "task", "metadata"))
        record = await cerver.sessions.get(made.session_id)
        assert (record.session_name, record.task) == (f"n {_MARK}", f"t {_MARK}")
        assert record.metadata == {"k": [_MARK], f"x{_MARK}": 1}
        (task, tool) = await read_all(cerver, made.session_id)
        assert (task.content, tool.tool_input) == (f"t {_MARK}", {"argv": ["-p", _MARK]})
        repeat = await cerver.transcripts.append(made.session_id, AppendEntries(entries=(entry,)))
        assert (repeat.seqs, repeat.added) == ((2,), 0)

    async def test_a_dry_run_tells_the_same_and_changes_nothing(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said(f"it is {_TEXT}"))
        request = RedactTranscripts(texts=(_TEXT,), dry_run=True)
        dry = await cerver.transcripts.redact(request)
        assert [entry.content for entry in await read_all(cerver, session_id)] == [f"it is {_TEXT}"]
        wet = await cerver.transcripts.redact(request.model_copy(update={"dry_run": False}))
        assert (dry.dry_run, wet.dry_run) == (True, False)
        assert dry.model_copy(update={"dry_run": False}) == wet
        assert _TEXT not in wet.model_dump_json()

    async def test_a_large_entry_is_replaced_whole_and_in_its_view(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        text = f"{_TEXT} {'a' * 400_000} {_TEXT} {'b' * 400_000}"
        await cerver.transcripts.append(session_id, said(text))
        await cerver.transcripts.redact(RedactTranscripts(session_id=session_id, texts=(_TEXT,)))
        (view,) = await read_all(cerver, session_id)
        assert view.content.startswith(f"{_MARK} aaa")
        whole = await cerver.transcripts.read(session_id, ReadTranscript(tail=1, whole=True))
        assert whole.entries[0].content == text.replace(_TEXT, _MARK)

    async def test_a_search_finds_the_mark_and_no_longer_the_text(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("the xylophonewort grows", "else"))

        async def found(query: str) -> int:
            return len((await cerver.transcripts.search(SearchTranscripts(query=query))).sessions)

        assert await found("xylophonewort") == 1
        await cerver.transcripts.redact(RedactTranscripts(texts=("xylophonewort",)))
        assert (await found("xylophonewort"), await found("grows")) == (0, 1)

    async def test_all_means_every_session_and_one_means_that_one(self, cerver: Cerver) -> None:
        ids = [await memory(cerver) for _ in range(3)]
        for session_id in ids:
            await cerver.transcripts.append(session_id, said(_TEXT))
        one = await cerver.transcripts.redact(RedactTranscripts(session_id=ids[1], texts=(_TEXT,)))
        assert [touched.session_id for touched in one.sessions] == [ids[1]]
        rest = await cerver.transcripts.redact(RedactTranscripts(texts=(_TEXT,)))
        assert {touched.session_id for touched in rest.sessions} == {ids[0], ids[2]}
        assert (rest.sessions_read, rest.entries_read) == (3, 3)

    async def test_a_session_that_is_not_there_and_a_request_for_nothing_are_errors(self, cerver: Cerver) -> None:
        with pytest.raises(SessionNotFound):
            await cerver.transcripts.redact(RedactTranscripts(session_id="se_nowhere", detected=True))
        with pytest.raises(ValidationError, match="say what to take out"):
            RedactTranscripts()
        with pytest.raises(ValidationError):
            RedactTranscripts(texts=("short",))
