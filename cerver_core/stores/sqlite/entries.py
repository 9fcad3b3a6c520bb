"""Entries in their tables: insertion, replacement and reading by place; nothing of the session's own row."""

from collections.abc import Sequence

from cerver_core.stores.base import EntryDraft, EntryRewrite, Page, ReadWindow
from cerver_core.stores.placing import SPLICE_BYTES, KnownIds, refuse_no_object, spliced_text
from cerver_core.stores.sqlite.sql import Database

__all__ = [
    "delete_entries",
    "insert_entries",
    "known_ids",
    "read_all",
    "read_page",
    "replace_entry",
    "seqs_in",
    "size_of",
]

_SEQ_BITS = 32


def insert_entries(connection: Database, session_key: int, fresh: Sequence[tuple[int, EntryDraft]]) -> None:
    """Write new entries at their places."""
    base = session_key << _SEQ_BITS
    for seq, draft in fresh:
        connection.execute("INSERT INTO entries (place, body) VALUES (?, ?)", (base | seq, draft.view or draft.body))
    wholes = [(base | seq, draft.body) for seq, draft in fresh if draft.view]
    if wholes:
        connection.executemany("INSERT INTO whole_bodies (place, body) VALUES (?, ?)", wholes)
    ids = [
        (session_key, draft.client_id, seq, draft.fingerprint) for seq, draft in fresh if draft.client_id is not None
    ]
    if ids:
        connection.executemany(
            "INSERT INTO client_ids (session_key, client_id, seq, fingerprint) VALUES (?, ?, ?, ?)", ids
        )


def replace_entry(connection: Database, session_key: int, entry: EntryRewrite) -> int:
    """Write an entry anew in its place, which is given back.

    Raises:
        InvalidInput: the body or the view is no JSON object with something in it.
    """
    refuse_no_object(entry)
    place = session_key << _SEQ_BITS | entry.seq
    connection.execute("UPDATE entries SET body = ? WHERE place = ?", (entry.view or entry.body, place))
    connection.execute("DELETE FROM whole_bodies WHERE place = ?", (place,))
    if entry.view:
        connection.execute("INSERT INTO whole_bodies (place, body) VALUES (?, ?)", (place, entry.body))
    return place


def seqs_in(window: ReadWindow, last_seq: int) -> range:
    """Give the seqs that a window asks for of a transcript that ends at `last_seq`; its size in bytes is not heeded."""
    last = last_seq if window.to_seq is None else min(window.to_seq, last_seq)
    if window.from_seq is None:
        return range(max(1, last - window.limit + 1), last + 1)
    first = max(window.from_seq, 1)
    return range(first, min(last, first + window.limit - 1) + 1)


def size_of(connection: Database, session_key: int, seqs: range) -> int:
    """Tell how many bytes entries take, as bounded reads give them, without reading their texts."""
    size = connection.execute(_SIZE, _places(session_key, seqs)).get or 0
    return size + len(seqs) * (SPLICE_BYTES + len(str(seqs.stop)))


def read_all(connection: Database, session_key: int, seqs: range) -> tuple[str, ...]:
    """Read a few entries in one step, oldest first: each step gives up the interpreter's lock and waits for it."""
    texts = connection.execute(_ALL, _places(session_key, seqs)).get
    return tuple(texts.split(_BETWEEN_TEXTS)) if texts else ()


def read_page(connection: Database, session_key: int, last_seq: int, window: ReadWindow) -> Page:
    """Read what the window shows of the entries up to `last_seq`, within its bytes."""
    seqs = seqs_in(window, last_seq)
    is_forward = window.from_seq is not None
    raw = _within(connection, _places(session_key, seqs), window, is_forward=is_forward)
    if is_forward:
        return Page(tuple(raw), last_seq, seqs.start)
    return Page(tuple(reversed(raw)), last_seq, max(1, seqs.stop - len(raw)))


def delete_entries(connection: Database, session_key: int) -> None:
    """Remove everything of one transcript."""
    places = (session_key << _SEQ_BITS, (session_key + 1) << _SEQ_BITS)
    connection.execute("DELETE FROM entries WHERE place >= ? AND place < ?", places)
    connection.execute("DELETE FROM whole_bodies WHERE place >= ? AND place < ?", places)
    connection.execute("DELETE FROM client_ids WHERE session_key = ?", (session_key,))


def _places(session_key: int, seqs: range) -> tuple[int, int]:
    base = session_key << _SEQ_BITS
    return base | seqs.start, base | max(seqs.stop - 1, 0)


def _within(connection: Database, places: tuple[int, int], window: ReadWindow, *, is_forward: bool) -> list[str]:
    texts: list[str] = []
    room = window.max_bytes
    rows = connection.execute(_READS[window.whole, is_forward], places)
    for seq, length, body in rows:
        room -= length + SPLICE_BYTES + len(str(seq))
        if room < 0 and texts:
            break
        texts.append(spliced_text(seq, body))
        if room < 0:
            break
    rows.close()
    return texts


def known_ids(connection: Database, session_key: int) -> KnownIds:
    """Give what looks up a client id among those of one transcript."""

    def find(client_id: str) -> tuple[int, bytes | None] | None:
        return connection.execute(
            "SELECT seq, fingerprint FROM client_ids WHERE session_key = ? AND client_id = ?", (session_key, client_id)
        ).get

    return find


_SEQ = f"entries.place & {(1 << _SEQ_BITS) - 1}"
_BETWEEN = "WHERE entries.place BETWEEN ? AND ?"
_SIZE = f"SELECT sum(octet_length(body)) FROM entries {_BETWEEN}"  # noqa: S608 - words of ours
_BETWEEN_TEXTS = "\x1e"  # JSON text writes it as an escape
_TEXT = f"""'{{"seq":' || ({_SEQ}) || ',' || substr(body, 2)"""
_ALL = f"SELECT group_concat({_TEXT}, char({ord(_BETWEEN_TEXTS)}) ORDER BY place) FROM entries {_BETWEEN}"  # noqa: S608


def _read_statement(*, whole: bool, is_forward: bool) -> str:
    body = "coalesce(whole_bodies.body, entries.body)" if whole else "entries.body"
    join = "LEFT JOIN whole_bodies USING (place)" if whole else ""
    order = "ASC" if is_forward else "DESC"
    return f"SELECT {_SEQ}, octet_length({body}), {body} FROM entries {join} {_BETWEEN} ORDER BY entries.place {order}"  # noqa: S608


_READS = {
    (whole, is_forward): _read_statement(whole=whole, is_forward=is_forward)
    for whole in (False, True)
    for is_forward in (False, True)
}
