"""Follows the transcripts of one account and puts into its index what is not there yet; searches nothing.

Whoever writes to an account's index holds its lock until the transaction ends: one indexes, any number search.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import anyio.to_thread

from cerver_core.clock import to_us
from cerver_core.search.tally import BLOCK_BITS
from cerver_core.search.texts import read_entry
from cerver_core.search.words import indexable, words
from cerver_core.stores.postgres.database import Connection
from cerver_core.stores.postgres.texts import kept, plain

__all__ = [
    "MOST_WORD_CHARACTERS",
    "forget",
    "forget_session",
    "index_slice",
    "lock_index",
    "mark",
    "reindex",
    "signed",
    "title_of",
    "unsigned",
]

MOST_WORD_CHARACTERS = 100
"""Longer words are indexed, and looked for, by their beginning: a row of an index holds no more than 2.7 kB."""

_SLICE_CHARACTERS = 512 * 1024
_SESSIONS_PER_SLICE = 64
_ENTRIES_PER_READ = 500
_ABOUT_CHARACTERS = 400
_CHARACTERS_PER_WORD = 6
_IN_BLOCK = (1 << BLOCK_BITS) - 1
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
_ALL_BITS = (1 << 64) - 1

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('cerver index ' || $1, 0))"
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('cerver index ' || $1, 0))"
_OPEN = "INSERT INTO indexes (account_id) VALUES ($1) ON CONFLICT DO NOTHING"
_PENDING = """
SELECT s.session_key, s.id, s.last_seq, s.indexed_seq, s.name, d.task, i.first_at_us, i.last_at_us
FROM sessions s JOIN session_details d USING (session_key) LEFT JOIN indexed_sessions i USING (session_key)
WHERE s.account_id = $1 AND (s.indexed_seq < s.last_seq OR NOT s.is_described)
ORDER BY s.session_key DESC LIMIT $2
"""
_ENTRIES = """
SELECT seq, body FROM (
    SELECT seq, body,
        sum(octet_length(body)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - octet_length(body) AS before
    FROM entries WHERE session_key = $1 AND seq > $2 AND seq <= $3 AND ($6::bigint[] IS NULL OR seq = ANY ($6))
    ORDER BY seq LIMIT $4
) e WHERE before < $5
"""
_POST = """
INSERT INTO postings (account_key, word, block, said, tool)
SELECT $1, p.* FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) p ORDER BY 2, 3
ON CONFLICT (account_key, word, block) DO UPDATE
SET said = postings.said | excluded.said, tool = postings.tool | excluded.tool
"""
_UNPOST = """
UPDATE postings o SET said = o.said & ~p.bits, tool = o.tool & ~p.bits
FROM unnest($2::text[], $3::int[], $4::bigint[]) p (word, block, bits)
WHERE o.account_key = $1 AND o.word = p.word AND o.block = p.block
"""
_SWEEP = """
DELETE FROM postings o USING unnest($2::text[], $3::int[]) p (word, block)
WHERE o.account_key = $1 AND o.word = p.word AND o.block = p.block AND o.said = 0 AND o.tool = 0
"""
_NOTE = """
INSERT INTO indexed_sessions (account_id, session_key, word_count, first_at_us, last_at_us)
SELECT $1, n.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) n
ON CONFLICT (session_key) DO UPDATE SET
    word_count = indexed_sessions.word_count + excluded.word_count,
    first_at_us = least(indexed_sessions.first_at_us, excluded.first_at_us),
    last_at_us = greatest(indexed_sessions.last_at_us, excluded.last_at_us)
RETURNING xmax = 0 AS is_new
"""
_DONE = """
WITH locked AS MATERIALIZED (
    SELECT session_key FROM sessions WHERE session_key = ANY ($1) ORDER BY id FOR UPDATE
)
UPDATE sessions s SET
    indexed_seq = n.seq,
    is_described = s.is_described OR (n.is_described AND s.name IS NOT DISTINCT FROM n.name)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[]) n (session_key, seq, name, is_described)
JOIN locked USING (session_key) WHERE s.session_key = n.session_key
"""


def mark(what: str, value: str) -> str:
    """Write as a word that an entry has a role, a kind or a tool; no text holds such a word."""
    return f"={what}:{value}"[:MOST_WORD_CHARACTERS]


def signed(bits: int) -> int:
    """Write 64 bits as Postgres keeps them."""
    return bits - (1 << 64) if bits >> 63 else bits


def unsigned(bits: int) -> int:
    """Read 64 bits as Postgres keeps them."""
    return bits & _ALL_BITS


def title_of(name: str | None, task: str, times: Iterable[int | None]) -> set[str]:
    """Give the words of a session as a document: its name, its task or first words, its days."""
    days = [
        datetime.fromtimestamp(us / 1_000_000, UTC).strftime("%A %d %B %Y %Y-%m-%d")
        for us in sorted({us for us in times if us is not None})
    ]
    return _words(indexable(" ".join([name or "", task[:_ABOUT_CHARACTERS], *days])))


async def lock_index(connection: Connection, account_id: str) -> None:
    """Keep everybody else from writing to the account's index; to be called before any row is locked."""
    await connection.execute(_LOCK, kept(account_id))


async def index_slice(connection: Connection, account_id: str, *, is_patient: bool) -> bool:
    """Index the next entries, newest sessions first, inside the caller's transaction; tell whether more waits.

    When another one indexes this account: with `is_patient` wait for it, else leave it to that one.
    """
    if is_patient:
        await lock_index(connection, account_id)
    elif not await connection.fetchval(_TRY_LOCK, kept(account_id)):
        return False
    pending = await connection.fetch(_PENDING, kept(account_id), _SESSIONS_PER_SLICE)
    parts: list[_Part] = []
    room = _SLICE_CHARACTERS
    for row in pending:
        part = _Part(*row)
        room -= await part.read(connection, room)
        parts.append(part)
        if room <= 0:
            break
    if not parts:
        return False
    account_key = await _open(connection, account_id)
    await _post(connection, account_id, account_key, parts)
    await _describe(connection, account_key, parts)
    await _note(connection, account_id, parts)
    return len(parts) < len(pending) or len(pending) == _SESSIONS_PER_SLICE or any(not one.is_whole for one in parts)


async def reindex(connection: Connection, account_id: str, session_key: int, seqs: Sequence[int]) -> None:
    """Read entries anew that were replaced, those that were indexed; call `forget` with the old ones before."""
    account_key = await _open(connection, account_id)
    found = (
        "SELECT e.seq, e.body FROM entries e JOIN sessions s USING (session_key) "
        "WHERE e.session_key = $1 AND e.seq = ANY ($2) AND e.seq <= s.indexed_seq ORDER BY e.seq"
    )
    part = _Part(session_key, "", 0, 0, None, "", None, None)
    part.rows = [(seq, body) for seq, body in await connection.fetch(found, session_key, list(seqs))]
    await _post(connection, account_id, account_key, [part])


async def forget(connection: Connection, account_id: str, session_key: int, seqs: Sequence[int] | None = None) -> None:
    """Take entries, all of them when none are named, out of the index; what is not in it is passed over."""
    account_key = await _open(connection, account_id)
    numbered = "SELECT number, block FROM index_blocks WHERE session_key = $1"
    blocks: dict[int, int] = {row["number"]: row["block"] for row in await connection.fetch(numbered, session_key)}
    after, last = 0, 1 << 62
    while blocks:
        bounds = (session_key, after, last, _ENTRIES_PER_READ, _SLICE_CHARACTERS)
        rows = [(seq, body) for seq, body in await connection.fetch(_ENTRIES, *bounds, seqs)]
        if not rows:
            return
        after = rows[-1][0]
        gone = await anyio.to_thread.run_sync(partial(_unposted, rows, blocks))
        await connection.execute(_UNPOST, account_key, *gone)
        await connection.execute(_SWEEP, account_key, *gone[:2])


async def forget_session(connection: Connection, account_id: str, session_key: int) -> None:
    """Take a session with all its entries out of the index."""
    await forget(connection, account_id, session_key)
    words_left = "DELETE FROM indexed_sessions WHERE session_key = $1 RETURNING word_count"
    word_count = await connection.fetchval(words_left, session_key)
    if word_count is not None:
        await connection.execute(
            "UPDATE indexes SET session_count = session_count - 1, word_count = word_count - $2 WHERE account_id = $1",
            *(kept(account_id), word_count),
        )
    for table in ("index_blocks", "title_words"):
        await connection.execute(f"DELETE FROM {table} WHERE session_key = $1", session_key)  # noqa: S608 - names of ours


@dataclass(slots=True)
class _Part:
    """What of one session is indexed in a slice."""

    session_key: int
    session_id: str
    last_seq: int
    indexed_seq: int
    name: str | None
    task: str
    first_at_us: int | None
    last_at_us: int | None
    rows: Sequence[tuple[int, str]] = ()
    entries: Sequence["_Entry"] = ()
    blocks: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def times(self) -> Sequence[int]:
        """Give when the entries were said, as far as they tell."""
        return [entry.at_us for entry in self.entries if entry.at_us is not None]

    @property
    def seq(self) -> int:
        """Tell up to where it is indexed when this is done."""
        return self.rows[-1][0] if self.rows else max(self.indexed_seq, 0)

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing of the session waits any more."""
        return self.seq >= self.last_seq

    async def read(self, connection: Connection, room: int) -> int:
        """Read the next entries, about so many characters; give how many there were."""
        after = max(self.indexed_seq, 0)
        found = await connection.fetch(_ENTRIES, self.session_key, after, self.last_seq, _ENTRIES_PER_READ, room, None)
        self.rows = [(seq, body) for seq, body in found]
        return sum(len(body) for _, body in self.rows)

    async def place(self, connection: Connection, account_id: str) -> None:
        """Number the blocks of the entries, and note when those were said."""
        times: dict[int, dict[int, int]] = defaultdict(dict)
        for entry in self.entries:
            said = times[(entry.seq - 1) >> BLOCK_BITS]
            if entry.at_us is not None:
                said[(entry.seq - 1) & _IN_BLOCK] = entry.at_us
        known = "SELECT number, block, times FROM index_blocks WHERE session_key = $1 AND number = ANY ($2)"
        before = {row[0]: row for row in await connection.fetch(known, self.session_key, list(times))}
        for number, said in sorted(times.items()):
            if number in before:
                _, self.blocks[number], old = before[number]
                all_times = _merged(old, said)
                statement = "UPDATE index_blocks SET times = $3 WHERE session_key = $1 AND number = $2"
                await connection.execute(statement, self.session_key, number, all_times)
                continue
            block = await connection.fetchval(
                "UPDATE indexes SET newest_block = newest_block + 1 WHERE account_id = $1 RETURNING newest_block",
                kept(account_id),
            )
            self.blocks[number] = block
            await connection.execute(
                "INSERT INTO index_blocks (account_id, session_key, number, block, times) VALUES ($1, $2, $3, $4, $5)",
                *(kept(account_id), self.session_key, number, block, _merged([], said)),
            )


def _merged(old: Sequence[int | None], said: dict[int, int]) -> list[int | None]:
    times = [*old, *[None] * (max(said, default=-1) + 1 - len(old))]
    for position, at_us in said.items():
        times[position] = at_us
    return times


def _words(text: str) -> set[str]:
    """Give the words of an indexable text."""
    if text.isascii():  # ten times faster than reading word by word
        return {word[:MOST_WORD_CHARACTERS] for word in _PLAIN_WORD.findall(text.lower())}
    return {word.text[:MOST_WORD_CHARACTERS] for word in words(text)}


async def _post(connection: Connection, account_id: str, account_key: int, parts: Sequence[_Part]) -> None:
    await anyio.to_thread.run_sync(_understand, parts)
    for part in parts:
        await part.place(connection, account_id)
    await connection.execute(_POST, account_key, *_posted(parts))


def _understand(parts: Sequence[_Part]) -> None:
    for part in parts:
        part.entries = [_read(seq, body) for seq, body in part.rows]


def _posted(parts: Sequence[_Part]) -> tuple[list[str], list[int], list[int], list[int]]:
    """Give word, block and the bits of both kinds, of all entries of the parts."""
    bits: dict[tuple[str, int], list[int]] = {}
    for part in parts:
        for entry in part.entries:
            block = part.blocks[(entry.seq - 1) >> BLOCK_BITS]
            bit = 1 << ((entry.seq - 1) & _IN_BLOCK)
            for word in entry.words:
                bits.setdefault((word, block), [0, 0])[entry.is_tool] |= bit
    keys = list(bits)
    return (
        [word for word, _ in keys],
        [block for _, block in keys],
        [signed(bits[key][0]) for key in keys],
        [signed(bits[key][1]) for key in keys],
    )


def _unposted(rows: Sequence[tuple[int, str]], blocks: dict[int, int]) -> tuple[list[str], list[int], list[int]]:
    bits: dict[tuple[str, int], int] = defaultdict(int)
    for seq, body in rows:
        number = (seq - 1) >> BLOCK_BITS
        if number in blocks:
            for word in _read(seq, body).words:
                bits[word, blocks[number]] |= 1 << ((seq - 1) & _IN_BLOCK)
    return [word for word, _ in bits], [block for _, block in bits], [signed(mask) for mask in bits.values()]


class _Entry(NamedTuple):
    """An entry as the index sees it."""

    seq: int
    is_tool: bool
    words: frozenset[str]
    at_us: int | None
    word_count: int


def _read(seq: int, body: str) -> _Entry:
    entry = read_entry(body)
    text = indexable(entry.text)
    found = _words(text) | {mark("role", entry.role), mark("kind", entry.kind), mark("tool", entry.tool_name or "")}
    return _Entry(
        seq,
        is_tool=entry.part == "tool",
        words=frozenset(kept(word) for word in found),
        at_us=None if entry.at is None else to_us(entry.at),
        word_count=len(text) // _CHARACTERS_PER_WORD + 1,
    )


async def _open(connection: Connection, account_id: str) -> int:
    await connection.execute(_OPEN, kept(account_id))
    key: int = await connection.fetchval("SELECT account_key FROM indexes WHERE account_id = $1", kept(account_id))
    return key


async def _describe(connection: Connection, account_key: int, parts: Sequence[_Part]) -> None:
    whole = [part for part in parts if part.is_whole]
    keys: list[int] = []
    found: list[str] = []
    for part in whole:
        times = (part.first_at_us, part.last_at_us, *part.times)
        said = [us for us in times if us is not None]
        title = title_of(part.name and plain(part.name), plain(part.task), (min(said), max(said)) if said else ())
        keys += [part.session_key] * len(title)
        found += sorted(title)
    await connection.execute(
        "DELETE FROM title_words WHERE session_key = ANY ($1)", [part.session_key for part in whole]
    )
    await connection.execute(
        "INSERT INTO title_words (account_key, session_key, word) "
        "SELECT $1, t.* FROM unnest($2::bigint[], $3::text[]) t",
        *(account_key, keys, found),
    )


async def _note(connection: Connection, account_id: str, parts: Sequence[_Part]) -> None:
    keys = [part.session_key for part in parts]
    counts = [sum(entry.word_count for entry in part.entries) for part in parts]
    first = [min(part.times, default=None) for part in parts]
    last = [max(part.times, default=None) for part in parts]
    rows = await connection.fetch(_NOTE, kept(account_id), keys, counts, first, last)
    await connection.execute(
        "UPDATE indexes SET session_count = session_count + $2, word_count = word_count + $3 WHERE account_id = $1",
        *(kept(account_id), sum(row[0] for row in rows), sum(counts)),
    )
    await connection.execute(
        _DONE, keys, [part.seq for part in parts], [part.name for part in parts], [part.is_whole for part in parts]
    )
