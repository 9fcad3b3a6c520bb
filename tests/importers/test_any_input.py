"""Whatever stands in a file, an importer answers or refuses: it never breaks, and never runs on."""

import json
import shutil
import string
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cerver_core.errors import FileMissing, InvalidInput
from cerver_core.importers.base import Batch, Document, HistoryImporter, Tally
from cerver_core.importers.claude_code import ClaudeCodeImporter
from cerver_core.importers.codex import CodexImporter
from cerver_core.importers.copilot import CopilotImporter
from cerver_core.importers.cursor import CursorImporter
from cerver_core.importers.gemini import GeminiImporter
from cerver_core.importers.opencode import OpencodeImporter
from cerver_core.wire.transcripts import NewEntry
from tests.importers import test_claude_code, test_codex, test_copilot, test_cursor, test_gemini, test_opencode

Parse = Callable[[BytesIO, Document, Tally], Iterator[Batch]]

PARSERS: dict[str, tuple[Parse, Sequence[Any]]] = {
    "claude-code": (ClaudeCodeImporter.parse, test_claude_code.HISTORY),
    "codex": (CodexImporter.parse, test_codex.HISTORY),
    "gemini": (GeminiImporter.parse_lines, test_gemini.HISTORY),
    "gemini whole": (GeminiImporter.parse_document, test_gemini.HISTORY),
    "cursor": (CursorImporter.parse, test_cursor.LINES),
    "copilot": (CopilotImporter.parse, test_copilot.HISTORY),
}
ENTRY: TypeAdapter[NewEntry] = TypeAdapter(NewEntry)
ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    1e308,
    10**30,
    "",
    "\ud800",
    "x\x00y",
    [],
    {},
    [[]],
    "2026-99-99",
    "{",
    '{"a":',
]
ODD: st.SearchStrategy[Any] = st.sampled_from(ODD_VALUES) | st.text(string.printable, max_size=20)
ANY: st.SearchStrategy[Any] = st.recursive(ODD, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


def odd_copy(value: Any, draw: st.DrawFn) -> Any:
    """Put something else in a few places of a record."""
    if draw(st.integers(0, 15)) == 0:
        return draw(ANY)
    if isinstance(value, dict):
        return {key: odd_copy(held, draw) for key, held in cast("dict[str, Any]", value).items()}
    return [odd_copy(held, draw) for held in cast("list[Any]", value)] if isinstance(value, list) else value


@st.composite
def odd_lines(draw: st.DrawFn, history: Sequence[Any]) -> bytes:
    lines = [json.dumps(odd_copy(value, draw)).encode() for value in history]
    data = b"\n".join(lines) + b"\n"
    start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 40))
    return data[:start] + draw(st.binary(max_size=10)) + data[start + length : draw(st.integers(start, len(data) + 1))]


def small(value: Any) -> Any:
    """Leave out what is large: it is tested elsewhere, and slow here."""
    return json.loads(json.dumps(value).replace(test_claude_code.PDF, "JVBE"))


def check(parse: Parse, data: bytes) -> None:
    document = Document("x", Path("x.jsonl"), "main", len(data), datetime(2026, 1, 1, tzinfo=UTC), "1")
    try:
        batches = list(parse(BytesIO(data), document, Tally(document.path)))
    except InvalidInput:
        return
    check_batches(batches)


def check_batches(batches: Sequence[Batch]) -> None:
    for batch in batches:
        json.dumps(batch.conversation.facts()).encode()
        for entry in batch.entries:
            ENTRY.validate_json(entry.model_dump_json(exclude_unset=True))


@pytest.mark.parametrize("name", PARSERS)
def test_records_of_odd_shapes_break_nothing(name: str) -> None:
    parse, history = PARSERS[name]
    history = [small(value) for value in history]

    @settings(max_examples=50)
    @given(odd_lines(history))
    def odd(data: bytes) -> None:
        if name == "gemini whole":
            data = b'{"sessionId":"s","messages":[' + data.replace(b"\n", b",")
        check(parse, data)

    odd()


@pytest.mark.parametrize("name", PARSERS)
def test_any_bytes_break_nothing(name: str) -> None:
    parse, _ = PARSERS[name]

    @settings(max_examples=30)
    @given(st.binary(max_size=400) | st.text(string.printable, max_size=400).map(str.encode))
    def bytes_of_any_kind(data: bytes) -> None:
        check(parse, data)

    bytes_of_any_kind()


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 50_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\n" * 50_000,
        b"\0" * 50_000,
        b'{"messages":[' + b"{" * 50_000,
        b'{"sessionId":"s","messages":[' + b'{"type":"user","content":[' * 50_000,
    ],
    ids=["lists", "objects", "blank", "nul", "open", "deep"],
)
def test_hostile_documents_break_nothing(name: str, data: bytes) -> None:
    check(PARSERS[name][0], data)
    check(PARSERS[name][0], data + b"\n")


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("databases")
    store = test_opencode.Store(folder / "opencode.db")
    test_opencode.fill(store)
    store.connection.close()
    test_cursor.editor(folder / "editor" / "state.vscdb")
    return folder


@settings(max_examples=20)
@given(data=st.data())
def test_odd_rows_of_databases_break_nothing(databases: Path, data: st.DataObject) -> None:
    odd = st.none() | st.binary(max_size=8) | st.integers(-(2**60), 2**60) | ANY.map(json.dumps)
    with tempfile.TemporaryDirectory() as folder:
        opencode = shutil.copy(databases / "opencode.db", folder)
        editor = shutil.copy(databases / "editor" / "state.vscdb", folder)
        for file, table, column in (
            *((opencode, "session", name) for name in ("revert", "title", "time_updated", "parent_id")),
            *((opencode, table, "data") for table in ("message", "part")),
            (editor, "cursorDiskKV", "value"),
        ):
            connection: Any = apsw.Connection(str(file))
            connection.execute("PRAGMA synchronous = off")
            where = f"UPDATE {table} SET {column} = ? WHERE rowid % 3 = ?"
            connection.execute(where, (data.draw(odd), data.draw(st.integers(0, 3))))
            connection.close()
        read_all(OpencodeImporter(), Path(opencode))
        read_all(CursorImporter(), Path(editor))


def read_all(importer: HistoryImporter, path: Path) -> None:
    for document in importer.find_in(path):
        try:
            check_batches(list(importer.read(document, Tally(path))))
        except (InvalidInput, FileMissing):
            continue
