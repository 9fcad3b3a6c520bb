"""opencode's database, made here with the schema that it has."""

import json
from pathlib import Path
from typing import Any

import apsw
import pytest

from cerver_core.errors import InvalidInput
from cerver_core.importers.base import Tally
from cerver_core.importers.opencode import OpencodeImporter
from cerver_core.testing.importers import ImporterContract, Sample, read_document, spoken

AT_MS = 1_777_888_800_000
SCHEMA = """
CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, slug TEXT, directory TEXT, title TEXT,
    version TEXT, revert TEXT, time_created INTEGER, time_updated INTEGER);
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER, data TEXT);
CREATE INDEX part_of_message ON part (message_id);
"""


class Store:
    """An opencode database that a test fills."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection: Any = apsw.Connection(str(path))
        self.connection.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = off")
        self.connection.execute(SCHEMA)
        self._parts = 0

    def session(self, identity: str, parent: str | None = None, **fields: Any) -> None:
        told = ("project", parent, "slug", "/srv/api", fields.get("title"), "1.2", json.dumps(fields.get("revert")))
        self.connection.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (identity, *told, AT_MS, AT_MS)
        )

    def message(self, session: str, identity: str, role: str, *parts: dict[str, Any], **fields: Any) -> None:
        time = {"created": AT_MS} if role == "user" else {"created": AT_MS, "completed": AT_MS}
        data = json.dumps({"role": role, "time": time, **fields})
        self.connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (identity, session, AT_MS, AT_MS, data))
        for part in parts:
            self._parts += 1
            key = f"prt_{self._parts:04}"
            text = json.dumps(part)
            self.connection.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?)", (key, identity, session, AT_MS, text))


def tool(call: str, status: str, **state: Any) -> dict[str, Any]:
    told = {"status": status, "input": {"command": "make test"}, "time": {"start": AT_MS, "end": AT_MS}, **state}
    return {"type": "tool", "callID": call, "tool": "bash", "state": told}


TOKENS = {"input": 100, "output": 7, "reasoning": 2, "cache": {"read": 5, "write": 0}}


def fill(store: Store) -> None:
    store.session("ses_child", "ses_main")
    store.session("ses_main", title="Red CI", revert={"messageID": "msg_9"})
    store.session("ses_empty")
    store.message("ses_main", "msg_1", "user", {"type": "text", "text": "Why is CI red?"})
    store.message(
        "ses_main",
        "msg_2",
        "assistant",
        {"type": "step-start"},
        {"type": "reasoning", "text": "Run them"},
        tool("t1", "error", error="exit 2"),
        tool("t2", "completed", output="ok"),
        tool("t3", "running"),
        {"type": "file", "mime": "image/png", "filename": "a.png", "url": "data:image/png;base64," + "iVBO" * 75_000},
        {"type": "text", "text": "It is a.py."},
        {"type": "patch", "files": ["/srv/api/a.py"]},
        {"type": "step-finish", "tokens": TOKENS},
        {"type": "shiny"},
        modelID="claude-x",
        tokens=TOKENS,
    )
    store.message("ses_main", "msg_3", "user", {"type": "compaction", "auto": True})
    store.message("ses_main", "msg_4", "assistant", {"type": "text", "text": "Summary of before"}, summary=True)
    store.message(
        "ses_main",
        "msg_5",
        "assistant",
        error={"name": "APIError", "data": {"message": "overloaded"}},
        modelID="claude-x",
    )
    store.message("ses_child", "msg_6", "user", {"type": "text", "text": "Count the tests"})
    store.connection.execute("INSERT INTO part VALUES ('prt_zzzz', 'msg_6', 'ses_child', 1, '{broken')")


class TestOpencode(ImporterContract):
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        store = Store(tmp_path / "home" / ".local" / "share" / "opencode" / "opencode.db")
        fill(store)
        store.connection.close()
        return Sample(
            importer=OpencodeImporter(),
            home=tmp_path / "home",
            environ={},
            documents=["ses_main", "ses_child"],
            spoken=[
                ("user", "text", "Why is CI red?"),
                ("assistant", "thinking", "Run them"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "exit 2"),
                ("assistant", "tool_use", ""),
                ("tool", "tool_result", "ok"),
                ("assistant", "tool_use", ""),
                ("assistant", "attachment", "a.png [file image/png, 300,022 characters of base64 left out]"),
                ("assistant", "text", "It is a.py."),
                ("system", "event", "files changed: /srv/api/a.py"),
                ("system", "compaction", "The conversation was compacted."),
                ("system", "summary", "Summary of before"),
                ("system", "event", "APIError: overloaded"),
                ("system", "rewind", "Reverted to before message msg_9: what stands from there on was left behind."),
            ],
            calls=[("bash", True), ("bash", False)],
            facts={
                "working_dir": "/srv/api",
                "source_version": "1.2",
                "model": "claude-x",
                "usage": {"input_tokens": 100, "output_tokens": 7, "reasoning_tokens": 2, "cache_read_tokens": 5},
                "rewinds": 1,
            },
            title="Red CI",
            parents={"ses_child": "ses_main"},
        )


def test_what_is_not_json_is_counted_and_kinds_that_nobody_knows_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "opencode.db")
    fill(store)
    tallies = [
        read_document(OpencodeImporter(), document)[1]
        for document in OpencodeImporter().find_in(tmp_path / "opencode.db")
    ]
    assert [(tally.malformed, dict(tally.unknown)) for tally in tallies] == [(0, {"shiny": 1}), (1, {})]


def test_a_session_is_read_while_opencode_writes(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    store = Store(path)
    store.session("ses_main")
    store.message("ses_main", "msg_1", "user", {"type": "text", "text": "one"})
    (first,) = OpencodeImporter().find_in(path)
    store.message("ses_main", "msg_2", "user", {"type": "text", "text": "two"})
    (second,) = OpencodeImporter().find_in(path)
    assert first.stamp != second.stamp
    assert spoken(read_document(OpencodeImporter(), second)[0], "ses_main") == [
        ("user", "text", "one"),
        ("user", "text", "two"),
    ]
    store.connection.close()


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection: Any = apsw.Connection(str(path))
    connection.execute("CREATE TABLE session (x)")
    connection.close()
    (document,) = OpencodeImporter().find_in(path)
    with pytest.raises(InvalidInput, match="is not a database of opencode"):
        next(OpencodeImporter().read(document, Tally(path)))
