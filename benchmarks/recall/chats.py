"""Makes chats with an assistant: many long sessions, few of which tell something in passing; the same for a seed."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.topics import TOPICS

__all__ = ["Told", "chats"]

_CONVERSATIONS = 5
_IDLE_SESSIONS = 40

Document = dict[str, Any]
Told = tuple[str, str, str, tuple[str, ...]]
"""A topic, who tells, what is told, and questions for it."""


def chats(told: Sequence[Told], seed: int) -> Document:
    """Make conversations of about fifty sessions; each thing is told once, among talk about the same topics."""
    chance = random.Random(seed)
    conversations: list[Document] = []
    questions: list[Document] = []
    shuffled = chance.sample(told, len(told))
    for number in range(_CONVERSATIONS):
        own = shuffled[number::_CONVERSATIONS]
        topics = [topic for topic, *_ in own] + chance.choices(list(TOPICS), k=_IDLE_SESSIONS)
        lines: list[Told | None] = [*own, *[None] * _IDLE_SESSIONS]
        sessions: list[Document] = []
        start = datetime(2025, 3, 1, 9, tzinfo=UTC)
        order = chance.sample(range(len(lines)), len(lines))
        for at, place in enumerate(order):
            session_id = f"chat{number}-s{at}"
            said = lines[place]
            date = (start + timedelta(days=2 * at, hours=chance.randrange(10))).isoformat()
            sessions.append({"id": session_id, "date": date, "entries": _session(chance, topics[place], said)})
            questions += [
                {"question": question, "conversation": f"chat{number}", "answer_session_ids": [session_id]}
                for question in (said[3] if said else ())
            ]
        conversations.append({"id": f"chat{number}", "sessions": sessions})
    return {"conversations": conversations, "questions": questions}


def _session(chance: random.Random, topic: str, told: Told | None) -> list[dict[str, str]]:
    first, further, *answers = TOPICS[topic]
    turns = [chance.choice(first), chance.choice(answers), chance.choice(further), chance.choice(answers)]
    other = TOPICS[chance.choice(list(TOPICS))]
    turns += [chance.choice(other[1]), str(chance.choice(other[2:]))]
    if told is not None:
        at = chance.choice((0, 2) if told[1] == "user" else (1, 3))
        turns[at] = f"{told[2]} {turns[at]}" if chance.random() < 0.4 else f"{turns[at]} {told[2]}"
    return [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(turns)]
