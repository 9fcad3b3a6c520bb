"""Appends against a model of a transcript in plain Python."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cerver_core.errors import EntryConflict, SequenceConflict
from cerver_core.stores.base import AccountStore, Appended, EntryDraft, ReadWindow
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.stores.ground import bodies, kept

T = TypeVar("T")

_IDS = st.none() | st.sampled_from(["a", "b", "c", "d"])
_TEXTS = st.sampled_from(["x", "y", "zz"])
_BATCHES = st.lists(st.tuples(_IDS, _TEXTS), min_size=1, max_size=4)


class _Model:
    """A transcript as the contract describes it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.by_id: dict[str, int] = {}

    def append(self, batch: Iterable[tuple[str | None, str]], expected_seq: int | None) -> Appended | str:
        texts, by_id, seqs = list(self.texts), dict(self.by_id), list[int]()
        for client_id, text in batch:
            if client_id in by_id:
                if texts[by_id[client_id] - 1] != text:
                    return EntryConflict.code
                seqs.append(by_id[client_id])
                continue
            texts.append(text)
            seqs.append(len(texts))
            if client_id is not None:
                by_id[client_id] = len(texts)
        added = len(texts) - len(self.texts)
        if added and expected_seq is not None and expected_seq != len(self.texts):
            return SequenceConflict.code
        self.texts, self.by_id = texts, by_id
        return Appended(tuple(seqs), added, len(texts))


class AppendMachine(RuleBasedStateMachine):
    """Drives a store and the model side by side; closes and opens the store now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = _Model()
        self.portal_manager = start_blocking_portal()
        self.portal = self.portal_manager.__enter__()
        self._open()
        self.portal.call(self.account.sessions.create, kept("5e55"))

    def _open(self) -> None:
        store = SqliteStore(Path(self.folder.name) / "cerver.db", durability="relaxed")
        self.store_manager = self.portal.wrap_async_context_manager(store)
        self.account: AccountStore = self.store_manager.__enter__().account("acme")

    @rule(batch=_BATCHES, offset=st.none() | st.sampled_from([0, 0, 0, -1, 1]))
    def append(self, batch: list[tuple[str | None, str]], offset: int | None) -> None:
        expected_seq = None if offset is None else max(0, len(self.model.texts) + offset)
        assert self._append(batch, expected_seq) == self.model.append(batch, expected_seq)

    def _append(self, batch: list[tuple[str | None, str]], expected_seq: int | None) -> Appended | str:
        drafts = [EntryDraft(f'{{"t":"{text}"}}', client_id, text.encode()) for client_id, text in batch]

        async def append() -> Appended | str:
            try:
                return await self.account.transcripts.append("5e55", drafts, expected_seq=expected_seq)
            except (EntryConflict, SequenceConflict) as error:
                return error.code

        return self.portal.call(append)

    @rule(from_seq=st.integers(-1, 12) | st.none(), to_seq=st.integers(-1, 12) | st.none(), limit=st.integers(0, 5))
    def read(self, from_seq: int | None, to_seq: int | None, limit: int) -> None:
        window = ReadWindow(from_seq=from_seq, to_seq=to_seq, limit=limit)
        page = self.portal.call(self.account.transcripts.read, "5e55", window)
        seqs = [seq for seq in range(1, len(self.model.texts) + 1) if to_seq is None or seq <= to_seq]
        if from_seq is None:
            seqs = seqs[-limit:] if limit else []
        else:
            seqs = [seq for seq in seqs if max(from_seq, 1) <= seq < max(from_seq, 1) + limit]
        assert [entry.seq for entry in page.entries] == seqs

    @rule()
    def reopen(self) -> None:
        self.store_manager.__exit__(None, None, None)
        self._open()

    @invariant()
    def same_transcript(self) -> None:
        expected = [f'{{"seq":{seq},"t":"{text}"}}' for seq, text in enumerate(self.model.texts, 1)]
        assert self.portal.call(bodies, self.account, "5e55") == expected

    def teardown(self) -> None:
        self.store_manager.__exit__(None, None, None)
        self.portal_manager.__exit__(None, None, None)
        self.folder.cleanup()


TestAppendsBehaveLikeTheModel = AppendMachine.TestCase
TestAppendsBehaveLikeTheModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
