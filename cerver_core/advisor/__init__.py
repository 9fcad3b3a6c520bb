"""Where work should run: filter, score, decide. Pure: no I/O, no clock, the same answer for the same question."""

from cerver_core.advisor.decide import recommend
from cerver_core.advisor.filters import Candidate

__all__ = ["Candidate", "recommend"]
