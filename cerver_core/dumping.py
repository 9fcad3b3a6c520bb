"""Writes all that a store holds as a compressed file of lines, and fills an empty store from it, in bounded memory.

The file is gzip, for which every machine has a reader, around lines of JSON in UTF-8:

    {"cerver_dump": 1, "made_at": "2026-05-01T02:00:00Z", "store": "sqlite", "schema": 3, "master_key_ids": ["…"]}
    {"table": "records", "columns": ["account_id", "kind", …]}
    ["", "account", …]                                  a row: bytes are written in hexadecimal
    {"end": {"records": 12, …}, "sha256": "…"}          how many rows there were, and the sum of all lines before

What is sealed stays sealed, and the master keys are not in it. A file that does not end as it should restores nothing.
"""

import gzip
import hashlib
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

import anyio.to_thread
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from cerver_core.errors import InvalidInput, SchemaTooNew
from cerver_core.stores.base import Store
from cerver_core.stores.dumping import BATCH_BYTES, TABLES, Batch, Row, Snapshot

__all__ = ["FORMAT", "Advanced", "Dump", "dump", "restore"]

FORMAT = 1
"""The version of the file. One of another version is refused."""

Advanced = Callable[[int], None]
"""Is told, now and then, how many rows more are done."""

_LEVEL = 1  # a twentieth larger than 3 makes it, in half the time
_GZIP = 31  # zlib's word for gzip around the largest window
_LONGEST_HEAD = 64 * 1024
_FINGERPRINT = TABLES["client_ids"].index("fingerprint")
_ALTERED = (EOFError, OSError, zlib.error, ValueError, TypeError, LookupError)
"""What reading raises of a file that is none, or not as it was written."""

_encode = partial(to_json, bytes_mode="hex")


@dataclass(frozen=True, slots=True)
class Dump:
    """What a file holds: the kind of store and its schema, and how many rows of each table.

    `master_key_ids` names the master keys without which nothing of it opens that is sealed.
    """

    made_at: datetime
    store: str
    schema: int
    master_key_ids: Sequence[str]
    rows: Mapping[str, int]


async def dump(store: Store, file: BinaryIO, made_at: datetime, advanced: Advanced = lambda _: None) -> Dump:
    """Write what the store holds at one moment, while it is used on.

    Raises:
        OSError: the file cannot be written.
    """
    async with store.snapshot() as snapshot:
        key_ids = await _master_key_ids(snapshot)
        writer = _Writer(file)
        origin = {"store": snapshot.store, "schema": snapshot.schema, "master_key_ids": key_ids}
        writer.line({"cerver_dump": FORMAT, "made_at": made_at.isoformat(), **origin})
        counts = dict.fromkeys(TABLES, 0)
        for table, columns in TABLES.items():
            writer.line({"table": table, "columns": columns})
            async for rows in snapshot.rows(table):
                await anyio.to_thread.run_sync(writer.rows, rows)
                counts[table] += len(rows)
                advanced(len(rows))
        await anyio.to_thread.run_sync(writer.end, counts)
        return Dump(made_at, snapshot.store, snapshot.schema, key_ids, counts)


async def restore(store: Store, file: BinaryIO, advanced: Advanced = lambda _: None) -> Dump:
    """Fill an empty store with all that the file holds, or with nothing of it.

    Raises:
        Conflict: the store is not empty.
        InvalidInput: the file is none of these, is cut short or was altered.
        SchemaTooNew: a newer Cerver wrote it.
    """
    reader = _Reader(file)
    head = await anyio.to_thread.run_sync(reader.head)

    async def batches() -> AsyncGenerator[Batch]:
        while batch := await anyio.to_thread.run_sync(reader.batch):
            yield batch
            advanced(len(batch[1]))

    await store.restore(batches())
    return head


async def _master_key_ids(snapshot: Snapshot) -> Sequence[str]:
    found: set[str] = set()
    data = TABLES["records"].index("data")
    async for rows in snapshot.rows("records"):
        for row in rows:
            text = str(row[data])
            sealed: JsonValue = from_json(text).get("sealed") if '"sealed"' in text else None
            if isinstance(sealed, dict):
                found.add(str(sealed["key"]))
    return sorted(found)


class _Writer:
    """Puts lines into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
        self._sum = hashlib.sha256()

    def line(self, value: Mapping[str, Any]) -> None:
        """Write one line that is no row."""
        self._write(_encode(value) + b"\n")

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        self._write(b"".join([_encode(row) + b"\n" for row in rows]))

    def end(self, counts: Mapping[str, int]) -> None:
        """Write the last line, and see the file off."""
        self.line({"end": counts, "sha256": self._sum.hexdigest()})
        self._file.write(self._packer.flush())
        self._file.flush()

    def _write(self, data: bytes) -> None:
        self._sum.update(data)
        self._file.write(self._packer.compress(data))


class _Reader:
    """Takes lines from a file; every fault of theirs is told as one of the file's."""

    def __init__(self, file: BinaryIO) -> None:
        self._packed = gzip.GzipFile(mode="rb", fileobj=file)
        self._sum = hashlib.sha256()
        self._number = 0
        self._table = ""
        self._is_ended = False
        self._counts: dict[str, int] = dict.fromkeys(TABLES, 0)

    def head(self) -> Dump:
        """Read the first line. The rows of what it answers are counted as they are read."""
        try:
            line = self._line(_LONGEST_HEAD)
            head = from_json(line)
            version = head["cerver_dump"]
            if version == FORMAT:
                self._sum.update(line)
                made_at = datetime.fromisoformat(head["made_at"])
                return Dump(made_at, head["store"], head["schema"], tuple(head["master_key_ids"]), self._counts)
        except _ALTERED as error:
            told = "this is no dump of Cerver, or its beginning was altered; nothing was restored"
            raise InvalidInput(told) from error
        raise SchemaTooNew(
            f"the dump has format {version} and this Cerver knows {FORMAT}: restore it with the Cerver that wrote it",
            schema=version,
            known=FORMAT,
        )

    def batch(self) -> Batch | None:
        """Read rows of one table; null when all were read, and all is as it was written."""
        try:
            return self._batch()
        except _ALTERED as error:
            told = f"the dump is cut short or was altered, at line {self._number} or before; nothing was restored"
            raise InvalidInput(told) from error

    def _batch(self) -> Batch | None:
        table, rows, room = self._table, list[Row](), BATCH_BYTES
        while room > 0 and not self._is_ended:
            line = self._line()
            if line.startswith(b"["):
                rows.append(self._row(line))
                room -= len(line)
                continue
            self._turn(line)
            if rows:
                break
            table = self._table
        return (table, rows) if rows else None

    def _row(self, line: bytes) -> Row:
        row = from_json(line)
        self._sum.update(line)
        self._counts[self._table] += 1
        if len(row) != len(TABLES[self._table]):
            raise ValueError("a row has another number of columns")
        if self._table == "client_ids" and row[_FINGERPRINT] is not None:
            row[_FINGERPRINT] = bytes.fromhex(row[_FINGERPRINT])
        return row

    def _turn(self, line: bytes) -> None:
        """Go on to the next table, or see that this is the end."""
        said: dict[str, Any] = from_json(line)
        if "end" in said:
            is_whole = said == {"end": self._counts, "sha256": self._sum.hexdigest()}
            if not is_whole or self._packed.read(1):
                raise ValueError("the end is not that of these lines")
            self._is_ended = True
            return
        self._sum.update(line)
        self._table = said["table"]
        if said["columns"] != list(TABLES[self._table]):
            raise ValueError("a table has other columns")

    def _line(self, limit: int = -1) -> bytes:
        self._number += 1
        line = self._packed.readline(limit)
        if not line.endswith(b"\n"):
            raise ValueError("a line does not end")
        return line
