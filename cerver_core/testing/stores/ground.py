"""What the parts of the suite stand on: the fixtures to override, and short ways to make what is kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cerver_core.clock import to_us
from cerver_core.stores.base import AccountStore, EntryDraft, ReadWindow, Store, StoredSession
from cerver_core.testing.clock import ManualClock

__all__ = ["StoreGround", "bodies", "draft", "kept", "numbered"]


class StoreGround:
    """The fixtures of a store under test."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Give the clock by which the store tells the time."""
        return ManualClock()

    @pytest.fixture
    def store(self) -> AsyncIterator[Store]:
        """Open an empty store that uses the clock; the inheriting class overrides this."""
        raise TypeError(f"{type(self).__name__} must override the fixture 'store'")

    @pytest.fixture
    def account(self, store: Store) -> AccountStore:
        """Give one account of it."""
        return store.account("acme")

    @pytest.fixture
    async def ready(self, account: AccountStore) -> AccountStore:
        """Give that account with an empty session 5e55, which is ready."""
        await account.sessions.create(kept("5e55"))
        return account

    @pytest.fixture
    def now_us(self, clock: ManualClock) -> int:
        """Tell the time at which a test begins."""
        return to_us(clock.now())


def kept(session_id: str, at_us: int = 0, **fields: Any) -> StoredSession:  # noqa: ANN401 - whatever a session has
    """Describe a session, ready, made and last active at `at_us`, with any other fields."""
    base: dict[str, Any] = {"state": "ready", "created_at_us": at_us, "updated_at_us": at_us, **fields}
    return StoredSession(id=session_id, **base)


def draft(text: str, client_id: str | None = None, fingerprint: bytes | None = None) -> EntryDraft:
    """Make an entry that says `text`; one with an id has its text as the fingerprint, unless another is given."""
    if client_id is not None and fingerprint is None:
        fingerprint = text.encode()
    return EntryDraft(f'{{"content":"{text}"}}', client_id, fingerprint)


def numbered(first: int, last: int) -> list[EntryDraft]:
    """Make entries that say their numbers."""
    return [draft(str(number)) for number in range(first, last + 1)]


async def bodies(account: AccountStore, session_id: str, *, whole: bool = False) -> list[str]:
    """Read all entries of a short transcript as their JSON texts."""
    page = await account.transcripts.read(session_id, ReadWindow(from_seq=1, limit=10_000, whole=whole))
    return [entry.json for entry in page.entries]
