"""The part of the suite about reading transcripts."""

import json

import pytest

from cerver_core.stores.base import AccountStore, EntryDraft, ReadWindow
from cerver_core.testing.stores.ground import StoreGround, bodies, draft, kept, numbered

__all__ = ["ReadContract"]


async def _seqs(account: AccountStore, window: ReadWindow) -> list[int]:
    page = await account.transcripts.read("5e55", window)
    assert page.last_seq == 10
    seqs = [json.loads(entry.json)["seq"] for entry in page.entries]
    assert [entry.seq for entry in page.entries] == seqs
    return seqs


class ReadContract(StoreGround):
    """Reads."""

    @pytest.fixture
    async def ten(self, account: AccountStore) -> AccountStore:
        """Give an account whose session 5e55 has ten entries."""
        await account.sessions.create(kept("5e55"), numbered(1, 10))
        await account.sessions.create(kept("neighbour"), numbered(1, 3))
        return account

    async def test_an_empty_transcript_reads_as_nothing(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55"))
        page = await account.transcripts.read("5e55", ReadWindow())
        assert (page.entries, page.last_seq) == ((), 0)

    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            (ReadWindow(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            (ReadWindow(limit=3), [8, 9, 10]),
            (ReadWindow(limit=0), []),
            (ReadWindow(to_seq=5, limit=2), [4, 5]),
            (ReadWindow(to_seq=2, limit=9), [1, 2]),
            (ReadWindow(to_seq=99, limit=2), [9, 10]),
            (ReadWindow(to_seq=0, limit=2), []),
            (ReadWindow(from_seq=1, limit=3), [1, 2, 3]),
            (ReadWindow(from_seq=0, limit=2), [1, 2]),
            (ReadWindow(from_seq=9, limit=9), [9, 10]),
            (ReadWindow(from_seq=11), []),
            (ReadWindow(from_seq=1 << 40), []),
            (ReadWindow(from_seq=3, to_seq=5), [3, 4, 5]),
        ],
    )
    async def test_a_window_shows_consecutive_entries_oldest_first(
        self, ten: AccountStore, window: ReadWindow, expected: list[int]
    ) -> None:
        assert await _seqs(ten, window) == expected

    async def test_a_page_ends_before_it_grows_past_its_bytes(self, ten: AccountStore) -> None:
        one = len('{"seq":1,"content":"1"}')
        assert await _seqs(ten, ReadWindow(from_seq=1, max_bytes=3 * one)) == [1, 2, 3]
        assert await _seqs(ten, ReadWindow(from_seq=1, max_bytes=3 * one - 1)) == [1, 2]
        assert await _seqs(ten, ReadWindow(to_seq=9, max_bytes=2 * one)) == [8, 9]

    async def test_one_entry_comes_however_large(self, ten: AccountStore) -> None:
        assert await _seqs(ten, ReadWindow(from_seq=4, max_bytes=1)) == [4]
        assert await _seqs(ten, ReadWindow(max_bytes=1)) == [10]

    async def test_bytes_are_counted_as_utf8(self, account: AccountStore) -> None:
        await account.sessions.create(kept("5e55"), [draft("é" * 100), draft("é" * 100)])
        page = await account.transcripts.read("5e55", ReadWindow(from_seq=1, max_bytes=400))
        assert [entry.seq for entry in page.entries] == [1]

    async def test_a_large_entry_shows_its_view_unless_the_whole_is_asked_for(self, account: AccountStore) -> None:
        whole = '{"content":"' + "x" * 1_000_000 + '"}'
        entries = [draft("before"), EntryDraft(whole, view='{"content":"x…x"}'), draft("after")]
        await account.sessions.create(kept("5e55"), entries)
        short = ['{"seq":1,"content":"before"}', '{"seq":2,"content":"x…x"}', '{"seq":3,"content":"after"}']
        assert await bodies(account, "5e55") == short
        assert await bodies(account, "5e55", whole=True) == [short[0], '{"seq":2,' + whole[1:], short[2]]
        bounded = ReadWindow(from_seq=1, max_bytes=10_000)
        assert len((await account.transcripts.read("5e55", bounded)).entries) == 3
        wholes = ReadWindow(from_seq=1, max_bytes=10_000, whole=True)
        assert [entry.seq for entry in (await account.transcripts.read("5e55", wholes)).entries] == [1]
