from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Importer
from cerver_core.importers.jsonl import JsonlImporter
from cerver_core.render.transcripts import as_jsonl, header
from cerver_core.wire.sessions import SessionRecord
from cerver_core.wire.transcripts import Entry, NewEntry

IMPORTER: Importer = JsonlImporter()
HEAD = (
    '{"cerver":"transcript","version":1,'
    '"session":{"session_id":"old","session_name":"inbox","created_at":"2026-11-22T10:00:00Z"}}'
)
FIRST = '{"seq":1,"at":"2026-11-22T10:02:03Z","role":"user","content":"hello"}'
SECOND = '{"seq":2,"at":"2026-11-22T10:02:04Z","role":"tool","kind":"tool_result","content":"","is_error":true}'

TEXT = st.text(max_size=40)
LABEL = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), min_size=1, max_size=20)
MOMENT = st.datetimes(
    datetime(1971, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.builds(
    NewEntry,
    role=st.sampled_from(["user", "assistant", "system", "tool"]),
    content=TEXT,
    kind=st.sampled_from(["tool_use", "tool_result"]),
    id=st.none() | LABEL,
    at=MOMENT,
    tool_id=st.none() | LABEL,
    tool_name=st.none() | LABEL,
    tool_input=JSON,
    is_error=st.none() | st.booleans(),
) | st.builds(NewEntry, role=st.just("user"), content=st.text(min_size=1, max_size=40), kind=LABEL, at=MOMENT)
RECORD = st.fixed_dictionaries(
    {
        "session_id": st.uuids().map(str),
        "session_name": st.none() | LABEL,
        "status": st.just("idle"),
        "state": st.just("ready"),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "task": TEXT,
        "harness": st.none() | LABEL,
        "project_slug": st.none() | LABEL,
        "metadata": st.dictionaries(TEXT, JSON, max_size=3),
    }
).map(SessionRecord.model_validate)


def exported(record: SessionRecord, entries: tuple[NewEntry, ...]) -> str:
    raw = [
        Entry.model_validate({"seq": seq, **entry.model_dump()}).model_dump_json(exclude_none=True)
        for seq, entry in enumerate(entries, 1)
    ]
    return header(record, "jsonl") + as_jsonl(raw)


@given(RECORD, st.lists(ENTRY, max_size=6))
def test_what_was_imported_exports_to_the_same_document(record: SessionRecord, entries: list[NewEntry]) -> None:
    document = exported(record, tuple(entries))
    imported = IMPORTER.parse(document)
    assert imported.entries == tuple(entries)
    again = record.model_copy(update=imported.session.model_dump(exclude={"session_id"}))
    assert exported(again, imported.entries) == document


def test_a_document_gives_its_session_and_its_entries() -> None:
    imported = IMPORTER.parse(f"{HEAD}\n{FIRST}\n{SECOND}\n")
    assert imported.session.session_name == "inbox"
    assert imported.entries == (
        NewEntry(role="user", content="hello", at=datetime(2026, 11, 22, 10, 2, 3, tzinfo=UTC)),
        NewEntry(role="tool", kind="tool_result", is_error=True, at=datetime(2026, 11, 22, 10, 2, 4, tzinfo=UTC)),
    )


def test_a_header_alone_is_an_empty_transcript() -> None:
    assert IMPORTER.parse(HEAD).entries == ()


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([""], 1, "line 1 is not the header of a Cerver export"),
        ([FIRST], 1, "line 1 is not the header of a Cerver export"),
        ([HEAD.replace('"version":1', '"version":2')], 1, "version: Input should be 1"),
        ([HEAD, "{nonsense"], 2, "line 2 is not a transcript entry: Invalid JSON"),
        ([HEAD, FIRST, ""], 3, "line 3 is not a transcript entry"),
        ([HEAD, FIRST, FIRST], 3, "line 3 has seq 1 where 2 belongs: it repeats or goes back"),
        ([HEAD, SECOND], 2, "line 2 has seq 2 where 1 belongs: it leaves a gap"),
        ([HEAD, FIRST.replace('"user"', '"robot"')], 2, "line 2 is not a transcript entry: role"),
        ([HEAD, FIRST.replace("}", ',"colour":"red"}')], 2, "colour: Extra inputs are not permitted"),
        ([HEAD, FIRST.replace("}", ',"content_bytes":9}')], 2, "line 2 holds only the head and tail"),
        ([HEAD, FIRST.replace('"at":"2026-11-22T10:02:03Z",', "")], 2, "line 2 has no time (at)"),
    ],
)
def test_a_bad_line_is_named(lines: list[str], line: int, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        IMPORTER.parse("\n".join([*lines, ""]))
    assert message in refused.value.message
    assert refused.value.detail == {"line": line}


def test_the_content_of_a_bad_line_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as refused:
        IMPORTER.parse(f'{HEAD}\n{{"seq":1,"role":"sk-secret-value"}}')
    assert "sk-secret-value" not in refused.value.message
