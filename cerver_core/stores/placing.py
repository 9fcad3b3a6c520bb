"""Numbers drafts behind a transcript's end, tells repeats apart, splices a seq into a text; pure, for every store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cerver_core.errors import EntryConflict, InvalidInput
from cerver_core.stores.base import EntryDraft, EntryRewrite, StoredEntry

__all__ = [
    "SPLICE_BYTES",
    "KnownIds",
    "Placed",
    "draft_bytes",
    "place_drafts",
    "refuse_no_object",
    "spliced",
    "spliced_text",
]

SPLICE_BYTES = len('"seq":,')
"""What `spliced` adds to a body, beside the digits of the seq."""

KnownIds = Callable[[str], tuple[int, bytes | None] | None]
"""Looks up a client id in a transcript: its seq and its fingerprint, or null."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where each draft stands, in order, and those of them that are new."""

    seqs: tuple[int, ...]
    fresh: Sequence[tuple[int, EntryDraft]]

    @property
    def by_user(self) -> int:
        """Count the new ones that are by the user."""
        return sum(draft.is_by_user for _, draft in self.fresh)


def draft_bytes(drafts: Sequence[EntryDraft]) -> int:
    """Tell about how much memory the drafts take."""
    return sum(len(draft.body) + len(draft.view or "") for draft in drafts)


def place_drafts(last_seq: int, drafts: Sequence[EntryDraft], known_ids: KnownIds) -> Placed:
    """Number the drafts behind `last_seq`; those whose `client_id` is known keep the seq they have.

    Raises:
        EntryConflict: a `client_id` is known with another fingerprint.
        InvalidInput: a body or a view is no JSON object with something in it.
    """
    seqs: list[int] = []
    fresh: list[tuple[int, EntryDraft]] = []
    new_ids: dict[str, tuple[int, bytes | None]] = {}
    for draft in drafts:
        refuse_no_object(draft)
        known = None
        if draft.client_id is not None:
            known = new_ids.get(draft.client_id) or known_ids(draft.client_id)
        if known is None:
            last_seq += 1
            seqs.append(last_seq)
            fresh.append((last_seq, draft))
            if draft.client_id is not None:
                new_ids[draft.client_id] = (last_seq, draft.fingerprint)
            continue
        seq, fingerprint = known
        if fingerprint != draft.fingerprint:
            raise EntryConflict(
                f"entry id {draft.client_id!r} already holds another body, as entry {seq}; use a new id",
                id=draft.client_id,
                seq=seq,
            )
        seqs.append(seq)
    return Placed(tuple(seqs), fresh)


def refuse_no_object(draft: EntryDraft | EntryRewrite) -> None:
    """Refuse a body or a view that is no JSON object with something in it.

    Raises:
        InvalidInput: it is none.
    """
    # An entry can never be changed, and its text is spliced behind a seq: what is no object would spoil every read.
    for text in (draft.body, draft.view):
        if text is not None and (len(text) <= 2 or text[0] != "{" or text[-1] != "}"):
            raise InvalidInput("an entry's body must be a JSON object that is not empty; nothing was written")


def spliced(seq: int, body: str) -> StoredEntry:
    """Give the entry with this body."""
    return StoredEntry(seq, spliced_text(seq, body))


def spliced_text(seq: int, body: str) -> str:
    """Put the seq as the first key into a body."""
    return f'{{"seq":{seq},{body[1:]}'
