"""Entries in their tables: insertion, replacement and reading by place; nothing of the session's own row."""

from collections.abc import Mapping, Sequence

from cerver_core.stores.base import EntryDraft, EntryRewrite, ReadWindow
from cerver_core.stores.placing import SPLICE_BYTES, KnownIds, refuse_no_object
from cerver_core.stores.postgres.changes import Head
from cerver_core.stores.postgres.database import Connection
from cerver_core.stores.postgres.faults import refuse_unkeepable
from cerver_core.stores.postgres.rows import as_account
from cerver_core.stores.postgres.texts import kept

__all__ = ["READS", "delete_entries", "insert_entries", "known_ids", "read_values", "refuse_drafts", "replace_entry"]

_LARGEST = (1 << 63) - 1


def refuse_drafts(drafts: Sequence[EntryDraft | EntryRewrite]) -> None:
    """Refuse what cannot be kept before anything is sent, so that a group never fails for one of its requests.

    Raises:
        InvalidInput: a body or a view is no JSON object with something in it, or holds half of a surrogate pair.
    """
    for draft in drafts:
        refuse_no_object(draft)
        refuse_unkeepable(draft.body)
        if draft.view is not None:
            refuse_unkeepable(draft.view)


async def known_ids(connection: Connection, session_key: int, drafts: Sequence[EntryDraft]) -> KnownIds:
    """Read the client ids of the drafts that a transcript holds already, and give what looks them up."""
    asked = [kept(draft.client_id) for draft in drafts if draft.client_id is not None]
    found: Mapping[str, tuple[int, bytes | None]] = {}
    if asked:
        rows = await connection.fetch(
            # One look for each: of `= ANY` older servers (15) make a scan of all ids of the session.
            "SELECT c.* FROM unnest($2::text[]) asked (id) CROSS JOIN LATERAL (SELECT client_id, seq, fingerprint "
            "FROM client_ids WHERE session_key = $1 AND client_id = asked.id OFFSET 0) c",
            session_key,
            asked,
        )
        found = {client_id: (seq, fingerprint) for client_id, seq, fingerprint in rows}
    return lambda client_id: found.get(kept(client_id))


async def insert_entries(connection: Connection, head: Head, fresh: Sequence[tuple[int, EntryDraft]]) -> None:
    """Write new entries at their places."""
    if not fresh:
        return
    place = (head.account_id, head.session_key)
    await connection.execute(
        "INSERT INTO entries (account_id, session_key, seq, body) "
        "SELECT $1::text, $2::bigint, e.seq, e.body FROM unnest($3::bigint[], $4::text[]) e (seq, body)",
        *(*place, [seq for seq, _ in fresh], [draft.view or draft.body for _, draft in fresh]),
    )
    wholes = [(seq, draft.body) for seq, draft in fresh if draft.view]
    if wholes:
        await connection.execute(
            "INSERT INTO whole_bodies (account_id, session_key, seq, body) "
            "SELECT $1::text, $2::bigint, e.seq, e.body FROM unnest($3::bigint[], $4::text[]) e (seq, body)",
            *(*place, [seq for seq, _ in wholes], [body for _, body in wholes]),
        )
    ids = [(kept(draft.client_id), seq, draft.fingerprint) for seq, draft in fresh if draft.client_id is not None]
    if ids:
        await connection.execute(
            "INSERT INTO client_ids (account_id, session_key, client_id, seq, fingerprint) "
            "SELECT $1::text, $2::bigint, i.* FROM unnest($3::text[], $4::bigint[], $5::bytea[]) i",
            *(*place, *(list(column) for column in zip(*ids, strict=True))),
        )


async def replace_entry(connection: Connection, head: Head, entry: EntryRewrite) -> None:
    """Write an entry anew in its place."""
    place = (head.session_key, entry.seq)
    await connection.execute(
        "UPDATE entries SET body = $3 WHERE session_key = $1 AND seq = $2", *place, entry.view or entry.body
    )
    await connection.execute("DELETE FROM whole_bodies WHERE session_key = $1 AND seq = $2", *place)
    if entry.view:
        await connection.execute(
            "INSERT INTO whole_bodies (account_id, session_key, seq, body) VALUES ($1, $2, $3, $4)",
            *(head.account_id, *place, entry.body),
        )


async def delete_entries(connection: Connection, session_key: int) -> None:
    """Remove everything of one transcript."""
    for table in ("entries", "whole_bodies", "client_ids"):
        await connection.execute(f"DELETE FROM {table} WHERE session_key = $1", session_key)  # noqa: S608 - names of ours


def read_values(window: ReadWindow) -> tuple[int, int, int, int]:
    """Give the values of one of `READS` behind the account and the session: bounds, limit, bytes."""
    first = min(max(window.from_seq or 1, 1), _LARGEST)
    last = _LARGEST if window.to_seq is None else min(window.to_seq, _LARGEST)
    return first, last, max(window.limit, 0), window.max_bytes


def _read_statement(*, whole: bool, is_forward: bool) -> str:
    """Read within the bounds, and no further than the row with which the bytes run out; the first row always comes.

    A session without an entry in the window gives one row without a seq; no session gives none.
    """
    body = "coalesce(w.body, e.body)" if whole else "e.body"
    join = "LEFT JOIN whole_bodies w ON w.session_key = e.session_key AND w.seq = e.seq" if whole else ""
    order = "ASC" if is_forward else "DESC"
    # Of entries up to a last_seq that was committed with them none is missing.
    within = (
        f"SELECT e.seq, {body} AS body FROM entries e {join} WHERE e.session_key = s.session_key "  # noqa: S608 - words of ours
        f"AND e.seq BETWEEN $3 AND least(s.last_seq, $4) ORDER BY e.seq {order} LIMIT $5"
    )
    sizes = f"octet_length(body) + length(seq::text) + {SPLICE_BYTES}"
    counted = (
        f"SELECT seq, body, row_number() OVER walk AS number, sum({sizes}) OVER walk AS bytes "  # noqa: S608 - words of ours
        f"FROM ({within}) page WINDOW walk AS (ORDER BY seq {order} ROWS UNBOUNDED PRECEDING)"
    )
    return as_account(
        "SELECT s.last_seq, c.seq, c.body FROM sessions s "  # noqa: S608 - words of ours
        f"LEFT JOIN LATERAL (SELECT * FROM ({counted}) counted WHERE number = 1 OR bytes <= $6) c ON true "
        "WHERE s.account_id = who.account_id AND s.id = $2 ORDER BY c.seq"
    )


READS = {
    (whole, is_forward): _read_statement(whole=whole, is_forward=is_forward)
    for whole in (False, True)
    for is_forward in (False, True)
}
"""By whether whole bodies are asked for, and whether the window goes forward."""
