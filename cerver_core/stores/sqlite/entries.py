"""Entries in their tables: insertion, replacement and reading by place; nothing of the session's own row."""

from collections.abc import Sequence

from cerver_core.stores.base import EntryDraft, EntryRewrite, ReadWindow, StoredEntry
from cerver_core.stores.placing import SPLICE_BYTES, KnownIds, refuse_no_object, spliced
from cerver_core.stores.sqlite.sql import Database

__all__ = ["delete_entries", "insert_entries", "known_ids", "read_entries", "replace_entry"]

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


def read_entries(connection: Database, session_key: int, last_seq: int, window: ReadWindow) -> tuple[StoredEntry, ...]:
    """Read what the window shows of the entries up to `last_seq`, oldest first."""
    base = session_key << _SEQ_BITS
    if window.from_seq is not None:
        first = max(window.from_seq, 1)
        last = min(last_seq, last_seq if window.to_seq is None else window.to_seq, first + window.limit - 1)
        return tuple(_within(connection, (base, first, last), window, is_forward=True))
    last = last_seq if window.to_seq is None else min(window.to_seq, last_seq)
    first = max(1, last - window.limit + 1)
    return tuple(reversed(_within(connection, (base, first, last), window, is_forward=False)))


def delete_entries(connection: Database, session_key: int) -> None:
    """Remove everything of one transcript."""
    places = (session_key << _SEQ_BITS, (session_key + 1) << _SEQ_BITS)
    connection.execute("DELETE FROM entries WHERE place >= ? AND place < ?", places)
    connection.execute("DELETE FROM whole_bodies WHERE place >= ? AND place < ?", places)
    connection.execute("DELETE FROM client_ids WHERE session_key = ?", (session_key,))


def _within(
    connection: Database, places: tuple[int, int, int], window: ReadWindow, *, is_forward: bool
) -> list[StoredEntry]:
    entries: list[StoredEntry] = []
    room = window.max_bytes
    rows = connection.execute(_READS[window.whole, is_forward], places)
    for seq, length, body in rows:
        room -= length + SPLICE_BYTES + len(str(seq))
        if room < 0 and entries:
            break
        entries.append(spliced(seq, body))
        if room < 0:
            break
    rows.close()
    return entries


def known_ids(connection: Database, session_key: int) -> KnownIds:
    """Give what looks up a client id among those of one transcript."""

    def find(client_id: str) -> tuple[int, bytes | None] | None:
        return connection.execute(
            "SELECT seq, fingerprint FROM client_ids WHERE session_key = ? AND client_id = ?", (session_key, client_id)
        ).get

    return find


def _read_statement(*, whole: bool, is_forward: bool) -> str:
    body = "coalesce(whole_bodies.body, entries.body)" if whole else "entries.body"
    join = "LEFT JOIN whole_bodies USING (place)" if whole else ""
    order = "ASC" if is_forward else "DESC"
    return (
        f"SELECT entries.place & {(1 << _SEQ_BITS) - 1}, octet_length({body}), {body} FROM entries {join} "  # noqa: S608 - words of ours
        f"WHERE entries.place BETWEEN (?1 | ?2) AND (?1 | ?3) ORDER BY entries.place {order}"
    )


_READS = {
    (whole, is_forward): _read_statement(whole=whole, is_forward=is_forward)
    for whole in (False, True)
    for is_forward in (False, True)
}
