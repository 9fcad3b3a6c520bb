"""Imports: how fast each source's histories are parsed, whether memory stays flat, and how fast they get in."""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import apsw

from benchmarks.figure import Figure, median
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.histories import HistoryImport
from cerver_core.importers.base import Batch, Document, HistoryImporter, Tally
from cerver_core.importers.claude_code import ClaudeCodeImporter
from cerver_core.importers.codex import CodexImporter
from cerver_core.importers.copilot import CopilotImporter
from cerver_core.importers.cursor import CursorImporter
from cerver_core.importers.gemini import GeminiImporter
from cerver_core.importers.opencode import OpencodeImporter

__all__ = ["measure"]

_AT = "2026-05-04T10:00:00.000Z"
_SIZE_BYTES = 6_000_000
_REPEATS = 3
_LEAST_MB_PER_S = 20

_LENGTHS = ((0.0, 0.5, 20, 171), (0.5, 0.9, 171, 2_743), (0.9, 0.99, 2_743, 24_218), (0.99, 1.0, 24_218, 51_266))
"""Shares of tool results and their lengths in characters, as found in real histories."""

_READ = """
import resource, sys
from pathlib import Path
from cerver_core.importers.base import Tally
from cerver_core.importers.claude_code import ClaudeCodeImporter
importer = ClaudeCodeImporter()
document = importer.find_in(Path(sys.argv[1]))[0]
for _ in importer.read(document, Tally(document.path)):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

Turn = tuple[str, str, str]
"""A prompt, a command and its output."""


def measure() -> list[Figure]:
    """Parse a generated history of each source, and bring one in whole."""
    figures = [_speed(name, data, parse) for name, (data, parse) in _streams(_SIZE_BYTES).items()]
    with tempfile.TemporaryDirectory() as folder:
        path = _opencode(Path(folder) / "opencode.db", _SIZE_BYTES)
        importer = OpencodeImporter()
        document = importer.find_in(path)[0]
        figures.append(_rate("parse opencode", document.size_bytes, lambda: importer.read(document, Tally(path))))
    figures.append(_flatness())
    figures.append(anyio.run(_whole))
    return figures


def _turns(size_bytes: int) -> Iterator[Turn]:
    """Make turns with outputs as long as in real histories: half up to 171 characters, a tenth over 2,743."""
    dice = random.Random(7)
    words = [f"word{n}" for n in range(2_000)]
    made = 0
    while made < size_bytes:
        length = _length(dice.random())
        output = " ".join(dice.choices(words, k=length // 8 + 1))
        command = " ".join(dice.choices(words, k=_length(dice.random()) // 16 + 4))
        made += len(output) + len(command) + 1_500
        yield "why is " + " ".join(dice.choices(words, k=12)), command, output


def _length(share: float) -> int:
    """Give the length that this share of all outputs stays under."""
    for low, high, least, most in _LENGTHS:
        if share <= high:
            return round(least * (most / least) ** ((share - low) / (high - low)))
    return _LENGTHS[-1][3]


def _streams(size_bytes: int) -> dict[str, tuple[bytes, Callable[[BytesIO, Document, Tally], Iterator[Batch]]]]:
    gemini = [{"sessionId": "s", "startTime": _AT}, *_each(_gemini, size_bytes)]
    whole = json.dumps({"sessionId": "s", "startTime": _AT, "messages": gemini[1:]}, indent=2).encode()
    return {
        "claude-code": (_jsonl(_each(_claude, size_bytes)), ClaudeCodeImporter.parse),
        "codex": (_jsonl(_each(_codex, size_bytes)), CodexImporter.parse),
        "gemini": (_jsonl(gemini), GeminiImporter.parse_lines),
        "gemini, whole documents": (whole, GeminiImporter.parse_document),
        "cursor": (_jsonl(_each(_cursor, size_bytes)), CursorImporter.parse),
        "copilot": (_jsonl(_each(_copilot, size_bytes)), CopilotImporter.parse),
    }


def _each(shape: Callable[[int, Turn], list[Any]], size_bytes: int) -> list[Any]:
    return [record for number, turn in enumerate(_turns(size_bytes)) for record in shape(number, turn)]


def _claude(number: int, turn: Turn) -> list[Any]:
    usage = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 3_000}
    place = {"sessionId": "s", "timestamp": _AT, "cwd": "/srv/api", "gitBranch": "main", "version": "2.0"}

    def line(kind: str, part: str, before: str, content: object) -> dict[str, Any]:
        message: dict[str, Any] = {"role": kind, "content": content}
        if kind == "assistant":
            message |= {"id": f"m{number}", "model": "claude", "usage": usage}
        return {"type": kind, "uuid": f"{part}{number}", "parentUuid": before, "message": message, **place}

    call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": turn[1]}}
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": turn[2]}
    return [
        line("user", "u", f"r{number - 1}", turn[0]),
        line("assistant", "a", f"u{number}", [{"type": "text", "text": turn[0]}]),
        line("assistant", "c", f"a{number}", [call]),
        {**line("user", "r", f"c{number}", [result]), "toolUseResult": {"stdout": turn[2], "stderr": ""}},
    ]


def _codex(number: int, turn: Turn) -> list[Any]:
    def line(kind: str, **payload: object) -> dict[str, Any]:
        return {"timestamp": _AT, "type": kind, "payload": payload}

    said = [{"type": "output_text", "text": turn[0]}]
    arguments = json.dumps({"command": turn[1]})
    return [
        line("response_item", type="message", role="user", content=said),
        line("event_msg", type="user_message", message=turn[0]),
        line("response_item", type="function_call", name="shell", arguments=arguments, call_id=f"c{number}"),
        line("response_item", type="function_call_output", call_id=f"c{number}", output=turn[2]),
        line("event_msg", type="token_count", info={"total_token_usage": {"input_tokens": number}}),
        line("response_item", type="message", role="assistant", content=said),
    ]


def _gemini(number: int, turn: Turn) -> list[Any]:
    answer = [{"functionResponse": {"response": {"output": turn[2]}}}]
    call = {"id": f"t{number}", "name": "shell", "args": {"command": turn[1]}, "status": "success", "result": answer}
    return [
        {"id": f"u{number}", "timestamp": _AT, "type": "user", "content": turn[0]},
        {"id": f"g{number}", "timestamp": _AT, "type": "gemini", "content": turn[0], "toolCalls": [call]},
    ]


def _cursor(number: int, turn: Turn) -> list[Any]:
    call = {"type": "tool_use", "id": f"t{number}", "name": "Shell", "input": {"command": turn[1]}}
    return [
        {"role": "user", "message": {"content": [{"type": "text", "text": turn[0]}]}},
        {"role": "assistant", "message": {"content": [{"type": "text", "text": turn[2]}, call]}},
    ]


def _copilot(number: int, turn: Turn) -> list[Any]:
    def event(kind: str, **data: object) -> dict[str, Any]:
        return {"type": kind, "id": f"{kind}{number}", "timestamp": _AT, "data": data}

    call = f"t{number}"
    return [
        event("user.message", content=turn[0]),
        event("assistant.message", content=turn[0]),
        event("tool.execution_start", toolCallId=call, toolName="bash", arguments={"command": turn[1]}),
        event("tool.execution_complete", toolCallId=call, success=True, result={"content": turn[2]}),
    ]


def _opencode(path: Path, size_bytes: int) -> Path:
    connection: Any = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE session (id TEXT PRIMARY KEY, title TEXT, time_created INTEGER, time_updated INTEGER);"
        "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT);"
        "CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, data TEXT);"
        "CREATE INDEX part_of_message ON part (message_id); BEGIN; INSERT INTO session VALUES ('s', 't', 1, 2)"
    )
    for number, (prompt, command, output) in enumerate(_turns(size_bytes)):
        state = {"status": "completed", "input": {"command": command}, "output": output}
        parts = [
            {"type": "text", "text": prompt},
            {"type": "tool", "callID": f"c{number}", "tool": "b", "state": state},
        ]
        message = (f"m{number:08}", "s", number, json.dumps({"role": "assistant", "modelID": "x"}))
        connection.execute("INSERT INTO message VALUES (?, ?, ?, ?)", message)
        for position, part in enumerate(parts):
            row = (f"p{number:08}{position}", message[0], json.dumps(part))
            connection.execute("INSERT INTO part VALUES (?, ?, ?)", row)
    connection.execute("COMMIT")
    connection.close()
    return path


def _jsonl(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def _document(data: bytes) -> Document:
    return Document("x", Path("x.jsonl"), "s", len(data), datetime(2026, 1, 1, tzinfo=UTC), "1")


def _speed(name: str, data: bytes, parse: Callable[[BytesIO, Document, Tally], Iterator[Batch]]) -> Figure:
    document = _document(data)
    return _rate(f"parse {name}", len(data), lambda: parse(BytesIO(data), document, Tally(document.path)))


def _rate(name: str, size_bytes: int, batches: Callable[[], Iterator[Batch]]) -> Figure:
    samples: list[float] = []
    for _ in range(_REPEATS):
        start = time.process_time()
        entries = sum(len(batch.entries) for batch in batches())
        samples.append(size_bytes / (time.process_time() - start) / 1e6)
        assert entries
    return Figure(name, median(samples), "MB/CPU s", to_reach=_LEAST_MB_PER_S, at_most=False)


def _flatness() -> Figure:
    """Compare the most memory that a process takes to read a short file and one twelve times as long."""
    peaks = [_peak_mb(copies) for copies in (1, 12)]
    return Figure("peak memory, file of 72 MB", peaks[1], "MB", peaks[0], "of 6 MB", to_reach=1.2)


def _peak_mb(copies: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.jsonl"
        turns = list(_turns(_SIZE_BYTES))
        with path.open("wb") as file:
            for copy in range(copies):
                for number, turn in enumerate(turns, copy * len(turns)):
                    file.write(_jsonl(_claude(number, turn)))
        command = [sys.executable, "-c", _READ, str(path)]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return peak / 1e3


async def _whole() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.jsonl"
        path.write_bytes(_jsonl(_each(_claude, _SIZE_BYTES)))
        importer: HistoryImporter = ClaudeCodeImporter()
        async with connect(Settings.from_environ({"HOME": folder})) as cerver:
            histories = HistoryImport(cerver, importer)
            await histories.look()
            document = importer.find_in(path)[0]
            start = time.process_time()
            done = await histories.bring_in(document)
            elapsed_s = time.process_time() - start
    note = f"{done.added:,} entries"
    return Figure("import claude-code into the store", document.size_bytes / elapsed_s / 1e6, "MB/CPU s", note=note)
