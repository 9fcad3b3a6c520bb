"""Ingests conversations, asks the MCP server's search their questions, and counts where the right session stands."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio

from benchmarks.stdio import CERVER, Server, scratch
from cerver_core.api import Cerver
from cerver_core.config import Settings
from cerver_core.connect import connect
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


def ask_apart(document: Document) -> Recall:
    """Ask each question over its own conversation alone."""
    ranks: list[tuple[str, int | None]] = []
    for conversation in document["conversations"]:
        questions = [one for one in document["questions"] if one["conversation"] == conversation["id"]]
        if questions:
            with opened([conversation]) as (server, names):
                ranks += [_rank(server, names, one) for one in questions]
    return Recall.of(ranks)


def ask_pooled(document: Document) -> Recall:
    """Ask each question over all conversations at once."""
    with opened(document["conversations"]) as (server, names):
        return Recall.of([_rank(server, names, one) for one in document["questions"]])


@contextmanager
def opened(conversations: Sequence[Document]) -> Generator[tuple[Server, dict[str, str]]]:
    """Open an MCP server over these conversations; gives it with the set's id of each session of its own."""
    with scratch() as home:
        names = anyio.run(_ingest_all, conversations, home)
        server = Server(CERVER, home)
        try:
            server.shake_hands()
            yield server, names
        finally:
            server.leave()


async def _ingest_all(conversations: Sequence[Document], home: Path) -> dict[str, str]:
    settings = Settings.from_environ({"HOME": str(home), "CERVER_DURABILITY": "relaxed"})
    async with connect(settings) as cerver:
        return {
            await _ingest(cerver, session): session["id"]
            for conversation in conversations
            for session in conversation["sessions"]
        }


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


def _rank(server: Server, names: dict[str, str], question: Document) -> tuple[str, int | None]:
    arguments = {"query": question["question"], "limit": _DEPTH}
    reply = server.call("cerver_session_search", arguments)["content"][0]["text"]
    found = [names[first] for line in reply.splitlines() if (first := line.partition(" ")[0]) in names]
    right = set(question["answer_session_ids"])
    return question["question"], next((rank for rank, one in enumerate(found, 1) if one in right), None)
