"""What the parts of the suite have in common: the fixture to override, and short ways to say and read things."""

from collections.abc import AsyncIterator

import pytest

from cerver_core.api import Cerver
from cerver_core.wire.computes import ComputeChoice, Requirements
from cerver_core.wire.sessions import CreateSession
from cerver_core.wire.transcripts import AppendEntries, Entry, ReadTranscript

__all__ = ["LIMIT_S", "SECRET", "Road", "memory", "read_all", "said", "sandbox"]

SECRET = "suite-s3cret/value+1"
"""What the road's secret backend answers for `SUITE_TOKEN`."""

LIMIT_S = 20
"""How long the suite waits for anything."""


class Road:
    """Whatever answers the contract: the engine, or a client of a gateway."""

    @pytest.fixture
    async def cerver(self) -> AsyncIterator[Cerver]:
        """Give the road to test; the inheriting class overrides this."""
        raise AssertionError("the inheriting class gives the fixture")
        return


async def memory(cerver: Cerver, name: str | None = None) -> str:
    """Open a session that is memory alone."""
    return (await cerver.sessions.create(CreateSession(session_name=name, compute=None))).session_id


async def sandbox(cerver: Cerver, **requirements: object) -> str:
    """Open a session with a sandbox."""
    needs = Requirements.model_validate(requirements)
    request = CreateSession(compute=ComputeChoice(provider="local"), requirements=needs)
    return (await cerver.sessions.create(request)).session_id


def said(*texts: str, role: str = "user") -> AppendEntries:
    """Make an append of texts."""
    return AppendEntries.model_validate({"entries": [{"role": role, "content": text} for text in texts]})


async def read_all(cerver: Cerver, session_id: str) -> tuple[Entry, ...]:
    """Read a short transcript from the beginning."""
    return (await cerver.transcripts.read(session_id, ReadTranscript(full=True))).entries
