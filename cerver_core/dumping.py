"""Writes all that a store keeps as lines of JSON, and reads such lines back into an empty store, in bounded memory."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cerver_core.errors import Conflict, InvalidInput
from cerver_core.stores.dumping import (
    DumpedCounter,
    DumpedEntry,
    DumpedId,
    DumpedSession,
    DumpingStore,
    Part,
    Snapshot,
    part_bytes,
)
from cerver_core.stores.records import Record

__all__ = ["FORMAT", "dump_lines", "restore_lines"]

FORMAT = 1
"""The version of the lines: a dump of another one is refused."""

_AT_ONCE = 500
_BYTES_AT_ONCE = 4 * 1024 * 1024
_WORDS: Mapping[type[Part], str] = {
    DumpedSession: "session",
    DumpedEntry: "entry",
    DumpedId: "id",
    Record: "record",
    DumpedCounter: "counter",
}


async def dump_lines(store: DumpingStore) -> AsyncGenerator[str]:
    """Give the lines, each with its newline: a head, owner by owner what each keeps, the directory last, an end.

    All of it is of one moment. Entries are strings within their lines, so that each comes back byte for byte.
    """
    counts: Counter[str] = Counter()
    yield _line({"cerver_dump": FORMAT})
    async with store.snapshot() as snapshot:
        for owner in (*await snapshot.accounts(), None):
            yield _line({"owner": owner})
            async for part in _parts(snapshot, owner):
                word = _WORDS[type(part)]
                counts[word] += 1
                yield _line({word: _plain(part)})
    yield _line({"end": dict(counts)})


async def restore_lines(store: DumpingStore, lines: Iterable[str]) -> Mapping[str, int]:
    """Write what the lines hold into an empty store, and count it by kind.

    The directory comes last, with the keys: until all is there, nobody gets in.

    Raises:
        Conflict: the store is not empty.
        InvalidInput: a line is none of a dump, or the dump is cut short; what came before it is in the store.
    """
    if not await store.is_empty():
        raise Conflict("the store is not empty: restore into a new one")
    counts: Counter[str] = Counter()
    owner: str | None = None
    batch: list[Part] = []
    size = 0
    end: object = None
    for number, line in enumerate(lines, 1):
        word, value = _read(number, line)
        if (number == 1) != (word == "cerver_dump") or (number == 1 and value != FORMAT):
            raise InvalidInput(
                f"line {number} is not of a dump of format {FORMAT}; dump with the same version of Cerver"
            )
        if word in {"owner", "end"} or len(batch) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            if batch:
                await store.restore(owner, batch)
            batch, size = [], 0
        if word == "owner":
            owner = value
        elif word == "end":
            end = value
        elif word != "cerver_dump":
            part = _part(number, word, value)
            batch.append(part)
            size += part_bytes(part)
            counts[word] += 1
    if end != dict(counts):
        raise InvalidInput("the dump is cut short: empty the store and restore a whole one")
    return counts


async def _parts(snapshot: Snapshot, owner: str | None) -> AsyncGenerator[Part]:
    name: str | None = None
    while owner is not None and (sessions := await snapshot.sessions(owner, after=name, limit=_AT_ONCE)):
        for session in sessions:
            yield session
            async for part in _of_session(snapshot, owner, session.session.id):
                yield part
        name = sessions[-1].session.id
    key: tuple[str, str] | None = None
    while records := await snapshot.records(owner, after=key, limit=_AT_ONCE):
        for record in records:
            yield record
        key = records[-1].kind, records[-1].id
    name = None
    while counters := await snapshot.counters(owner, after=name, limit=_AT_ONCE):
        for counter in counters:
            yield counter
        name = counters[-1].name


async def _of_session(snapshot: Snapshot, account_id: str, session_id: str) -> AsyncGenerator[Part]:
    seq = 0
    bounds = {"limit": _AT_ONCE, "max_bytes": _BYTES_AT_ONCE}
    while entries := await snapshot.entries(account_id, session_id, after=seq, **bounds):
        for entry in entries:
            yield entry
        seq = entries[-1].seq
    name: str | None = None
    while ids := await snapshot.ids(account_id, session_id, after=name, limit=_AT_ONCE):
        for one in ids:
            yield one
        name = ids[-1].client_id


def _plain(part: Part) -> dict[str, Any]:
    plain = asdict(part)
    if isinstance(part, DumpedId):
        plain["fingerprint"] = None if part.fingerprint is None else part.fingerprint.hex()
    return plain


def _line(value: Mapping[str, Any]) -> str:
    # Escaped, since a text may hold half of a surrogate pair, which no encoding of a file takes.
    return json.dumps(value, separators=(",", ":")) + "\n"


def _read(number: int, line: str) -> tuple[str, Any]:
    try:
        ((word, value),) = json.loads(line).items()
    except (ValueError, AttributeError) as error:
        raise InvalidInput(f"line {number} is no line of a dump, or is cut short") from error
    return word, value


_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {word: TypeAdapter(kind) for kind, word in _WORDS.items()}


def _part(number: int, word: str, value: Any) -> Part:  # noqa: ANN401 - whatever the line holds
    if word not in _ADAPTERS:
        raise InvalidInput(f"line {number} holds {word!r}, which no dump of format {FORMAT} has")
    try:
        if word == "id" and value["fingerprint"] is not None:
            value = {**value, "fingerprint": bytes.fromhex(value["fingerprint"])}
        return _ADAPTERS[word].validate_python(value)
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"line {number} holds no {word} as a dump of format {FORMAT} does") from error
