"""Follows the transcripts and puts into the index what is not there yet, a slice at a time; searches nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from cerver_core.clock import to_us
from cerver_core.search.tally import BLOCK_BITS
from cerver_core.search.texts import read_entry
from cerver_core.search.words import indexable
from cerver_core.stores.sqlite.sql import Database

__all__ = ["SLICE_BYTES", "describe", "index_slice", "reindex"]

SLICE_BYTES = 512 * 1024
"""About how much text one slice holds: some tens of milliseconds of work."""

_SEQ_BITS = 32
_SEQ_MASK = (1 << _SEQ_BITS) - 1
_SESSIONS_PER_SLICE = 256
_ABOUT_CHARACTERS = 400
_CHARACTERS_PER_WORD = 6
_IN_BLOCK = (1 << BLOCK_BITS) - 1

_PENDING = (
    "SELECT u.session_key, s.last_seq, coalesce(i.last_seq, 0) FROM unindexed_sessions u "
    "JOIN sessions s USING (session_key) LEFT JOIN indexed_sessions i USING (session_key) "
    "ORDER BY u.session_key DESC LIMIT ?"
)
_ENTRIES = (
    "SELECT place, body FROM entries WHERE place > ?1 AND place <= ?2 ORDER BY place LIMIT 2000"  # a slice holds fewer
)
_INSERT = {
    False: "INSERT INTO said_index (rowid, text) VALUES (?, ?)",
    True: "INSERT INTO tool_index (rowid, text) VALUES (?, ?)",
}
_NOTE = (
    "INSERT INTO indexed_sessions (session_key, last_seq, word_count, first_at_us, last_at_us) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (session_key) DO UPDATE SET last_seq = excluded.last_seq, "
    "word_count = word_count + excluded.word_count, "
    "first_at_us = min(coalesce(first_at_us, excluded.first_at_us), coalesce(excluded.first_at_us, first_at_us)), "
    "last_at_us = max(coalesce(last_at_us, excluded.last_at_us), coalesce(excluded.last_at_us, last_at_us))"
)
_ADD_UP = (
    "UPDATE indexed_totals SET session_count = session_count + ?, entry_count = entry_count + ?, "
    "word_count = word_count + ?"
)


def index_slice(connection: Database, most_bytes: int = SLICE_BYTES) -> bool:
    """Index the next entries, newest sessions first, inside the caller's transaction; tell whether more waits."""
    pending = list(connection.execute(_PENDING, (_SESSIONS_PER_SLICE,)))
    slices: list[_Slice] = []
    room = most_bytes
    for session_key, last_seq, indexed_seq in pending:
        slices.append(_read(connection, session_key, (indexed_seq, last_seq), room))
        room -= slices[-1].size
        if room <= 0:
            break
    rows = [(rowid, is_tool, text) for one in slices for rowid, is_tool, text in _placed(connection, one)]
    # In the order of their rowids: the index writes a segment of its own for each step back.
    rows.sort(key=itemgetter(0))
    for kind, statement in _INSERT.items():
        connection.executemany(statement, [(rowid, text) for rowid, is_tool, text in rows if is_tool is kind])
    new_sessions = sum(_note(connection, one) for one in slices)
    # Once a slice: SQLite makes the index write out what it holds before a statement that may have to be undone alone.
    connection.execute(_ADD_UP, (new_sessions, len(rows), sum(one.words for one in slices)))
    return len(slices) < len(pending) or len(pending) == _SESSIONS_PER_SLICE or any(not one.is_done for one in slices)


def reindex(connection: Database, place: int, body: str) -> None:
    """Replace what the index holds of one entry, after its text was changed in place; nothing if it holds none yet."""
    session_key, seq = place >> _SEQ_BITS, place & _SEQ_MASK
    indexed = "SELECT last_seq FROM indexed_sessions WHERE session_key = ?"
    if seq > (connection.execute(indexed, (session_key,)).get or 0):
        return
    rowid = _rowid(connection, session_key, seq)
    for table in ("said_index", "tool_index"):
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608 - names of ours
    entry = read_entry(body)
    connection.execute(_INSERT[entry.part == "tool"], (rowid, indexable(entry.text)))


@dataclass(slots=True)
class _Slice:
    session_key: int
    last_seq: int
    rows: Sequence[tuple[int, bool, str]]
    size: int
    words: int
    times: Sequence[int]
    is_done: bool


def _read(connection: Database, session_key: int, seqs: tuple[int, int], room: int) -> _Slice:
    base = session_key << _SEQ_BITS
    indexed_seq, last_seq = seqs
    rows: list[tuple[int, bool, str]] = []
    times: list[int] = []
    size = words = 0
    place = base | indexed_seq
    found = connection.execute(_ENTRIES, (base | indexed_seq, base | last_seq))
    for place, body in found:
        entry = read_entry(body)
        text = indexable(entry.text)
        rows.append((place & _SEQ_MASK, entry.part == "tool", text))
        size += len(text)
        words += len(text) // _CHARACTERS_PER_WORD + 1
        if entry.at is not None:
            times.append(to_us(entry.at))
        if size >= room:
            break
    found.close()
    seq = place & _SEQ_MASK
    return _Slice(session_key, seq, rows, size, words, times, seq >= last_seq)


def _placed(connection: Database, one: _Slice) -> Iterator[tuple[int, bool, str]]:
    block_of: dict[int, int] = {}
    for seq, is_tool, text in one.rows:
        number = (seq - 1) >> BLOCK_BITS
        if number not in block_of:
            block_of[number] = _rowid(connection, one.session_key, seq) >> BLOCK_BITS
        yield block_of[number] << BLOCK_BITS | (seq - 1) & _IN_BLOCK, is_tool, text


def _rowid(connection: Database, session_key: int, seq: int) -> int:
    key = (session_key, (seq - 1) >> BLOCK_BITS)
    block = connection.execute("SELECT block FROM index_blocks WHERE session_key = ? AND number = ?", key).get
    if block is None:
        made = "INSERT INTO index_blocks (session_key, number) VALUES (?, ?) RETURNING block"
        block = connection.execute(made, key).get
    return block << BLOCK_BITS | (seq - 1) & _IN_BLOCK


def _note(connection: Database, done: _Slice) -> bool:
    """Note how far a session is indexed; tell whether it is the first time."""
    known = connection.execute("SELECT 1 FROM indexed_sessions WHERE session_key = ?", (done.session_key,)).get
    times = (min(done.times, default=None), max(done.times, default=None))
    connection.execute(_NOTE, (done.session_key, done.last_seq, done.words, *times))
    if done.is_done:
        describe(connection, done.session_key)
        connection.execute("DELETE FROM unindexed_sessions WHERE session_key = ?", (done.session_key,))
    return known is None


def describe(connection: Database, session_key: int) -> None:
    """Index the session as a document: its name, its task or first words, its days."""
    name, task, first_us, last_us = connection.execute(
        "SELECT s.name, d.task, i.first_at_us, i.last_at_us FROM sessions s "
        "JOIN session_details d USING (session_key) LEFT JOIN indexed_sessions i USING (session_key) "
        "WHERE session_key = ?",
        (session_key,),
    ).get
    about = [task[:_ABOUT_CHARACTERS]]
    about += [
        datetime.fromtimestamp(us / 1_000_000, UTC).strftime("%A %d %B %Y %Y-%m-%d")
        for us in sorted({us for us in (first_us, last_us) if us is not None})
    ]
    row = (session_key, indexable(name or ""), indexable(" ".join(about)))
    connection.execute("INSERT OR REPLACE INTO session_index (rowid, name, about) VALUES (?, ?, ?)", row)
