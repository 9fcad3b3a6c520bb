"""The transcripts part of the suite."""

import json

import anyio
import pytest

from cerver_core.api import Cerver
from cerver_core.errors import (
    EntryConflict,
    InvalidInput,
    SequenceConflict,
)
from cerver_core.testing.cerver.road import LIMIT_S, Road, memory, read_all, said
from cerver_core.wire.sessions import (
    CreateSession,
    ListSessions,
)
from cerver_core.wire.transcripts import AppendEntries, ExportTranscript, NewEntry, ReadTranscript

__all__ = ["TranscriptContract"]


class TranscriptContract(Road):
    """Transcripts: append, read, export, import, follow."""

    async def test_entries_are_numbered_from_one_without_gaps(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        first = await cerver.transcripts.append(session_id, said("a", "b"))
        second = await cerver.transcripts.append(session_id, said("c", role="assistant"))
        assert (first.seqs, second.seqs, second.last_seq) == ((1, 2), (3,), 3)
        record = await cerver.sessions.get(session_id)
        assert (record.message_count, record.transcript_total) == (3, 3)

    async def test_a_repeated_append_adds_nothing_and_another_body_is_a_conflict(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        request = AppendEntries(entries=(NewEntry(role="user", content="once", id="m1"),), expected_seq=0)
        first = await cerver.transcripts.append(session_id, request)
        again = await cerver.transcripts.append(session_id, request)
        assert (first.seqs, first.added, again.seqs, again.added) == ((1,), 1, (1,), 0)
        other = AppendEntries(entries=(NewEntry(role="user", content="twice", id="m1"),))
        with pytest.raises(EntryConflict, match="m1"):
            await cerver.transcripts.append(session_id, other)
        assert len(await read_all(cerver, session_id)) == 1

    async def test_an_append_that_expects_another_end_is_told_the_real_one(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("a"))
        late = said("b").model_copy(update={"expected_seq": 0})
        with pytest.raises(SequenceConflict) as caught:
            await cerver.transcripts.append(session_id, late)
        assert caught.value.detail["last_seq"] == 1
        assert len(await read_all(cerver, session_id)) == 1

    async def test_concurrent_appends_keep_every_entry(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        seqs: list[int] = []

        async def write(number: int) -> None:
            for turn in range(5):
                reply = await cerver.transcripts.append(session_id, said(f"{number}.{turn}", "more"))
                seqs.extend(reply.seqs)

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(write, number)
        assert sorted(seqs) == list(range(1, 81))
        assert [entry.seq for entry in await read_all(cerver, session_id)] == list(range(1, 81))

    async def test_reads_are_bounded_and_say_what_is_left(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said(*[f"m{number}" for number in range(1, 31)]))

        async def seqs(**how: object) -> tuple[list[int], bool, bool]:
            page = await cerver.transcripts.read(session_id, ReadTranscript.model_validate(how))
            assert page.total == 30
            return [entry.seq for entry in page.entries], page.more_before, page.more_after

        assert await seqs(tail=3) == ([28, 29, 30], True, False)
        assert await seqs(tail=0) == ([], False, False)
        assert await seqs(since=27) == ([28, 29, 30], True, False)
        assert await seqs(since=30) == ([], False, False)
        assert await seqs(since=0, limit=2) == ([1, 2], False, True)
        assert await seqs(around=10, limit=5) == ([8, 9, 10, 11, 12], True, True)
        assert await seqs(around=1, limit=4) == ([1, 2, 3, 4], False, True)
        assert await seqs(full=True, max_bytes=1) == ([1], False, True)
        assert len((await seqs(full=True))[0]) == 30

    async def test_a_large_entry_is_whole_in_storage_and_cut_in_views(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        text = "A" * 400_000 + "middle" + "Z" * 400_000
        await cerver.transcripts.append(session_id, said(text))
        view = (await cerver.transcripts.read(session_id, ReadTranscript(tail=1))).entries[0]
        assert view.content_bytes == 800_006
        assert len(view.content) < 100_000
        assert (view.content[:3], view.content[-3:]) == ("AAA", "ZZZ")
        whole = (await cerver.transcripts.read(session_id, ReadTranscript(tail=1, whole=True))).entries[0]
        assert (whole.content, whole.content_bytes) == (text, None)

    async def test_a_read_of_some_kinds_passes_over_the_others_and_says_how_far_it_went(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        kinds = ["text", "tool_use", "tool_result", "thinking"] * 10
        entries = [{"role": "assistant", "kind": kind, "content": f"{at}"} for at, kind in enumerate(kinds, 1)]
        await cerver.transcripts.append(session_id, AppendEntries.model_validate({"entries": entries}))

        async def seqs(**how: object) -> tuple[list[int], int | None, int | None]:
            page = await cerver.transcripts.read(session_id, ReadTranscript.model_validate(how))
            assert page.total == 40
            return [entry.seq for entry in page.entries], page.first_seq, page.last_seq

        assert await seqs(tail=2, kinds=["text"]) == ([33, 37], 33, 40)
        assert await seqs(tail=3, kinds=["tool_use", "tool_result"]) == ([35, 38, 39], 35, 40)
        assert await seqs(since=1, kinds=["text"], limit=2) == ([5, 9], 2, 9)
        assert await seqs(since=33, kinds=["text"]) == ([37], 34, 40)
        assert await seqs(since=40, kinds=["text"]) == ([], None, None)
        assert await seqs(around=20, kinds=["thinking"], limit=4) == ([12, 16, 20, 24], 12, 24)
        assert await seqs(around=1, kinds=["thinking"], limit=2) == ([4, 8], 1, 8)
        assert await seqs(full=True, kinds=["of.nobody"]) == ([], 1, 40)
        assert await seqs(full=True, kinds=["text"], max_bytes=1) == ([1], 1, 4)

    async def test_a_read_of_so_many_tokens_cuts_what_is_long_and_keeps_what_matters(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said(*[f"{at} " + "words " * 1_000 for at in range(1, 21)]))
        page = await cerver.transcripts.read(session_id, ReadTranscript(tail=20, max_tokens=500))
        assert sum(len(entry.content) for entry in page.entries) <= 2_000
        assert (page.last_seq, page.more_before, page.more_after) == (20, True, False)
        newest = page.entries[-1]
        assert (newest.seq, newest.content_bytes) == (20, 6_003)
        assert "left out" in newest.content
        onward = await cerver.transcripts.read(session_id, ReadTranscript(since=3, max_tokens=100))
        assert (onward.entries[0].seq, onward.more_after) == (4, True)
        short = await cerver.transcripts.read(session_id, ReadTranscript(tail=1, max_tokens=10_000))
        assert short.entries[0].content_bytes is None

    async def test_every_kind_of_entry_comes_back_as_it_went_in(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        entries = [
            {"role": "user", "content": "nul \x00, bidi \u202e, snow ☃", "id": "u1", "at": "2026-05-01T10:00:00Z"},
            {"role": "assistant", "kind": "thinking", "content": "hm"},
            {
                "role": "assistant",
                "kind": "tool_use",
                "tool_id": "t",
                "tool_name": "ls",
                "tool_input": {"a": [1, None]},
            },
            {"role": "tool", "kind": "tool_result", "tool_id": "t", "content": "", "is_error": True},
            {"role": "system", "kind": "of.our.own", "content": "{}"},
        ]
        await cerver.transcripts.append(session_id, AppendEntries.model_validate({"entries": entries}))
        kept = [
            entry.model_dump(mode="json", exclude={"seq", "at"}, exclude_none=True)
            for entry in await read_all(cerver, session_id)
        ]
        expected = [{"kind": "text", "content": "", **entry} for entry in entries]
        expected[0].pop("at")
        assert kept == expected
        assert (await read_all(cerver, session_id))[0].at.isoformat() == "2026-05-01T10:00:00+00:00"

    async def test_json_lines_export_and_import_lose_nothing(self, cerver: Cerver) -> None:
        source = await cerver.sessions.create(CreateSession(compute=None, session_name="origin", harness="claude"))
        await cerver.transcripts.append(source.session_id, said(*[f"line {n}\n☃" for n in range(40)]))
        await cerver.transcripts.append(source.session_id, said("x" * 300_000, role="assistant"))
        document, cursor, pages = "", 0, 0
        while True:
            request = ExportTranscript(format="jsonl", cursor=cursor, max_bytes=2_048)
            page = await cerver.transcripts.export(source.session_id, request)
            document, pages = document + page.text, pages + 1
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert pages > 1
        made = await cerver.transcripts.import_jsonl(document)
        full = ReadTranscript(full=True, whole=True)
        original = await cerver.transcripts.read(source.session_id, full)
        copy = await cerver.transcripts.read(made.session_id, full)
        assert [json.loads(text) for text in copy.raw] == [json.loads(text) for text in original.raw]
        assert (await cerver.sessions.get(made.session_id)).session_name == "origin"

    async def test_a_document_that_is_no_export_imports_nothing(self, cerver: Cerver) -> None:
        before = await cerver.sessions.list(ListSessions())
        for document in ("", "not json\n", '{"cerver":"transcript","version":1,"session":{}}\n{"seq":2}\n'):
            with pytest.raises(InvalidInput):
                await cerver.transcripts.import_jsonl(document)
        assert await cerver.sessions.list(ListSessions()) == before

    async def test_an_export_for_claude_code_is_one_chain_over_its_pages(self, cerver: Cerver) -> None:
        session_id = await memory(cerver, "told")
        await cerver.transcripts.append(session_id, said(*[f"line {n} " + "x" * 200 for n in range(20)]))
        text, cursor, pages = "", 0, 0
        while cursor is not None:
            request = ExportTranscript(format="claude-code", cursor=cursor, max_bytes=2_048)
            page = await cerver.transcripts.export(session_id, request)
            text, pages, cursor = text + page.text, pages + 1, page.next_cursor
        assert pages > 1
        head, *lines = [json.loads(line) for line in text.splitlines()]
        assert (head["type"], head["customTitle"]) == ("custom-title", "told")
        assert [line["message"]["content"].split()[1] for line in lines] == [str(n) for n in range(20)]
        assert [line["parentUuid"] for line in lines] == [None, *(line["uuid"] for line in lines[:-1])]

    @pytest.mark.parametrize("form", ["text", "markdown"])
    async def test_text_exports_name_every_entry(self, cerver: Cerver, form: str) -> None:
        session_id = await memory(cerver, "told")
        await cerver.transcripts.append(session_id, said("what is it?"))
        await cerver.transcripts.append(session_id, said("a test", role="assistant"))
        page = await cerver.transcripts.export(session_id, ExportTranscript.model_validate({"format": form}))
        assert page.next_cursor is None
        for piece in ("told", "#1 user", "what is it?", "#2 assistant", "a test"):
            assert piece in page.text

    @pytest.mark.parametrize("form", ["text", "markdown"])
    async def test_text_exports_leave_nothing_of_a_large_entry_out(self, cerver: Cerver, form: str) -> None:
        session_id = await memory(cerver)
        large = "".join(f"{number:07d}\n" for number in range(40_000))
        await cerver.transcripts.append(session_id, said(large, role="assistant"))
        page = await cerver.transcripts.export(session_id, ExportTranscript.model_validate({"format": form}))
        assert large in page.text
        assert page.next_cursor is None

    async def test_a_follower_sees_entries_as_they_come_and_ends_with_the_session(self, cerver: Cerver) -> None:
        session_id = await memory(cerver)
        await cerver.transcripts.append(session_id, said("old", "seen"))
        seen: list[str] = []
        first = anyio.Event()

        async def follow() -> None:
            async with cerver.transcripts.follow(session_id, since=1) as entries:
                async for entry in entries:
                    seen.append(entry.content)
                    first.set()

        with anyio.fail_after(LIMIT_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await first.wait()
                await cerver.transcripts.append(session_id, said("new"))
                await cerver.sessions.terminate(session_id)
        assert seen == ["seen", "new"]
