"""Ingests a set of conversations through the engine, asks its questions, and counts where the right session stands."""

import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.connect import connect
from cerver_core.wire.search import SearchTranscripts
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, NewEntry

__all__ = ["Recall", "ask_apart", "ask_pooled", "opened"]

Document = dict[str, Any]
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of questions whose right session stood first, among five, among ten."""

    first: float
    five: float
    ten: float
    questions: int
    missed: tuple[str, ...]

    @classmethod
    def of(cls, ranks: Sequence[tuple[str, int | None]]) -> "Recall":
        """Count ranks, from 1; null is not found."""
        shares = [sum(rank is not None and rank <= depth for _, rank in ranks) / len(ranks) for depth in (1, 5, 10)]
        missed = tuple(question for question, rank in ranks if rank is None or rank > 1)
        return cls(shares[0], shares[1], shares[2], len(ranks), missed)


async def ask_apart(document: Document) -> Recall:
    """Ask each question over its own conversation alone."""
    ranks: list[tuple[str, int | None]] = []
    for conversation in document["conversations"]:
        questions = [one for one in document["questions"] if one["conversation"] == conversation["id"]]
        if not questions:
            continue
        async with opened([conversation]) as (cerver, names):
            ranks += [await _rank(cerver, names, one) for one in questions]
    return Recall.of(ranks)


async def ask_pooled(document: Document) -> Recall:
    """Ask each question over all conversations at once."""
    async with opened(document["conversations"]) as (cerver, names):
        return Recall.of([await _rank(cerver, names, one) for one in document["questions"]])


@asynccontextmanager
async def opened(conversations: Sequence[Document]) -> AsyncGenerator[tuple[Cerver, dict[str, str]]]:
    """Open an engine that holds these conversations; gives it with the set's id of each session of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environ({"CERVER_HOME": folder, "HOME": folder, "CERVER_DURABILITY": "relaxed"})
        async with connect(settings) as cerver:
            names: dict[str, str] = {}
            for conversation in conversations:
                for session in conversation["sessions"]:
                    names[await _ingest(cerver, session)] = session["id"]
            yield cerver, names


async def _ingest(cerver: Cerver, session: Document) -> str:
    made = await cerver.sessions.create(CreateSession(compute=None, session_type="transcript"))
    start = datetime.fromisoformat(session["date"])
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    entries = [
        NewEntry(role=_role(entry["role"]), content=entry["content"], at=start + timedelta(seconds=20 * number))
        for number, entry in enumerate(session["entries"])
        if entry["content"]
    ]
    for at in range(0, len(entries), 500):
        await cerver.transcripts.append(made.session_id, AppendEntries(entries=tuple(entries[at : at + 500])))
    return made.session_id


def _role(word: str) -> Any:  # noqa: ANN401 - one of the roles of an entry
    return word if word in {"user", "assistant", "system", "tool"} else "user"


async def _rank(cerver: Cerver, names: dict[str, str], question: Document) -> tuple[str, int | None]:
    page = await cerver.transcripts.search(SearchTranscripts(query=question["question"], limit=_DEPTH))
    right = set(question["answer_session_ids"])
    ranks = [rank for rank, found in enumerate(page.sessions, 1) if names[found.session_id] in right]
    return question["question"], min(ranks, default=None)
