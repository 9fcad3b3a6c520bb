"""Makes a year of chats with an assistant: over a hundred sessions, with things told, changed, liked and dated."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.year_talk import ASIDES, PLACES, TALK

__all__ = ["Fact", "year"]

_PEOPLE = 2
_SESSIONS = 110
_SENTENCES = (3, 7)
_ROUNDS = (2, 5)

Document = dict[str, Any]
Fact = tuple[tuple[str, ...], tuple[str, ...]]
"""What is said, each piece in a session of its own and in this order ("A: ..." by the assistant); and the questions."""


def year(facts: Sequence[Fact], seed: int) -> Document:
    """Make two people's years; every session in which a fact is told, or told anew, answers its questions."""
    chance = random.Random(seed)
    conversations: list[Document] = []
    questions: list[Document] = []
    for number in range(_PEOPLE):
        own = facts[number::_PEOPLE]
        places = iter(chance.sample(range(_SESSIONS), sum(len(pieces) for pieces, _ in own)))
        told: dict[int, str] = {}
        for pieces, asked in own:
            at = sorted(next(places) for _ in pieces)
            told.update(zip(at, pieces, strict=True))
            right = [_name(number, place) for place in at]
            questions += [
                {"question": one, "conversation": f"year{number}", "answer_session_ids": right} for one in asked
            ]
        conversations.append({"id": f"year{number}", "sessions": _sessions(chance, number, told)})
    return {"conversations": conversations, "questions": questions}


def _name(number: int, place: int) -> str:
    return f"year{number}-s{place}"


def _sessions(chance: random.Random, number: int, told: dict[int, str]) -> list[Document]:
    start = datetime(2025, 2, 2, 8, tzinfo=UTC)
    return [
        {
            "id": _name(number, place),
            "date": (start + timedelta(days=3 * place, hours=chance.randrange(12))).isoformat(),
            "entries": _entries(chance, told.get(place)),
        }
        for place in range(_SESSIONS)
    ]


def _entries(chance: random.Random, piece: str | None) -> list[dict[str, str]]:
    asked, answers = TALK[chance.choice(list(TALK))]
    entries: list[dict[str, str]] = []
    for question in chance.sample(asked, min(len(asked), chance.randint(*_ROUNDS))):
        said = f"{question} {chance.choice(ASIDES)}" if chance.random() < 0.5 else question
        answer = chance.sample(answers, min(len(answers), chance.randint(*_SENTENCES)))
        entries += [{"role": "user", "content": said}, {"role": "assistant", "content": " ".join(answer)}]
    if piece is not None:
        by_assistant = piece.startswith("A: ")
        at = chance.randrange(len(entries) // 2) * 2 + by_assistant
        both = [piece.removeprefix("A: "), entries[at]["content"]]
        entries[at]["content"] = " ".join(chance.sample(both, 2))
    place = chance.choice(PLACES)
    return [{**one, "content": one["content"].replace("{place}", place)} for one in entries]
