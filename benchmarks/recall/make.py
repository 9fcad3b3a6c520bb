"""Makes a set of questions over long conversations from written material, the same for the same seed."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.material import EVENTS, FILLER, NAMES, SLOTS, WORK

__all__ = ["make"]

_CONVERSATIONS = 10
_SESSIONS = 16
_EVENTS_PER_SESSION = 2
_FILLER_PER_SESSION = 14

Document = dict[str, Any]


def make(seed: int) -> Document:
    """Make conversations of many sessions, each with a few telling lines among idle talk, and questions about them."""
    chance = random.Random(seed)
    conversations: list[Document] = []
    questions: list[Document] = []
    names = chance.sample(NAMES, len(NAMES))
    for number in range(_CONVERSATIONS):
        people = names[2 * number : 2 * number + 2]
        told = _told(chance, people)
        start = datetime(2025, 1, 6, 18, tzinfo=UTC) + timedelta(days=chance.randrange(60))
        sessions: list[Document] = []
        for at in range(_SESSIONS):
            session_id = f"c{number}-s{at}"
            events = told[at * _EVENTS_PER_SESSION : (at + 1) * _EVENTS_PER_SESSION]
            date = (start + timedelta(days=11 * at)).isoformat()
            sessions.append({"id": session_id, "date": date, "entries": _entries(chance, people, events)})
            questions += [
                {"question": asked, "conversation": f"c{number}", "answer_session_ids": [session_id]}
                for _, asked in events
            ]
        conversations.append({"id": f"c{number}", "sessions": sessions})
    return {"conversations": conversations, "questions": questions}


def _told(chance: random.Random, people: Sequence[str]) -> list[tuple[Sequence[str], str]]:
    """Choose what is told: each kind of thing once by each person, so that a question has one answer."""
    told: list[tuple[Sequence[str], str]] = []
    kinds = [(kind, person) for kind in (*EVENTS, *WORK) for person in people]
    for (lines, questions), person in chance.sample(kinds, _SESSIONS * _EVENTS_PER_SESSION):
        filled = {slot: chance.choice(words) for slot, words in SLOTS.items()} | {"a": person}
        question = chance.choice(questions).format(**filled)
        told.append(([f"{person}: {line.format(**filled)}" for line in lines], question))
    return told


def _entries(
    chance: random.Random, people: Sequence[str], events: Sequence[tuple[Sequence[str], str]]
) -> list[dict[str, str]]:
    idle = [f"{chance.choice(people)}: {line}" for line in chance.sample(FILLER, _FILLER_PER_SESSION)]
    lines = [list(said) for said, _ in events] + [[line] for line in idle]
    chance.shuffle(lines)
    flat = [line for group in lines for line in group]
    roles = ("user", "assistant")
    return [{"role": roles[number % 2], "content": line} for number, line in enumerate(flat)]
